/** Classes that behave as net's constructor functions do: callable without `new`, and by heirs of the old kind. */

/** What a constructor function of Node's is to its heirs. */
type ConstructorFunction = (this: object, ...args: unknown[]) => void;

/** The object that the next construction is to become, instead of a new one. */
let adopted: object | undefined;

/**
 * A parent for a class, in place of a constructor function of Node's. It does nothing: the class calls `initialise` when
 * all that is private to it is there, since Node's constructors call methods that a class may override. A call of the
 * class on an object that exists already (`Socket.call(this)` and `util.inherits`) makes that object an instance.
 */
export function uninitialised<Parent extends new (...args: never[]) => object>(parent: Parent): Parent {
  function Uninitialised(this: object): object {
    const instance = adopted ?? this;
    adopted = undefined;
    return instance;
  }
  Object.setPrototypeOf(Uninitialised, parent);
  Uninitialised.prototype = parent.prototype as object;
  return Uninitialised as unknown as Parent;
}

/** What the constructor function of Node's does to a new object. */
export function initialise(parent: unknown, instance: object, args: readonly unknown[]): void {
  (parent as ConstructorFunction).apply(instance, [...args]);
}

/** The class of the same prototype that may be called without `new`. Its parent must be an `uninitialised` one. */
export function callable<Class extends new (...args: never[]) => object>(
  target: Class,
): Class & ((...args: ConstructorParameters<Class>) => InstanceType<Class>) {
  const both = new Proxy(target, {
    apply(_, caller: unknown, args) {
      adopted = caller instanceof target ? caller : undefined;
      try {
        return Reflect.construct(target, args) as object;
      } finally {
        adopted = undefined;
      }
    },
  });
  Object.defineProperty(target.prototype, 'constructor', { value: both });
  return both as Class & ((...args: ConstructorParameters<Class>) => InstanceType<Class>);
}

/**
 * Gives the members of a class that override inherited ones the attributes of those: programs that copy net's prototypes
 * by key find what they find in net's.
 */
export function mirrorAttributes(heir: object): void {
  for (const key of Reflect.ownKeys(heir)) {
    const inherited = key === 'constructor' ? undefined : inheritedProperty(heir, key);
    if (inherited === undefined) continue;
    const { enumerable = false, configurable = true } = inherited;
    Object.defineProperty(heir, key, { enumerable, configurable });
  }
}

function inheritedProperty(heir: object, key: string | symbol): PropertyDescriptor | undefined {
  for (let at = Object.getPrototypeOf(heir) as object | null; at !== null; at = Object.getPrototypeOf(at) as object) {
    const found = Object.getOwnPropertyDescriptor(at, key);
    if (found !== undefined) return found;
  }
  return undefined;
}
