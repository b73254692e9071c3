/** The queue behaves as an array that is shifted, whatever its length was before. */

import test from 'ava';
import fc from 'fast-check';
import { Fifo } from '../lib/fifo.js';

test('it gives back what was put in, in order, through growth and shrinking', (t) => {
  // Runs of pushes and of shifts: single ones would never fill a large ring.
  const runs = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 3000 })), { maxLength: 20 });
  fc.assert(
    fc.property(runs, (all) => {
      const fifo = new Fifo<{ readonly number: number }>();
      const model: { readonly number: number }[] = [];
      let number = 0;
      for (const [push, count] of all) {
        for (let i = 0; i < count; i++) {
          if (push) {
            const item = { number: number++ };
            fifo.push(item);
            model.push(item);
          } else if (fifo.shift() !== model.shift()) return false;
        }
        if (fifo.length !== model.length || fifo.at(model.length) !== undefined || fifo.at(-1) !== undefined)
          return false;
        if (fifo.at(0) !== model[0] || fifo.at(model.length - 1) !== model.at(-1)) return false;
      }
      const list = fifo.list();
      return list.length === model.length && list.every((item, index) => item === model[index]);
    }),
  );
  t.pass();
});

test('it is empty after clear and can be used again', (t) => {
  const fifo = new Fifo<object>();
  fifo.push({});
  fifo.clear();
  t.is(fifo.length, 0);
  t.is(fifo.at(0), undefined);
  t.is(fifo.shift(), undefined);
  const item = {};
  fifo.push(item);
  t.is(fifo.shift(), item);
});
