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

test('a queue that was long and then stays short keeps its order while it gives room back', (t) => {
  const fifo = new Fifo<{ readonly number: number }>();
  let pushed = 0;
  let shifted = 0;
  const push = (count: number): void => {
    for (let i = 0; i < count; i++) fifo.push({ number: pushed++ });
  };
  push(5000);
  for (let i = 0; i < 30_000; i++) {
    t.is(fifo.shift()?.number, shifted++);
    if (fifo.length < 5) push(3);
  }
  t.is(fifo.length, pushed - shifted);
  t.deepEqual(
    fifo.list().map(({ number }) => number),
    Array.from({ length: fifo.length }, (_, i) => shifted + i),
  );
});
