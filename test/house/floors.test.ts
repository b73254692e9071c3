/** The rules of the house fire: imports go downward only, time and chance are injected. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { lint, root } from './lint.js';

/** The house, from the ground up. Kept apart from biome.json on purpose: each proves the other. */
const floors: readonly (readonly string[])[] = [
  ['errors.ts', 'clock.ts', 'random.ts', 'diagnostics.ts', 'arguments.ts', 'fifo.ts'],
  ['wire'],
  ['policy', 'transport'],
  ['handlespace', 'mapping'],
  ['asap', 'enrp'],
  ['session', 'registrar'],
  ['net'],
  ['gateway'],
  ['cli', 'index.ts'],
];
const parts = floors.flat();
const floorOf = (part: string): number => floors.findIndex((floor) => floor.includes(part));
const isFile = (part: string): boolean => part.endsWith('.ts');

/** One import of every other part, each on its own line, in the order of `parts`. */
function importsOfAll(part: string, up: string): string {
  return parts
    .map((target) => {
      if (target === part) return '';
      const path = isFile(target) ? target.replace('.ts', '.js') : `${target}/thing.js`;
      return `import '${up}${path}';`;
    })
    .join('\n');
}

/** A part of the house and the files that stand for it: at its top and, for a room, one and two folders down. */
function filesOf(part: string): [path: string, source: string][] {
  if (isFile(part)) return [[`lib/${part}`, importsOfAll(part, './')]];
  return [
    [`lib/${part}/visitor.ts`, importsOfAll(part, '../')],
    [`lib/${part}/inner/visitor.ts`, importsOfAll(part, '../../')],
    [`lib/${part}/inner/most/visitor.ts`, importsOfAll(part, '../../../')],
  ];
}

const time = {
  'Date.now()': 'Date.now();',
  'Date.now taken out': 'export const { now } = Date;',
  'new Date()': 'export const stamp = new Date();',
  'Date()': 'export const stamp = Date();',
  'globalThis.Date': 'globalThis.Date.now();',
  'performance.now()': 'performance.now();',
  'globalThis.performance': 'globalThis.performance.now();',
  'node:perf_hooks': "export { performance } from 'node:perf_hooks';",
  setTimeout: 'setTimeout(() => {}, 1);',
  'globalThis.setTimeout': 'globalThis.setTimeout(() => {}, 1);',
  'global.setTimeout': 'global.setTimeout(() => {}, 1);',
  'setTimeout by another name': 'export const later = setTimeout;',
  setInterval: 'setInterval(() => {}, 1);',
  'globalThis.setInterval': 'globalThis.setInterval(() => {}, 1);',
  setImmediate: 'setImmediate(() => {});',
  'globalThis.setImmediate': 'globalThis.setImmediate(() => {});',
  queueMicrotask: 'queueMicrotask(() => {});',
  'globalThis.queueMicrotask': 'globalThis.queueMicrotask(() => {});',
  'process.nextTick': 'process.nextTick(() => {});',
  'nextTick taken out': 'export const { nextTick } = process;',
  'process.hrtime()': 'process.hrtime();',
  'process.hrtime.bigint()': 'process.hrtime.bigint();',
  'process.uptime()': 'process.uptime();',
  'globalThis.process': 'globalThis.process.nextTick(() => {});',
  'process.getBuiltinModule': "process.getBuiltinModule('node:timers');",
  'node:process': "export { nextTick } from 'node:process';",
  'AbortSignal.timeout': 'AbortSignal.timeout(1);',
  'node:timers': "import 'node:timers';",
  'timers without node:': "import 'timers';",
  'node:timers/promises': "import { setTimeout as sleep } from 'node:timers/promises';\nsleep(1);",
  'node:timers, late': "export const timers = await import('node:timers/promises');",
};
const chance = {
  'Math.random()': 'Math.random();',
  'globalThis.Math': 'globalThis.Math.random();',
  randomBytes: "import { randomBytes } from 'node:crypto';\nrandomBytes(1);",
  'randomBytes by another name': "import { randomBytes as bytes } from 'node:crypto';\nbytes(1);",
  'crypto.randomBytes': "import * as nodeCrypto from 'node:crypto';\nnodeCrypto.randomBytes(1);",
  'randomBytes of the default': "import nodeCrypto from 'node:crypto';\nnodeCrypto.randomBytes(1);",
  'randomBytes, late': "export const { randomBytes } = await import('node:crypto');",
  'randomBytes handed on': "export { randomBytes } from 'node:crypto';",
  randomUUID: "import { randomUUID } from 'node:crypto';\nrandomUUID();",
  'crypto.randomUUID': 'crypto.randomUUID();',
  'globalThis.crypto': 'globalThis.crypto.randomUUID();',
  randomFill: "import { randomFill } from 'node:crypto';\nrandomFill(new Uint8Array(1), () => {});",
  randomFillSync: "import { randomFillSync } from 'node:crypto';\nrandomFillSync(new Uint8Array(1));",
  randomInt: "import { randomInt } from 'node:crypto';\nrandomInt(2);",
  getRandomValues: "import { getRandomValues } from 'node:crypto';\ngetRandomValues(new Uint8Array(1));",
  webcrypto: "import { webcrypto } from 'node:crypto';\nwebcrypto.subtle.toString();",
};
const banned = Object.entries({ ...time, ...chance });

