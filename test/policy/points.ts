import type { Random } from '../../lib/random.js';

/** Chance that makes `drawBelow` draw just these points, which must be below its bound. */
export function pointsRandom(...points: readonly number[]): Random {
  const words = points.flatMap((point) => [Math.floor(point / 2 ** 32), point % 2 ** 32]);
  const next = (): number => {
    const word = words.shift();
    if (word === undefined) throw new Error('no more points');
    return word;
  };
  return { uniform: () => next() / 2 ** 32, identifier: next, bytes: (length) => new Uint8Array(length).map(next) };
}
