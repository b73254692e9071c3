/**
 * `npm run simulate -- [--seeds 1000] [--from 1]`: runs that many seeds of the simulation and prints what they came to.
 * `npm run simulate -- --seed N [--trace]`: runs one, and prints everything that happened in it. The last line is
 * `N passed, N failed`. `--enrp`: the simulation of registrars instead of that of sessions; the exit code is 0 only if something passed and nothing failed.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runSeeds, simulations } from './seeds.mjs';
import { build, install, root } from './setup.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    enrp: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
  },
});

const dist = join(root, 'dist');
const simulation = values.enrp ? simulations.enrp : simulations.sessions;
const total = { passed: 0, failed: 0 };
const faults = {};
const longest = { agreedAfter: 0, recoveredAfter: 0 };

function add(result) {
  total.passed++;
  for (const [name, value] of Object.entries(result)) {
    if (name in longest) longest[name] = Math.max(longest[name], value);
    else if (typeof value === 'number') total[name] = (total[name] ?? 0) + value;
  }
  for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
}

function fail(seed, message) {
  total.failed++;
  console.log(`${message}\n  npm run simulate -- --seed ${seed}${values.enrp ? ' --enrp' : ''} --trace`);
}

async function runOne(seed) {
  const { runSeed } = await import(join(dist, simulation));
  try {
    const result = await runSeed(seed, values.trace ? (line) => console.log(line) : undefined);
    add(result);
    console.log(`seed ${seed}: trace ${result.hash}`);
  } catch (error) {
    fail(seed, error.message);
  }
}

async function runMany(from, count) {
  await runSeeds({
    dist,
    from,
    count,
    threads: Number(values.threads),
    simulation,
    onResult: ({ seed, result, error }) => (error === undefined ? add(result) : fail(seed, error)),
  });
}

function report(seconds) {
  const each = (number) => Math.round(number / seconds).toLocaleString('en');
  const all = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
  if (total.passed === 0) return;
  console.log(`${seconds.toFixed(1)} s, ${(total.time / 1000 / seconds).toFixed(0)} times as fast as real time`);
  if (values.enrp) {
    console.log(`${all} faults (${kinds.join(', ')}), ${total.takeovers} takeovers, ${total.resolutions} resolutions`);
    const { agreedAfter, recoveredAfter } = longest;
    console.log(`at most ${agreedAfter.toFixed(0)} ms to agree, ${recoveredAfter.toFixed(0)} ms to recover`);
    return;
  }
  console.log(
    `${each(total.events)} events and ${each(total.messages)} messages a second, ${each(all)} faults a second`,
  );
  console.log(
    `${all} faults (${kinds.join(', ')}), ${total.failovers} failovers, ${total.detections} detections timed`,
  );
}

await install();
if (!(await build())) {
  console.log('0 passed, 1 failed');
  process.exit(1);
}
const started = performance.now();
if (values.seed === undefined) await runMany(Number(values.from), Number(values.seeds));
else await runOne(Number(values.seed));
report((performance.now() - started) / 1000);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
