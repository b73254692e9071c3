import test from 'ava';
import fc from 'fast-check';
import { PeChecksum } from '../../lib/wire/pe-checksum.js';
import { bytesToPoolHandle } from '../../lib/wire/pool-handle.js';

type Element = readonly [handle: string, identifier: number];

function checksum(elements: readonly Element[]): number {
  const sum = new PeChecksum();
  for (const [handle, identifier] of elements) sum.add(handle, identifier);
  return sum.value;
}

/** RFC 1071 to the letter: a 32-bit sum of all words, its carries folded back, complemented. */
function rfc1071(elements: readonly Element[]): number {
  let sum = 0;
  for (const [handle, identifier] of elements) {
    const block = new Uint8Array(((handle.length + 3) & ~3) + 4);
    for (let i = 0; i < handle.length; i++) block[i] = handle.charCodeAt(i);
    const view = new DataView(block.buffer);
    view.setUint32(block.length - 4, identifier);
    for (let i = 0; i < block.length; i += 2) {
      sum += view.getUint16(i);
      if (sum > 0xffff) sum = (sum & 0xffff) + 1;
    }
  }
  return ~sum & 0xffff;
}

for (const [name, elements, expected] of [
  ['none', [], 0xffff],
  ['one', [['EchoPool', 0x12345678]], 0x29a5],
  [
    'two',
    [
      ['EchoPool', 0x12345678],
      ['EchoPool', 0xdeadbeef],
    ],
    0x1e59,
  ],
  ['a handle that needs padding', [['ABC', 1]], 0x7bbc],
  [
    'two pools',
    [
      ['PingPongPool', 0xffffffff],
      ['ABC', 1],
    ],
    0x3e39,
  ],
] as const satisfies readonly (readonly [string, readonly Element[], number])[]) {
  test(`the reference implementation's checksum over ${name} is ours`, (t) => {
    t.is(checksum(elements), expected);
    t.is(rfc1071(elements), expected);
  });
}

test('40,000 elements, more than a 32-bit sum of words can hold, still give the checksum of RFC 1071', (t) => {
  const elements = Array.from({ length: 40_000 }, (_, i): Element => ['EchoPool', i + 1]);
  t.is(checksum(elements), 0xc3be);
  t.is(rfc1071(elements), 0xc3be);
});

test('what was added and removed leaves no trace, not even where the sum came round to zero', (t) => {
  const sum = new PeChecksum();
  sum.add('', 0xffff0000);
  t.is(sum.value, 0);
  sum.add('', 0xffff);
  t.is(sum.value, 0);
  sum.remove('', 0xffff0000);
  t.is(sum.value, 0);
  sum.remove('', 0xffff);
  t.is(sum.value, 0xffff);
  sum.add('\0\0', 0);
  t.is(sum.value, 0xffff);
  sum.remove('\0\0', 0);
  t.is(sum.value, 0xffff);
});

test('however elements come and go, the checksum is that of RFC 1071 over those that are there', (t) => {
  const handle = fc.uint8Array({ maxLength: 9 }).map(bytesToPoolHandle);
  const identifier = fc.oneof(fc.constantFrom(0, 1, 0xffff, 0xffff0000, 0xffffffff), fc.nat({ max: 0xffffffff }));
  const element = fc.tuple(handle, identifier);
  fc.assert(
    fc.property(fc.array(fc.tuple(element, fc.boolean()), { maxLength: 30 }), (all) => {
      const sum = new PeChecksum();
      for (const [[name, id]] of all) sum.add(name, id);
      for (const [[name, id], stays] of all) if (!stays) sum.remove(name, id);
      t.is(sum.value, rfc1071(all.filter(([, stays]) => stays).map(([one]) => one)));
    }),
  );
});
