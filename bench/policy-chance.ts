/** Whether the policies by chance are as fair as they say: chi-square tests over ten million draws each. */

import type { MemberPolicy, PolicyMember } from '../lib/policy/member-policy.js';
import { randomPolicy } from '../lib/policy/random-policy.js';
import { randomizedLeastUsed, weightedRandom } from '../lib/policy/weighted-random.js';
import { seededRandom } from '../lib/random.js';
import type { MemberSelectionPolicy } from '../lib/wire/parameters.js';
import { chiSquareProbability } from '../test/policy/chi-square.js';

interface Member extends PolicyMember {
  readonly index: number;
}

const draws = 10_000_000;
const most = 0xffff_ffff;

function run(name: string, policy: MemberPolicy, values: readonly MemberSelectionPolicy[], shares: readonly number[]) {
  const selector = policy.createSelector<Member>(seededRandom(61));
  for (const [index, each] of values.entries()) selector.add({ index, policy: each, place: -1 });
  const counts = values.map(() => 0);
  for (let i = 0; i < draws; i++) {
    const { index } = selector.select(1)[0] as Member;
    counts[index] = (counts[index] as number) + 1;
  }
  // Where hardly any draw is expected, there is nothing to test but that hardly any came.
  const tested = shares.map((_, i) => i).filter((i) => expected(shares, i) >= 5);
  const pick = (from: readonly number[]) => tested.map((i) => from[i] as number);
  const strays = counts.filter((count, i) => !tested.includes(i) && count > 5).length;
  const probability = chiSquareProbability(pick(counts), pick(shares));
  const passed = probability > 0.01 && strays === 0;
  console.log(`${passed ? 'ok  ' : 'FAIL'}  p = ${probability.toFixed(3)}  ${name}, ${draws} draws`);
  if (!passed) process.exitCode = 1;
}

function expected(shares: readonly number[], index: number): number {
  return (draws * (shares[index] as number)) / shares.reduce((sum, share) => sum + share, 0);
}

function weighted(name: string, weights: readonly number[]): void {
  run(
    name,
    weightedRandom,
    weights.map((weight) => ({ type: 'weightedRandom', weight })),
    weights,
  );
}

const many = Array.from({ length: 1000 }, (_, i) => i + 1);
run('random, 100 elements', randomPolicy, Array(100).fill({ type: 'random' }), Array(100).fill(1));
weighted('weighted random, weights 1 to 1000', many);
weighted('weighted random, weights 1 and 2^32-1 mixed', [1, most, 1, most, most - 1, 2 ** 31, 65_536, 2 ** 22, 1]);
weighted(
  'weighted random, 1000 of 2^32-1 less a little',
  many.map((i) => most - i),
);
run(
  'randomized least used, loads from 0 to full',
  randomizedLeastUsed,
  many.map((i) => ({ type: 'randomizedLeastUsed', load: i === 1000 ? most : i * 4_000_000 })),
  many.map((i) => (i === 1000 ? 0 : most - i * 4_000_000)),
);
