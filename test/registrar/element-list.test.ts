import test from 'ava';
import fc from 'fast-check';
import { ElementList } from '../../lib/registrar/element-list.js';

test('holds the elements that a set would hold, whatever came and went', (t) => {
  const step = fc.record({ type: fc.constantFrom('add', 'delete'), which: fc.nat(7) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const elements = Array.from({ length: 8 }, (_, identifier) => ({ identifier, listPlace: -1 }));
      const list = new ElementList<(typeof elements)[number]>();
      const set = new Set<(typeof elements)[number]>();
      for (const { type, which } of steps) {
        const element = elements[which] as (typeof elements)[number];
        if (type === 'add') {
          list.add(element);
          set.add(element);
        } else {
          list.delete(element);
          set.delete(element);
        }
        t.is(list.size, set.size);
        t.deepEqual([...list].map(identifierOf).sort(), [...set].map(identifierOf).sort());
      }
    }),
  );
});

function identifierOf({ identifier }: { readonly identifier: number }): number {
  return identifier;
}
