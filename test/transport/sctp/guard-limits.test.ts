import test from 'ava';
import { type GuardOptions, guardOptions } from '../../../lib/transport/sctp/guard/guard-options.js';
import { guardPacket } from '../../../lib/transport/sctp/guard/guard-packet.js';
import type { DropReason } from '../../../lib/transport/sctp/guard/verdict.js';
import { digits, packetOf, sackChunk } from './packets.js';

type Limit = Exclude<keyof GuardOptions, 'extensions' | 'counter'>;

const limits: readonly [limit: Limit, reason: DropReason, make: (count: number) => Uint8Array][] = [
  ['maxPacketLength', 'packetTooLong', (count) => packetOf(`0a00${digits(count - 12, 4)} ${'c0'.repeat(count - 16)}`)],
  ['maxChunks', 'tooManyChunks', (count) => packetOf('08000004'.repeat(count))],
  [
    'maxParameters',
    'tooManyParameters',
    (count) =>
      packetOf(`0100${digits(20 + 4 * count, 4)} 00000001 0000ffff 000a 000a 00000007 ${'ffff0004'.repeat(count)}`),
  ],
  ['maxCauses', 'tooManyCauses', (count) => packetOf(`0900${digits(4 + 4 * count, 4)} ${'00040004'.repeat(count)}`)],
  [
    'maxGapAckBlocks',
    'tooManyGapAckBlocks',
    (count) =>
      packetOf(
        sackChunk(
          7,
          Array.from({ length: count }, (_, index) => [2 * index + 2, 2 * index + 2]),
        ),
      ),
  ],
  [
    'maxDuplicateTsns',
    'tooManyDuplicateTsns',
    (count) =>
      packetOf(
        `0300${digits(16 + 4 * count, 4)} 00000007 00010000 0000 ${digits(count, 4)} ${'00000007'.repeat(count)}`,
      ),
  ],
];

for (const [limit, reason, make] of limits) {
  test(`${limit} is the most that passes`, (t) => {
    const options = guardOptions({ [limit]: 20 });
    t.is(guardPacket(make(20), undefined, options).type, 'pass');
    t.like(guardPacket(make(24), undefined, options), { type: 'drop', reason, section: 'limit' });
  });
}

test('nested parameters count, over all causes of a packet', (t) => {
  const packet = packetOf('0900001c 0008 000c c1230004 c1230004 000b 000c c1230004 c1230004');
  t.is(guardPacket(packet, undefined, guardOptions({ maxParameters: 4 })).type, 'pass');
  t.like(guardPacket(packet, undefined, guardOptions({ maxParameters: 3 })), {
    reason: 'tooManyParameters',
    offset: 36,
  });
});

test('a limit that is no whole number is refused', (t) => {
  for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => guardOptions({ maxChunks: value }), { instanceOf: RangeError, message: /maxChunks/ });
  }
  t.throws(() => guardOptions({ extensions: 'take' as 'drop' }), { instanceOf: RangeError, message: /extensions/ });
});
