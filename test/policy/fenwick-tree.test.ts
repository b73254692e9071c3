import test from 'ava';
import fc from 'fast-check';
import { FenwickTree } from '../../lib/policy/fenwick-tree.js';

function treeOf(weights: readonly number[]): FenwickTree {
  const tree = new FenwickTree();
  for (const weight of weights) tree.push(weight);
  return tree;
}

test('each point of the sum falls on the item that covers it', (t) => {
  const tree = treeOf([2, 0, 3, 1, 0]);
  t.is(tree.total, 6);
  t.deepEqual(
    [0, 1, 2, 3, 4, 5].map((point) => tree.find(point)),
    [0, 0, 2, 2, 2, 3],
  );
});

test('sums of 100,000 of the greatest weights are exact', (t) => {
  const most = 0xffff_ffff;
  const tree = treeOf(Array<number>(100_000).fill(most));
  t.is(tree.total, most * 100_000);
  for (const index of [0, 1, 65_535, 65_536, 99_999]) {
    t.is(tree.find(index * most), index);
    t.is(tree.find(index * most + most - 1), index);
  }
  tree.add(50_000, 1 - most);
  t.is(tree.find(50_000 * most), 50_000);
  t.is(tree.find(50_000 * most + 1), 50_001);
});

test('under any changes points are found as by adding up', (t) => {
  const weight = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffff_ffff }));
  const step = fc.oneof(fc.record({ at: fc.constant(undefined), weight }), fc.record({ at: fc.nat(1000), weight }));
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 300, size: 'max' }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (steps, part) => {
        const tree = new FenwickTree();
        const weights: number[] = [];
        for (const { at, weight } of steps) {
          if (at === undefined || weights.length === 0) {
            tree.push(weight);
            weights.push(weight);
          } else {
            const index = at % weights.length;
            tree.add(index, weight - (weights[index] as number));
            weights[index] = weight;
          }
        }
        const total = weights.reduce((sum, one) => sum + one, 0);
        t.is(tree.total, total);
        t.is(tree.size, weights.length);
        if (total === 0) return;
        const point = Math.floor(part * total);
        let sum = 0;
        const expected = weights.findIndex((one) => {
          sum += one;
          return sum > point;
        });
        t.is(tree.find(point), expected);
      },
    ),
    { numRuns: 300 },
  );
});
