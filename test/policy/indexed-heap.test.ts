import test from 'ava';
import fc from 'fast-check';
import { IndexedHeap } from '../../lib/policy/indexed-heap.js';

interface Item {
  primary: number;
  secondary: number;
  place: number;
}

test('any item can be changed and removed by its place, and the least come out in order', (t) => {
  const key = fc.nat(20);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('push' as const), primary: key, secondary: key }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), primary: key, secondary: key }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const heap = new IndexedHeap<Item>((item, place) => {
        item.place = place;
      });
      let items: Item[] = [];
      for (const each of steps) {
        if (each.type === 'push') {
          const item = { primary: each.primary, secondary: each.secondary, place: -1 };
          items.push(item);
          heap.push(item, item.primary, item.secondary);
          continue;
        }
        const item = items[each.at % Math.max(1, items.length)];
        if (item === undefined) continue;
        if (each.type === 'remove') {
          heap.remove(item.place);
          items = items.filter((other) => other !== item);
          t.is(item.place, -1);
        } else {
          item.primary = each.primary;
          item.secondary = each.secondary;
          heap.update(item.place, item.primary, item.secondary);
        }
      }
      const sorted = [...items].sort((a, b) => a.primary - b.primary || a.secondary - b.secondary);
      for (const expected of sorted) {
        t.deepEqual([heap.primaryAt(0), heap.secondaryAt(0)], [expected.primary, expected.secondary]);
        t.is(heap.least?.place, 0);
        heap.remove(0);
      }
      t.is(heap.size, 0);
      t.is(heap.least, undefined);
    }),
    { numRuns: 200 },
  );
});
