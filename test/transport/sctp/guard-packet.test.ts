import test from 'ava';
import { writeChecksum } from '../../../lib/transport/sctp/guard/crc32c.js';
import { guardOptions } from '../../../lib/transport/sctp/guard/guard-options.js';
import { guardPacket } from '../../../lib/transport/sctp/guard/guard-packet.js';
import { readPackets } from './captures.js';
import { validVectors } from './chunk-vectors.js';
import { malformedVectors } from './malformed-vectors.js';
import { dataChunk, packetOf } from './packets.js';

const checking = guardOptions({ extensions: 'check' });

for (const { name, chunks, extension } of validVectors) {
  test(`passes ${name}`, (t) => {
    const packet = packetOf(chunks);
    t.deepEqual(guardPacket(packet, undefined, checking), { type: 'pass' });
    const verdict = guardPacket(packet);
    if (extension === undefined) t.is(verdict.type, 'pass');
    else t.like(verdict, { type: 'drop', reason: 'extensionNotTaken', offset: 12 });
  });

  test(`no truncation of ${name} throws or keeps its checksum`, (t) => {
    const packet = packetOf(chunks);
    for (let length = 0; length < packet.length; length++) {
      t.is(guardPacket(packet.subarray(0, length), undefined, checking).type, 'drop');
    }
  });

  test(`truncations of ${name} pass only where a chunk ends`, (t) => {
    const packet = packetOf(chunks);
    const ends = chunkEnds(packet);
    for (let length = 12; length < packet.length; length++) {
      const cut = packet.slice(0, length);
      writeChecksum(cut);
      t.is(guardPacket(cut, undefined, checking).type, ends.has(length) ? 'pass' : 'drop', `${length} bytes`);
    }
  });
}

/** Where the chunks of a well-formed packet end, their padding included. */
function chunkEnds(packet: Uint8Array): Set<number> {
  const ends = new Set<number>();
  for (let at = 12; at < packet.length; ends.add(at)) at += ((packet[at + 2]! << 8) + packet[at + 3]! + 3) & ~3;
  return ends;
}

for (const { name, chunks, extension, reason, at } of malformedVectors) {
  test(`drops ${name}`, (t) => {
    const packet = packetOf(chunks);
    t.like(guardPacket(packet, undefined, checking), { type: 'drop', reason, offset: 12 + at });
    if (extension !== undefined) t.is(guardPacket(packet).type, 'drop');
  });
}

test('every fault names the section or the limit that it breaks', (t) => {
  for (const { name, chunks } of malformedVectors) {
    const verdict = guardPacket(packetOf(chunks), undefined, checking);
    t.true(verdict.type === 'drop' && /^RFC \d{4} (section \d|appendix A)/.test(verdict.section), name);
  }
});

test('every captured packet passes', (t) => {
  const packets = readPackets();
  t.true(packets.length > 60);
  for (const { name, bytes } of packets) t.deepEqual(guardPacket(bytes), { type: 'pass' }, name);
});

test('any wrong bit in a captured packet breaks its checksum', (t) => {
  for (const { name, bytes } of readPackets().slice(0, 12)) {
    for (let bit = 32; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      t.like(guardPacket(bytes), { reason: 'checksumMismatch', offset: 8, section: 'RFC 9260 section 6.8' }, name);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
});

test('a packet without chunks, without ports or of odd length is dropped', (t) => {
  t.like(guardPacket(new Uint8Array(11)), { reason: 'packetTooShort', offset: 0 });
  t.like(guardPacket(packetOf('')), { reason: 'noChunk', offset: 12 });
  t.like(guardPacket(packetOf('08000004 0000')), { reason: 'packetNotPadded', offset: 16 });
  const packet = packetOf('08000004');
  packet.fill(0, 0, 2);
  t.like(guardPacket(packet), { reason: 'portZero', offset: 0 });
  packet.fill(1, 0, 2).fill(0, 2, 4);
  t.like(guardPacket(packet), { reason: 'portZero', offset: 2 });
});

test('a Verification Tag of zero belongs to INIT alone', (t) => {
  const init = '01000014 00000001 0000ffff 000a 000a 00000007';
  t.like(guardPacket(packetOf(init, '00000001')), { reason: 'verificationTagNotZero', offset: 12 });
  t.like(guardPacket(packetOf('08000004', '00000000')), { reason: 'verificationTagZero', offset: 12 });
});

test('padding may hold anything', (t) => {
  t.is(guardPacket(packetOf('00030011 00000007 00000000 0000000b 61ffffff')).type, 'pass');
});

test('a packet that is part of a larger buffer is judged by itself', (t) => {
  const packet = packetOf(dataChunk(7));
  const buffer = new Uint8Array(packet.length + 24).fill(0xff);
  buffer.set(packet, 10);
  t.is(guardPacket(buffer.subarray(10, 10 + packet.length)).type, 'pass');
});
