/** Times of answers with something going on and without it, in pairs that are near each other in time. */

import { seededRandom } from '../../lib/random.js';
import { quantile } from '../session/statistics.js';

export interface Pair {
  readonly busy: readonly number[];
  readonly calm: readonly number[];
}

/** Drawn sets of pairs; their quantiles are sure to within a few hundredths. */
const draws = 200;

/** A share's quantile over all answers of some pairs, with and without. */
export function quantiles(pairs: readonly Pair[], share: number): { readonly busy: number; readonly calm: number } {
  return {
    busy: quantile(
      pairs.flatMap(({ busy }) => busy),
      share,
    ),
    calm: quantile(
      pairs.flatMap(({ calm }) => calm),
      share,
    ),
  };
}

/**
 * The ratio of these quantiles, and where nine of ten lie of those of as many pairs drawn from the same ones (bootstrap).
 * Not a median of the pairs' own ratios: one pause of either process holds up all users at once, and the four or five
 * slowest answers of a single pair are one such pause.
 */
export function ratioOfQuantiles(
  pairs: readonly Pair[],
  share: number,
): { readonly ratio: number; readonly from: number; readonly to: number } {
  const random = seededRandom(1);
  const ratios = Array.from({ length: draws }, () =>
    ratioOf(
      pairs.map(() => pairs[Math.floor(random.uniform() * pairs.length)] as Pair),
      share,
    ),
  );
  return { ratio: ratioOf(pairs, share), from: quantile(ratios, 0.05), to: quantile(ratios, 0.95) };
}

function ratioOf(pairs: readonly Pair[], share: number): number {
  const { busy, calm } = quantiles(pairs, share);
  return busy / calm;
}
