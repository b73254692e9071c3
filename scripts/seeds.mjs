/** Runs seeds of the simulation on worker threads: for `simulate` and `planted`. */

import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** The simulations, by name: their compiled modules. */
export const simulations = {
  sessions: 'test/simulation/simulation.js',
  enrp: 'test/enrp/simulation/simulation.js',
};

/**
 * Runs seeds `from` to `from + count - 1` with the compiled simulation in the folder `dist`; `simulation` is its module
 * there, by default that of sessions. `onResult` gets each one's
 * outcome, in no order: `{ seed, result }` or `{ seed, error }`; once it returns true, no further seed is begun.
 */
export async function runSeeds({ dist, from, count, threads, onResult, simulation = simulations.sessions }) {
  const next = new Int32Array(new SharedArrayBuffer(4));
  const run = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { dist, simulation, from, count, next } });
      worker.on('message', (outcome) => {
        if (onResult(outcome) === true) Atomics.store(next, 0, count);
      });
      worker.on('error', reject);
      worker.on('exit', resolve);
    });
  await Promise.all(Array.from({ length: Math.min(threads, count) }, run));
}

if (!isMainThread && workerData?.next !== undefined) {
  const { dist, simulation, from, count, next } = workerData;
  const { runSeed } = await import(new URL(simulation, pathToFileURL(`${dist}/`)));
  for (;;) {
    const index = Atomics.add(next, 0, 1);
    if (index >= count) break;
    const seed = from + index;
    try {
      parentPort.postMessage({ seed, result: await runSeed(seed) });
    } catch (error) {
      parentPort.postMessage({ seed, error: error.message });
    }
  }
}
