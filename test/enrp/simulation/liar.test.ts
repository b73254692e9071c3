import test from 'ava';
import { runLiar } from './liar.js';

const seeds = Number(process.env.LIAR_SEEDS ?? 12);

test(`${seeds} seeds with a peer that lies: others' elements are back within a heartbeat cycle and an audit, and limits hold`, (t) => {
  const failed: string[] = [];
  const lies = new Set<string>();
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = runLiar(seed);
    for (const lie of Object.keys(outcome.lies)) lies.add(lie);
    if (outcome.wrong.length > 0) failed.push(`seed ${seed}: ${outcome.wrong.join('; ')}`);
  }
  t.deepEqual(failed, []);
  // All of them were told.
  t.is(lies.size, 11);
});
