import test from 'ava';
import fc from 'fast-check';
import { carriedChecksum, crc32c, packetChecksum, writeChecksum } from '../../../lib/transport/sctp/guard/crc32c.js';

/** The definition, a bit at a time. */
function slowly(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) === 0 ? 0 : 0x82f63b78);
  }
  return ~register >>> 0;
}

const published: readonly [name: string, bytes: Uint8Array, sum: number][] = [
  ['nothing', new Uint8Array(0), 0],
  ['the digits 1 to 9', new TextEncoder().encode('123456789'), 0xe3069283],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  ['31 to 0', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
];

for (const [name, bytes, sum] of published) {
  test(`the CRC32c of ${name} is the published one`, (t) => {
    t.is(crc32c(bytes), sum);
  });
}

test('the table gives what the definition gives, for every length and alignment', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(8), (bytes, skip) => {
      const part = bytes.subarray(skip);
      t.is(crc32c(part), slowly(part));
    }),
  );
});

test('a packet is summed as if its Checksum field were zero', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 80 }), (packet) => {
      const blank = packet.slice().fill(0, 8, 12);
      t.is(packetChecksum(packet), slowly(blank));
      writeChecksum(packet);
      t.is(carriedChecksum(packet), slowly(blank));
    }),
  );
});
