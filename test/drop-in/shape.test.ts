/** Everything that the running Node's net has is here, in the same shape; what differs is listed with its reason. */

import net from 'node:net';
import { inherits, inspect } from 'node:util';
import test from 'ava';
import rserpool, * as named from '../../lib/index.js';

type Shape = Record<string | symbol, PropertyDescriptor>;

const ours: Record<string, unknown> = rserpool as never;
const theirs: Record<string, unknown> = net as never;

/** Exports whose descriptor differs: the reason. */
const otherDescriptor: Readonly<Record<string, string>> = {
  BlockList: 'net loads it when it is first asked for, by a getter; ours has been asked',
  SocketAddress: 'as BlockList',
};

/** Exports that are not net's own values, as they have pools beside it. All others must be the same values. */
const replaced = new Set(['connect', 'createConnection', 'createServer', 'Server', 'Socket']);

function kind(descriptor: PropertyDescriptor | undefined): string {
  if (descriptor === undefined) return 'nothing';
  if (!('value' in descriptor)) return `accessor ${descriptor.get !== undefined} ${descriptor.set !== undefined}`;
  const { value } = descriptor as { value: unknown };
  return typeof value;
}

/** What an object has, its heirs' overrides in front, up to `end`. */
function shapeOf(object: object, end: object | null): Shape {
  const shape: Shape = {};
  const chain: object[] = [];
  for (let at: object | null = object; at !== end && at !== null; at = Object.getPrototypeOf(at) as object | null)
    chain.unshift(at);
  for (const one of chain) Object.assign(shape, Object.getOwnPropertyDescriptors(one));
  return shape;
}

for (const name of Object.getOwnPropertyNames(net)) {
  test(`net.${name} is exported, by name and in the default export`, (t) => {
    t.true(name in ours);
    t.is((named as Record<string, unknown>)[name], ours[name]);
    t.is(typeof ours[name], typeof theirs[name]);
    if (!replaced.has(name)) t.is(ours[name], theirs[name]);
    const own = Object.getOwnPropertyDescriptor(rserpool, name);
    const original = Object.getOwnPropertyDescriptor(net, name);
    t.is(own?.enumerable, original?.enumerable);
    t.is(own?.configurable, original?.configurable);
    if (otherDescriptor[name] === undefined) t.is(kind(own), kind(original));
    if (typeof theirs[name] === 'function') {
      t.is((ours[name] as () => void).length, theirs[name].length, 'the number of parameters');
      t.is((ours[name] as () => void).name || name, theirs[name].name || name);
    }
  });
}

test('the list of differences names nothing that net does not have', (t) => {
  for (const name of Object.keys(otherDescriptor)) t.true(name in net, name);
  for (const name of replaced) t.true(name in net, name);
});

/** Members of the prototypes that differ, and why. None is missing. */
const otherMember: Readonly<Record<string, string>> = {
  'Socket.prototype.connect': 'takes pools',
};

const classes = [
  ['Socket', rserpool.Socket, net.Socket],
  ['Server', rserpool.Server, net.Server],
] as const;

