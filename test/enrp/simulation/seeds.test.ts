import test from 'ava';
import { runScenario } from './scenario.js';

const seeds = Number(process.env.ENRP_SEEDS ?? 200);

test(`${seeds} seeds: after the faults all registrars come to have the same handlespace, the right one, and keep it so`, (t) => {
  const failed: string[] = [];
  let resolutions = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = runScenario(seed);
    resolutions += outcome.resolutions;
    if (outcome.wrong.length > 0) failed.push(`seed ${seed}: ${outcome.wrong.join('; ')}`);
  }
  t.deepEqual(failed, []);
  t.true(resolutions > seeds * 50, `${resolutions} resolutions`);
});

test('the same seed gives the same trace', (t) => {
  t.deepEqual(runScenario(7).trace, runScenario(7).trace);
  t.notDeepEqual(runScenario(7).trace, runScenario(8).trace);
});
