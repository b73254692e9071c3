/** Makes hostile packets out of good ones. */

import type { Random } from '../../../lib/random.js';
import { readPackets } from './captures.js';
import { validVectors } from './chunk-vectors.js';
import { malformedVectors } from './malformed-vectors.js';
import { packetOf } from './packets.js';

const slab = new Uint8Array(4096);
const extremes = [0, 1, 3, 4, 5, 8, 0x7f, 0x80, 0xc0, 0xff];

/** A whole number below the limit. */
export type Pick = (limit: number) => number;

/** A mutation of one or two seeds, valid until the next one is made. */
export function mutate(seeds: readonly Uint8Array[], pick: Pick): Uint8Array {
  const first = seeds[pick(seeds.length)]!;
  slab.set(first);
  let length = first.length;
  for (let edits = 1 + pick(3); edits > 0; edits--) {
    const word = 4 * pick(Math.ceil(length / 4));
    switch (pick(6)) {
      case 0: // flip a bit
        slab[pick(length)]! ^= 1 << pick(8);
        break;
      case 1: // any byte, where extremes are likely
        slab[pick(length)] = extremes[pick(2 * extremes.length)] ?? pick(256);
        break;
      case 2: // cut, mostly between words
        length = pick(4) === 0 ? 1 + pick(length) : Math.max(4, word);
        break;
      case 3: // a length field: those stand two bytes after a multiple of four
        slab[word + 2] = 0;
        slab[word + 3] = pick(48);
        break;
      case 4: // a chunk type
        slab[word] = [pick(16), pick(256), 0x40, 0x80, 0x82, 0xc0, 0xc1][pick(7)]!;
        break;
      default: {
        // the chunks of another packet behind what there is
        const other = seeds[pick(seeds.length)]!.subarray(12);
        const from = (length + 3) & ~3;
        if (from + other.length > slab.length) break;
        slab.fill(0, length, from);
        slab.set(other, from);
        length = from + other.length;
      }
    }
  }
  return slab.subarray(0, length);
}

export function pickFrom(random: Random): Pick {
  return (limit) => Math.floor(random.uniform() * limit);
}

/** Every chunk there is, good and malformed, and what was captured. */
export function seedPackets(): Uint8Array[] {
  return [
    ...[...validVectors, ...malformedVectors].map(({ chunks }) => packetOf(chunks)),
    ...readPackets().map(({ bytes }) => bytes),
  ];
}
