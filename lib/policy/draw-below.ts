/** Whole numbers by chance, every one exactly as likely as the others. */

import type { Random } from '../random.js';

/** 2^53: up to here a number holds every whole number. */
const range = 0x20_0000_0000_0000;

/** A 32-bit word of chance: all that `Random` promises to have. */
function word(random: Random): number {
  return Math.floor(random.uniform() * 0x1_0000_0000);
}

/**
 * A whole number in [0, bound), uniform, for whole bounds from 1 to 2^53. Scaling one draw would do for small bounds
 * only: a sum of large weights has more values than a draw has, so some small weights would never come up.
 */
export function drawBelow(random: Random, bound: number): number {
  for (;;) {
    const value = (word(random) & 0x1f_ffff) * 0x1_0000_0000 + word(random);
    // The multiple of `bound` at or below: several times faster than `%` at this size.
    let lowest = Math.floor(value / bound) * bound;
    // The quotient was rounded, so it can be one too many.
    if (lowest > value) lowest -= bound;
    // The last, incomplete run of `bound` values would favour the small ones.
    if (lowest <= range - bound) return value - lowest;
  }
}
