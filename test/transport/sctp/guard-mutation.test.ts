/** Hostile packets by the hundred thousand: nothing throws, nothing is slow, and what passes passes again. */

import test from 'ava';
import { type Random, seededRandom } from '../../../lib/random.js';
import { AssociationGuard } from '../../../lib/transport/sctp/guard/association-guard.js';
import { writeChecksum } from '../../../lib/transport/sctp/guard/crc32c.js';
import { type GuardOptions, guardOptions } from '../../../lib/transport/sctp/guard/guard-options.js';
import { guardPacket } from '../../../lib/transport/sctp/guard/guard-packet.js';
import { mutate, type Pick, pickFrom, seedPackets } from './mutation.js';
import { dataChunk, packetOf, tag } from './packets.js';

const rounds = 300_000;
const seed = 9260;
const stepsPerByte = 8;

/** The chunks of seeds carry TSNs from 6 on, and so have both sides here. */
function establishedGuard(): AssociationGuard {
  const association = new AssociationGuard(
    { tag, initialTsn: 6, cookie: Uint8Array.of(0xc0, 0xc0, 0xc0, 0xc0) },
    { tag: 0x55667788, initialTsn: 6, inboundStreams: 2 },
  );
  association.noteSent(packetOf(dataChunk(20)));
  return association;
}

test(`${rounds} mutated packets neither throw nor take more than ${stepsPerByte} steps a byte`, (t) => {
  const random: Random = seededRandom(seed);
  const pick: Pick = pickFrom(random);
  const seeds = seedPackets();
  const counter = { steps: 0 };
  const kinds: GuardOptions[] = [
    guardOptions({ counter }),
    guardOptions({ counter, extensions: 'check' }),
    guardOptions({ counter, extensions: 'check', maxChunks: 3, maxParameters: 4, maxCauses: 1, maxGapAckBlocks: 1 }),
  ];
  const association = establishedGuard();
  const reasons = new Map<string, number>();
  let passed = 0;
  let worst = 0;
  for (let round = 0; round < rounds; round++) {
    const packet = mutate(seeds, pick);
    if (round % 2 === 0 && packet.length >= 12) writeChecksum(packet);
    const options = kinds[pick(kinds.length)]!;
    const guard = pick(3) === 0 ? association : undefined;
    counter.steps = 0;
    const verdict = guardPacket(packet, guard, options);
    worst = Math.max(worst, counter.steps / packet.length);
    if (verdict.type === 'pass') {
      passed++;
      if (guardPacket(packet, guard, options).type !== 'pass') t.fail(`round ${round} passes only once`);
      if (guardPacket(packet.slice(), undefined, options).type !== 'pass')
        t.fail(`round ${round} needs the association`);
    } else {
      reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
      if (verdict.offset < 0 || verdict.offset > packet.length) t.fail(`round ${round}: fault outside the packet`);
    }
  }
  t.true(worst <= stepsPerByte, `${worst} steps a byte`);
  // Both sides of every question were asked: mutants pass, and nearly every reason to drop occurs.
  t.true(passed > rounds / 50, `${passed} passed`);
  t.true(reasons.size > 35, [...reasons].join(' '));
});

test('noise from an association that notes it as sent does not throw either', (t) => {
  const random = seededRandom(seed);
  const association = establishedGuard();
  for (let round = 0; round < 5_000; round++) {
    association.noteSent(random.bytes(round % 90));
    const noise = random.bytes(12 + 4 * (round % 20));
    writeChecksum(noise);
    const verdict = guardPacket(noise, association);
    if (verdict.type !== 'drop') t.fail(`round ${round} passes`);
  }
  t.is(association.state, 'established');
});

test('the costliest packets stay within the steps a byte', (t) => {
  const counter = { steps: 0 };
  const options = guardOptions({
    counter,
    extensions: 'check',
    maxChunks: 20_000,
    maxParameters: 20_000,
    maxCauses: 20_000,
  });
  const association = establishedGuard();
  const costly = [
    packetOf('08000004'.repeat(16_000)),
    packetOf(`0900fff0 0008ffec ${'c1230004'.repeat(16_378)}`),
    packetOf(`0900ffec ${'000b0008c1230004'.repeat(8_189)}`),
    packetOf('0a000008c0c0c0c0'),
    packetOf(dataChunk(7).repeat(3_000)),
  ];
  for (const packet of costly) {
    counter.steps = 0;
    t.is(guardPacket(packet, association, options).type, 'pass');
    t.true(counter.steps > packet.length);
    t.true(counter.steps <= stepsPerByte * packet.length);
  }
});
