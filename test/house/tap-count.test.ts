/** `npm test` reports what AVA reported. */

import { pathToFileURL } from 'node:url';
import test from 'ava';
import { root } from './lint.js';

interface TapCounter {
  add(text: string): void;
  end(): { passed: number; failed: number };
}
const { TapCount } = (await import(pathToFileURL(`${root}scripts/tap-count.mjs`).href)) as {
  TapCount: new () => TapCounter;
};

const stream = `TAP version 13
ok 1 - wire › a value goes through
not ok 2 - wire › ok, this one fails
  ---
    message: |
      ok 7 - a line of a message
  ...
# an uncaught exception
not ok 3 - TypeError
ok 4 - left out # SKIP
not ok 5 - to be written # TODO
ok 6 - the last line has no end`;

test('passed and failed tests are counted, skipped ones are neither', (t) => {
  const tap = new TapCount();
  tap.add(stream);
  t.deepEqual(tap.end(), { passed: 2, failed: 2 });
});

test('the pieces that a stream arrives in do not change the sums', (t) => {
  for (let size = 1; size < 20; size++) {
    const tap = new TapCount();
    for (let at = 0; at < stream.length; at += size) tap.add(stream.slice(at, at + size));
    t.deepEqual(tap.end(), { passed: 2, failed: 2 }, `pieces of ${size}`);
  }
});

test('an empty stream has no results', (t) => {
  t.deepEqual(new TapCount().end(), { passed: 0, failed: 0 });
});
