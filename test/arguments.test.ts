import { connect } from 'node:net';
import { basename } from 'node:path';
import test from 'ava';
import {
  badPort,
  checkBoolean,
  checkFunction,
  checkInteger,
  checkMilliseconds,
  checkNumbers,
  checkObject,
  checkPort,
  checkString,
  invalidArgumentType,
  invalidArgumentValue,
} from '../lib/arguments.js';

/** What Node itself throws. */
function nodes(run: () => unknown): NodeJS.ErrnoException {
  try {
    run();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('Node did not throw');
}

for (const port of [65_536, -1, 1.5, '99999', 'x', '']) {
  test(`a bad port is told in Node's words: ${JSON.stringify(port)}`, (t) => {
    const theirs = nodes(() => connect({ port: port as number }));
    t.throws(() => checkPort('options.port', port), {
      code: 'ERR_SOCKET_BAD_PORT',
      instanceOf: RangeError,
      name: theirs.name,
    });
    t.is(badPort('Port', port).message.replace('Port', ''), theirs.message.replace(/^(options\.port|Port)/, ''));
  });
}

for (const [index, value] of [
  undefined,
  null,
  5,
  'a text that is longer than twenty-eight characters',
  true,
  5n,
  Symbol('s'),
  [],
  {},
  new Map(),
  Object.create(null),
  class Foo {},
  () => {},
].entries()) {
  test(`a wrong type is told in Node's words: ${typeof value} (${index})`, (t) => {
    if (typeof value === 'string') {
      t.is(checkString('path', value), value);
      return;
    }
    const same = nodes(() => basename(value as never));
    const ours = t.throws(() => checkString('path', value), { instanceOf: TypeError });
    t.is(ours?.message, same.message);
    t.is((ours as NodeJS.ErrnoException).code, same.code ?? '');
  });
}

test('the class and code stand in the stack, as in Node', (t) => {
  t.regex(
    String(invalidArgumentType('options.host', 'of type string', 5).stack),
    /^TypeError \[ERR_INVALID_ARG_TYPE\]: The "options.host" property must be/,
  );
  t.is(invalidArgumentValue('mode', 'x').message, "The argument 'mode' is invalid. Received 'x'");
});

test('values that are right come back', (t) => {
  t.is(checkPort('port', '80'), 80);
  t.is(checkInteger('n', 5, 0, 5), 5);
  t.is(checkMilliseconds('ms', Number.POSITIVE_INFINITY, 'orInfinity'), Number.POSITIVE_INFINITY);
  t.is(checkBoolean('b', false), false);
  const object = {};
  t.is(checkObject('o', object), object);
  t.notThrows(() => checkFunction('f', () => {}));
});

test('values that are wrong throw', (t) => {
  t.throws(() => checkPort('port', 0, false), { code: 'ERR_SOCKET_BAD_PORT' });
  t.throws(() => checkInteger('n', 6, 0, 5), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => checkInteger('n', '6', 0), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => checkMilliseconds('ms', Number.POSITIVE_INFINITY), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => checkBoolean('b', 1), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => checkObject('o', []), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => checkFunction('f', undefined), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('numbers are taken over their defaults, each by its own rule, and names without a default are ignored', (t) => {
  const defaults = { one: 1, two: 2 };
  const check = (path: string, value: unknown): number => checkInteger(path, value, 0);
  t.deepEqual(checkNumbers('options.numbers', defaults, { two: 5, three: 'x' } as never, check), { one: 1, two: 5 });
  t.is(checkNumbers('options.numbers', defaults, undefined, check), defaults);
  t.throws(() => checkNumbers('options.numbers', defaults, { one: -1 }, check), {
    message: 'The value of "options.numbers.one" is out of range. It must be >= 0 && <= 9007199254740991. Received -1',
  });
});
