import test from 'ava';
import fc from 'fast-check';
import { drawBelow } from '../../lib/policy/draw-below.js';
import { seededRandom } from '../../lib/random.js';
import { chiSquareProbability, upperGamma } from './chi-square.js';
import { pointsRandom } from './points.js';

test('the chi-square test knows the tables', (t) => {
  for (const [degrees, statistic, probability] of [
    [1, 3.8415, 0.05],
    [1, 6.6349, 0.01],
    [9, 16.919, 0.05],
    [30, 50.892, 0.01],
    [99, 99.334, 0.4713],
  ] as const) {
    t.true(Math.abs(upperGamma(degrees / 2, statistic / 2) - probability) < 0.0005);
  }
  t.true(chiSquareProbability([520, 480], [1, 1]) > 0.2);
  t.true(chiSquareProbability([600, 400], [1, 1]) < 1e-9);
});

test('every whole number below the bound is equally likely', (t) => {
  const random = seededRandom(11);
  for (const bound of [1, 2, 7, 100]) {
    const counts = Array<number>(bound).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const index = drawBelow(random, bound);
      counts[index] = (counts[index] as number) + 1;
    }
    t.true(chiSquareProbability(counts, Array<number>(bound).fill(1)) > 0.01);
  }
});

test('low bits of a large bound are as even as high ones', (t) => {
  const random = seededRandom(12);
  const bound = 0xffff_ffff * 100_000;
  const low = Array<number>(16).fill(0);
  const high = Array<number>(16).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = drawBelow(random, bound);
    low[value % 16] = (low[value % 16] as number) + 1;
    const index = Math.floor((value / bound) * 16);
    high[index] = (high[index] as number) + 1;
  }
  t.true(chiSquareProbability(low, Array<number>(16).fill(1)) > 0.01);
  t.true(chiSquareProbability(high, Array<number>(16).fill(1)) > 0.01);
});

test('what is drawn from the incomplete run at the end is drawn again', (t) => {
  const bound = 2 ** 52 + 1;
  t.is(drawBelow(pointsRandom(bound - 1), bound), bound - 1);
  t.is(drawBelow(pointsRandom(bound, 2 ** 53 - 1, 5), bound), 5);
  t.is(drawBelow(pointsRandom(2 ** 53 - 1), 2 ** 53), 2 ** 53 - 1);
});

test('the rest of a division is exact for any bound', (t) => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
      const bound = Math.abs(b) + 1;
      const value = Math.abs(a);
      const complete = BigInt(value) - (BigInt(value) % BigInt(bound)) + BigInt(bound) <= 2n ** 53n;
      const drawn = drawBelow(pointsRandom(value, 0), bound);
      t.is(BigInt(drawn), complete ? BigInt(value) % BigInt(bound) : 0n);
    }),
    { numRuns: 2000 },
  );
});
