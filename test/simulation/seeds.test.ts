/** The main test: whole pools in virtual time, under seeded faults. `npm run simulate` runs more seeds. */

import test from 'ava';
import { regressions } from './regressions.js';
import { runSeed } from './simulation.js';

const seeds = 200;

test('no seed breaks a promise', async (t) => {
  const failures: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await runSeed(seed);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  t.deepEqual(failures, []);
});

test('a seed always gives the same trace, and another seed another', async (t) => {
  const first = await runSeed(7);
  const again = await runSeed(7);
  const other = await runSeed(8);
  t.is(again.hash, first.hash);
  t.is(again.events, first.events);
  t.not(other.hash, first.hash);
});

test('nothing fails over while nothing fails', async (t) => {
  const control = await runSeed(20);
  t.is(control.failovers, 0);
  t.true(control.messages >= 2000);
});

for (const { seed, bug } of regressions) {
  test(`seed ${seed} passes since it is no longer so that ${bug}`, async (t) => {
    await t.notThrowsAsync(runSeed(seed));
  });
}
