import test from 'ava';
import { type Summary, summarise } from '../../examples/mirror/statistics.js';

const oneToTwenty = Array.from({ length: 20 }, (_, i) => i + 1);

const table: readonly [what: string, values: readonly number[], summary: Summary][] = [
  ['no value', [], { count: 0, median: null, p95: null, worst: null }],
  ['one value', [7], { count: 1, median: 7, p95: 7, worst: 7 }],
  ['the lower one of two in the middle', [4, 1, 3, 2], { count: 4, median: 2, p95: 4, worst: 4 }],
  ['numbers in the order of numbers', [100, 20, 3], { count: 3, median: 20, p95: 100, worst: 100 }],
  ['twenty values: one is beyond 95 %', oneToTwenty, { count: 20, median: 10, p95: 19, worst: 20 }],
  ['tenths, rounded', [1.26, 0.04], { count: 2, median: 0, p95: 1.3, worst: 1.3 }],
];

for (const [what, values, summary] of table) {
  test(`a summary of ${what}`, (t) => {
    const before = [...values];
    t.deepEqual(summarise(values), summary);
    t.deepEqual(values, before);
  });
}
