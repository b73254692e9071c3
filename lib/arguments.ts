/**
 * Errors for misused arguments, with Node's own classes, codes and wording, so that code which handles those of
 * `node:net` handles ours. The checks throw at the caller, before anything has happened.
 */

import { inspect } from 'node:util';

/** The codes of Node that misuse is told with. */
export type ArgumentErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_SOCKET_BAD_PORT'
  | 'ERR_MISSING_ARGS';

function coded<E extends Error>(error: E, code: ArgumentErrorCode): E & { readonly code: ArgumentErrorCode } {
  // Node's stack shows the code behind the class while `name` stays the class's.
  if (error.stack?.startsWith(error.name) === true)
    error.stack = error.stack.replace(error.name, `${error.name} [${code}]`);
  return Object.assign(error, { code });
}

/** What Node says of a value that it did not want: `type number (1)`, `an instance of Map`. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = (value as { constructor?: { name?: string } }).constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  let shown = inspect(value, { colors: false });
  if (shown.length > 28) shown = `${shown.slice(0, 25)}...`;
  return `type ${typeof value} (${shown})`;
}

function subject(name: string): string {
  return `"${name}" ${name.includes('.') ? 'property' : 'argument'}`;
}

/** ERR_INVALID_ARG_TYPE. `expected` continues "must be": `of type string`, `one of type number or string`. */
export function invalidArgumentType(name: string, expected: string, value: unknown): TypeError {
  const message = `The ${subject(name)} must be ${expected}. Received ${describe(value)}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

/** ERR_INVALID_ARG_VALUE. `reason` continues the name: `is invalid`, `must be one of ...`. */
export function invalidArgumentValue(name: string, value: unknown, reason: string = 'is invalid'): TypeError {
  let shown = inspect(value);
  if (shown.length > 128) shown = `${shown.slice(0, 128)}...`;
  const message = `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${shown}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** ERR_OUT_OF_RANGE. `range` continues "must be": `>= 0`. */
export function outOfRange(name: string, range: string, value: unknown): RangeError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`;
  return coded(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/** ERR_SOCKET_BAD_PORT, as `net.connect` and `server.listen` throw it. */
export function badPort(name: string, value: unknown, allowZero: boolean = true): RangeError {
  const message = `${name} should be ${allowZero ? '>=' : '>'} 0 and < 65536. Received ${describe(value)}.`;
  return coded(new RangeError(message), 'ERR_SOCKET_BAD_PORT');
}

/** A string, or ERR_INVALID_ARG_TYPE. */
export function checkString(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidArgumentType(name, 'of type string', value);
  return value;
}

/** A boolean, or ERR_INVALID_ARG_TYPE. */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidArgumentType(name, 'of type boolean', value);
  return value;
}

/** A function, or ERR_INVALID_ARG_TYPE. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidArgumentType(name, 'of type function', value);
}

/** An object that is no array, or ERR_INVALID_ARG_TYPE. */
export function checkObject(name: string, value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgumentType(name, 'of type object', value);
  }
  return value;
}

/** A whole number from `least` to `most`, or ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE. */
export function checkInteger(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number') throw invalidArgumentType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value);
  return value;
}

/** A time in milliseconds, `least` or more; Infinity only where it means "never". */
export function checkMilliseconds(
  name: string,
  value: unknown,
  infinity: 'orInfinity' | 'finite' = 'finite',
  least: number = 0,
): number {
  if (typeof value !== 'number') throw invalidArgumentType(name, 'of type number', value);
  if (Number.isNaN(value) || value < least) throw outOfRange(name, `>= ${least}`, value);
  if (value === Number.POSITIVE_INFINITY && infinity === 'finite') throw outOfRange(name, 'a finite number', value);
  return value;
}

/**
 * The defaults with the numbers of `given` over them, each passed through `check`, which throws Node's errors; names
 * that have no default are ignored, as Node ignores them. ERR_INVALID_ARG_TYPE for what is no object.
 */
export function checkNumbers<Numbers extends { readonly [Name in keyof Numbers]: number }>(
  path: string,
  defaults: Numbers,
  given: Partial<Numbers> | undefined,
  check: (path: string, value: unknown, name: keyof Numbers) => number,
): Numbers {
  const merged: { -readonly [Name in keyof Numbers]: number } = { ...defaults };
  if (given === undefined) return defaults;
  checkObject(path, given);
  for (const name of Object.keys(defaults) as (keyof Numbers)[]) {
    const value: unknown = given[name];
    if (value !== undefined) merged[name] = check(`${path}.${String(name)}`, value, name);
  }
  return merged as Numbers;
}

/** A port (a number, or its decimal text as `net` takes it), or ERR_SOCKET_BAD_PORT. */
export function checkPort(name: string, value: unknown, allowZero: boolean = true): number {
  const text = typeof value === 'string' && value.trim() !== '';
  const port = typeof value === 'number' || text ? Number(value) : Number.NaN;
  if (!Number.isInteger(port) || port < (allowZero ? 0 : 1) || port > 0xffff) throw badPort(name, value, allowZero);
  return port;
}
