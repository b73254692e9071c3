import test from 'ava';
import fc from 'fast-check';
import { RankHeap } from '../../lib/policy/rank-heap.js';

interface Item {
  rank: number;
  turn: number;
  slot: number;
}

test('any item can be changed and removed by its slot, and the least come in order', (t) => {
  const key = fc.nat(20);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('add' as const), rank: key }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), rank: key, turns: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.nat(100), (steps, count) => {
      const heap = new RankHeap<Item>();
      let items: Item[] = [];
      for (const [turn, each] of steps.entries()) {
        if (each.type === 'add') {
          const item = { rank: each.rank, turn, slot: -1 };
          items.push(item);
          item.slot = heap.add(item, item.rank, turn);
          continue;
        }
        const item = items[each.at % Math.max(1, items.length)];
        if (item === undefined) continue;
        if (each.type === 'remove') {
          heap.remove(item.slot);
          items = items.filter((other) => other !== item);
        } else {
          item.rank = each.rank;
          if (each.turns) item.turn = turn;
          if (each.turns) heap.update(item.slot, item.rank, turn);
          else heap.setRank(item.slot, item.rank);
        }
      }
      const sorted = items.toSorted((a, b) => a.rank - b.rank || a.turn - b.turn);
      t.is(heap.size, items.length);
      t.deepEqual(heap.smallest(count), sorted.slice(0, count));
      for (const item of items) t.is(heap.rankOf(item.slot), item.rank);
      for (const item of sorted) {
        t.is(heap.smallest(1)[0], item);
        heap.remove(item.slot);
      }
      t.deepEqual(heap.smallest(1), []);
    }),
    { numRuns: 200 },
  );
});
