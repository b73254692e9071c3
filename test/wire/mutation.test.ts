import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { type Random, seededRandom } from '../../lib/random.js';
import type { Decoded } from '../../lib/wire/decoded.js';
import { wireLimits } from '../../lib/wire/limits.js';
import type { AsapMessage, EnrpMessage } from '../../lib/wire/messages.js';
import { asapVectors } from '../vectors/asap.js';
import { readCaptures } from '../vectors/captures.js';
import { enrpVectors } from '../vectors/enrp.js';
import { toHex } from '../vectors/hex.js';
import { decode, encode, type Protocol } from '../vectors/vector.js';

const rounds = 1_000_000;
const seed = 5354;
/** So low that mutations come up against them. */
const limits = wireLimits({ maxReportedCauses: 1, maxReportedBytes: 24 });

const slab = new Uint8Array(4096);

type Pick = (limit: number) => number;

/** Writes a mutation of one or two seeds into the slab; returns it. */
function mutate(seeds: readonly Uint8Array[], pick: Pick): Uint8Array {
  const seed = seeds[pick(seeds.length)] ?? slab;
  slab.set(seed);
  let length = seed.length;
  for (let edits = 1 + pick(3); edits > 0; edits--) {
    switch (pick(6)) {
      case 0: // flip a bit
        slab[pick(length)]! ^= 1 << pick(8);
        break;
      case 1: // any byte, where extremes are likely
        slab[pick(length)] = [0, 1, 4, 0x7f, 0x80, 0xff, pick(256), pick(256)][pick(8)] ?? 0;
        break;
      case 2: // cut, with the Message Length or without
        length = 1 + pick(length);
        if (pick(2) === 0) writeLength(2, length);
        break;
      case 3: // a length field a little off: those stand two bytes after a multiple of four
        writeLength(2 + 4 * pick(Math.ceil(length / 4)), pick(length + 8));
        break;
      case 4: // a parameter type
        writeLength(
          4 * pick(Math.ceil(length / 4)),
          [0x8253, 0x803f, 0xc011, 0x4011, pick(18), pick(18)][pick(6)] ?? 0,
        );
        break;
      default: // the beginning of one and the end of another, with a true Message Length
        length = splice(seeds[pick(seeds.length)] ?? slab, length, pick);
    }
  }
  return slab.subarray(0, length);
}

function writeLength(offset: number, value: number): void {
  slab[offset] = value >> 8;
  slab[offset + 1] = value & 0xff;
}

function splice(other: Uint8Array, length: number, pick: Pick): number {
  const head = 4 * (1 + pick(Math.ceil(length / 4)));
  const tail = other.subarray(Math.min(4 * (1 + pick(Math.ceil(other.length / 4))), other.length));
  if (head + tail.length > 2048) return length;
  slab.set(tail, head);
  writeLength(2, head + tail.length);
  return head + tail.length;
}

/** What is wrong with the outcome, or undefined. */
function complaint(protocol: Protocol, outcome: Decoded<AsapMessage | EnrpMessage>): string | undefined {
  const causes = outcome.type === 'protocolError' ? [outcome.fault.cause] : outcome.report;
  let reported = 0;
  for (const cause of causes) reported += cause.information.length;
  if (causes.length > limits.maxReportedCauses) return `${causes.length} causes reported`;
  if (reported > limits.maxReportedBytes) return `${reported} bytes reported`;
  if (outcome.type !== 'message') return undefined;
  const again = decode(protocol, encode(protocol, outcome.message), limits);
  if (again.type !== 'message') return `encodes to a ${again.type}`;
  return isDeepStrictEqual(again.message, outcome.message) ? undefined : 'encodes to another message';
}

test(`${rounds} mutated messages: always an outcome, and messages survive encoding`, (t) => {
  const random: Random = seededRandom(seed);
  const pick: Pick = (limit) => Math.floor(random.uniform() * limit);
  const vectors = [...asapVectors, ...enrpVectors, ...readCaptures()];
  const seeds = vectors.map((vector) => vector.bytes);
  const counts = { message: 0, discard: 0, protocolError: 0 };
  let reports = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(seeds, pick);
    const protocol = pick(2) === 0 ? 'asap' : 'enrp';
    const outcome = decode(protocol, bytes, limits);
    counts[outcome.type]++;
    if (outcome.type !== 'protocolError' && outcome.report.length > 0) reports++;
    const wrong = complaint(protocol, outcome);
    if (wrong !== undefined) return t.fail(`round ${round}: ${protocol} ${toHex(bytes)}: ${wrong}`);
  }
  // The mutations are of use only if each outcome is reached often.
  t.log(counts, reports);
  t.true(Math.min(counts.message, counts.discard, counts.protocolError, reports) > rounds / 100);
});
