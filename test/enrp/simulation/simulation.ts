/** One seed of the ENRP simulation as the commands `simulate -- --enrp` and `planted` run it. */

import { createHash } from 'node:crypto';
import { runScenario } from './scenario.js';

export interface SeedResult {
  readonly seed: number;
  /** Of the trace: the same seed has the same one. */
  readonly hash: string;
  /** Changes of handlespaces. */
  readonly changes: number;
  readonly resolutions: number;
  readonly takeovers: number;
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** From the end of the faults until all agreed, and from the last failure until all was well, in milliseconds. */
  readonly agreedAfter: number;
  readonly recoveredAfter: number;
  /** Milliseconds of virtual time. */
  readonly time: number;
}

/** Runs a seed; throws an error that says all that was wrong. `onLine` gets the trace, line by line. */
export function runSeed(seed: number, onLine?: (line: string) => void): SeedResult {
  const outcome = runScenario(seed);
  for (const line of outcome.trace) onLine?.(line);
  if (outcome.wrong.length > 0) throw new Error(`seed ${seed} ${outcome.wrong.join('; ')}`);
  const { agreedAfter = 0, recoveredAfter = 0, takeovers, faults, resolutions, time } = outcome;
  const hash = createHash('sha256').update(outcome.trace.join('\n')).digest('hex').slice(0, 16);
  const changes = outcome.trace.length;
  return { seed, hash, changes, resolutions, takeovers, faults, agreedAfter, recoveredAfter, time };
}