const rulesOfTimeAndChance = ['noJsRestrictedProperties', 'noRestrictedGlobals', 'plugin'];

const clean = `import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:net';
import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import type { PoolElement } from '../wire/parameters.js';
import { own } from './inner/own.js';
export function use(clock: Clock, random: Random, element: PoolElement): unknown {
  clock.setTimeout(() => {}, 1).cancel();
  clock.defer(() => {});
  const calendar = new Date(clock.wallTime()).toISOString();
  return [clock.now(), calendar, random.uniform(), element, own, createHmac, timingSafeEqual, createServer];
}
`;

const lines = (count: number): string => 'export {};\n'.repeat(count);

const objections = lint({
  ...Object.fromEntries(parts.flatMap(filesOf)),
  ...Object.fromEntries(banned.map(([, source], index) => [`lib/transport/banned-${index}.ts`, source])),
  'lib/clock.ts': [importsOfAll('clock.ts', './'), ...Object.values(time)].join('\n'),
  'lib/random.ts': [importsOfAll('random.ts', './'), ...Object.values(chance)].join('\n'),
  'lib/policy/clean.ts': clean,
  'test/policy/clean.test.ts': "import '../../lib/net/socket.js';\nsetTimeout(() => Math.random(), Date.now());",
  'lib/wire/inline-type.ts': "export type Socket = import('../net/socket.js').Socket;",
  'lib/wire/upward-type.ts': "import type { Socket } from '../net/socket.js';\nexport type Own = Socket;",
  'lib/wire/upward-export.ts': "export { Socket } from '../net/socket.js';",
  'lib/wire/upward-late.ts': "export const late = await import('../net/socket.js');",
  'lib/wire/own-package.ts': "import 'rserpool';",
  'lib/wire/test-code.ts': "import '../../test/wire/vectors.js';",
  'lib/policy/one.ts': "import { two } from './two.js';\nexport const one = () => two;",
  'lib/policy/two.ts': "import { one } from './one.js';\nexport const two = () => one;",
  'lib/policy/type-one.ts': "import type { Two } from './type-two.js';\nexport type One = Two | 1;",
  'lib/policy/type-two.ts': "import type { One } from './type-one.js';\nexport type Two = One | 2;",
  'lib/policy/long-enough.ts': lines(450),
  'lib/policy/too-long.ts': lines(451),
});

function rulesAgainst(path: string): string[] {
  return (objections.get(path) ?? []).map(({ rule }) => rule);
}

for (const part of parts) {
  test(`${part} imports from lower floors only`, (t) => {
    const refused = parts.filter((target) => target !== part && floorOf(target) >= floorOf(part));
    for (const [path] of filesOf(part)) {
      const found = (objections.get(path) ?? [])
        .filter(({ rule }) => rule === 'noRestrictedImports')
        .map(({ line }) => parts[line - 1]);
      t.deepEqual(found.sort(), [...refused].sort(), path);
    }
  });
}

test('every part of lib/ has a floor', (t) => {
  t.deepEqual(
    readdirSync(join(root, 'lib')).filter((name) => !parts.includes(name)),
    [],
  );
});

for (const [index, [name]] of banned.entries()) {
  test(`${name} is refused outside clock.ts and random.ts`, (t) => {
    const fired = rulesAgainst(`lib/transport/banned-${index}.ts`);
    t.true(
      fired.some((rule) => rulesOfTimeAndChance.includes(rule)),
      fired.join(),
    );
  });
}

test('clock.ts and random.ts may use what the others may not', (t) => {
  for (const path of ['lib/clock.ts', 'lib/random.ts']) {
    const fired = rulesAgainst(path);
    t.deepEqual(
      fired.filter((rule) => rulesOfTimeAndChance.includes(rule)),
      [],
      path,
    );
    // The file was linted, and for its imports it was refused.
    t.true(fired.includes('noRestrictedImports'), path);
  }
});

test('a file that keeps the rules passes, and tests are free of them', (t) => {
  t.deepEqual(rulesAgainst('lib/policy/clean.ts'), []);
  t.deepEqual(rulesAgainst('test/policy/clean.test.ts'), []);
});

test('no form of import gets around the floors', (t) => {
  t.deepEqual(rulesAgainst('lib/wire/inline-type.ts'), ['plugin']);
  for (const form of ['upward-type', 'upward-export', 'upward-late', 'own-package', 'test-code']) {
    t.deepEqual(rulesAgainst(`lib/wire/${form}.ts`), ['noRestrictedImports'], form);
  }
});

test('import cycles are refused, those of types too', (t) => {
  for (const file of ['one', 'two', 'type-one', 'type-two']) {
    t.deepEqual(rulesAgainst(`lib/policy/${file}.ts`), ['noImportCycles'], file);
  }
});

test('a file of more than 450 lines is refused', (t) => {
  t.deepEqual(rulesAgainst('lib/policy/long-enough.ts'), []);
  t.deepEqual(rulesAgainst('lib/policy/too-long.ts'), ['noExcessiveLinesPerFile']);
});