for (const [name, own, original] of classes) {
  const prototype = shapeOf(own.prototype, Object.prototype);
  const expected = shapeOf(original.prototype, Object.prototype);

  for (const key of Reflect.ownKeys(expected)) {
    if (key === 'constructor') continue;
    test(`${name}.prototype has ${String(key)} as net's has it`, (t) => {
      const [one, other] = [prototype[key], expected[key]] as [PropertyDescriptor, PropertyDescriptor];
      t.is(kind(one), kind(other));
      t.is(one.enumerable, other.enumerable);
      t.is(one.configurable, other.configurable);
      if (typeof other.value === 'function' && otherMember[`${name}.prototype.${String(key)}`] === undefined)
        t.true(
          (one.value as () => void).length === (other.value as () => void).length || one.value === other.value,
          `parameters: ${(one.value as () => void).length}, net's ${(other.value as () => void).length}`,
        );
    });
  }

  test(`${name} has the statics of net's`, (t) => {
    for (const key of Reflect.ownKeys(original)) t.true(Reflect.has(own, key), String(key));
    t.true(Object.prototype.isPrototypeOf.call(original, own), 'it inherits whatever net adds later');
    t.true(Object.prototype.isPrototypeOf.call(original.prototype, own.prototype));
    t.is(own.prototype.constructor as unknown, own);
    t.is(typeof own, 'function');
    t.regex(inspect(own), new RegExp(name));
  });

  test(`${name} is called without new, and by heirs of the old kind and the new`, (t) => {
    const called = (own as unknown as (options?: object) => object)();
    t.true(called instanceof own);
    t.true(called instanceof original);
    function Heir(this: object): void {
      (own as unknown as (this: object, options: object) => void).call(this, { allowHalfOpen: true });
    }
    inherits(Heir as never, own as never);
    const old = new (Heir as unknown as new () => net.Socket & { mode?: string })();
    t.is(Object.getPrototypeOf(old), Heir.prototype);
    t.true(old.allowHalfOpen);
    t.is(old.mode, undefined, 'what is private to our class is there');
    class Modern extends (own as new () => object) {}
    t.is(new Modern().constructor, Modern);
    t.true(new Modern() instanceof original);
  });

  test(`a new ${name} has the properties of net's, but for what Node keeps to itself`, (t) => {
    const fresh = new own();
    for (const key of Object.keys(new original())) t.true(key in fresh, key);
    t.deepEqual(Object.keys(fresh), Object.keys(new original()), 'none is added');
  });
}

test('what is refused is refused with net’s error and words', (t) => {
  const calls: ((one: typeof net) => unknown)[] = [
    (one) => one.connect(undefined as never),
    (one) => (one.connect as () => unknown)(),
    (one) => one.connect({} as never),
    (one) => one.connect(70_000),
    (one) => one.connect({ port: -1 }),
    (one) => one.connect({ port: '5x' as never }),
    (one) => one.connect({ port: null as never }),
    (one) => one.connect({ port: 1, localAddress: 'here' }),
    (one) => one.connect({ port: 1, localPort: 'x' as never }),
    (one) => one.connect({ port: 1, host: 'a', lookup: 'x' as never }),
    (one) => one.connect({ port: 1, autoSelectFamily: 5 as never }),
    (one) => one.connect({ path: 5 as never }),
    (one) => one.connect({ port: 1, timeout: 'x' as never }),
    (one) => one.createServer(5 as never),
    (one) => one.createServer({ keepAliveInitialDelay: 'x' as never }),
    (one) => one.createServer({ highWaterMark: 'x' as never }),
    (one) => one.createServer().listen({} as never),
    (one) => one.createServer().listen(70_000),
    (one) => one.createServer().listen({ port: -1 }),
    (one) => one.createServer().listen({ port: {} as never }),
    (one) => one.createServer().listen({ port: 1, signal: 'x' as never }),
    (one) => new one.Socket({ objectMode: true } as never),
    (one) => new one.Socket({ readableObjectMode: true } as never),
    (one) => new one.Socket({ fd: -1 }),
    (one) => new one.Socket({ keepAliveInitialDelay: 'x' } as never),
    (one) => new one.Socket({ signal: 'x' as never }),
    (one) => new one.Socket().setTimeout('x' as never),
    (one) => new one.Socket().setTimeout(1, 'x' as never),
    (one) => new one.Socket().setTimeout(-1),
    (one) => new one.Socket().write(null as never),
    (one) => new one.Socket().write(5 as never),
    (one) => new one.Socket().setEncoding('x' as never),
    (one) => new one.BlockList().addAddress('x'),
    (one) => one.setDefaultAutoSelectFamily('x' as never),
  ];
  for (const call of calls) {
    const [own, original] = [rserpool as unknown as typeof net, net].map((one) => {
      try {
        const made = call(one) as Partial<net.Socket> | undefined;
        made?.on?.('error', () => {});
        made?.destroy?.();
        return 'accepted';
      } catch (error) {
        const { name, code, message } = error as NodeJS.ErrnoException;
        return { name, code, message };
      }
    });
    t.deepEqual(own, original, call.toString());
  }
});
