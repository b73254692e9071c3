/**
 * Three registrars, 50 elements and 200 users under load, all of them processes. In each round each registrar in turn is
 * killed with -9, and started again when the others have taken over. Half of the elements are held back from looking
 * for another registrar, so that takeover has work. No application request may fail, each takeover is to be done within
 * three heartbeats of the kill, the survivors' checksums are to be equal within one more, and each element is to be
 * registered exactly once.
 *
 *   npm run bench -- takeover
 *   node dist/bench/takeover.js [--rounds 20] [--elements 50] [--users 200] [--heartbeat-cycle 1000]
 *
 * ROUNDS in the environment is the default.
 */

import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median, quantile, table } from './session/statistics.js';
import { Cluster, type Takeover } from './takeover/cluster.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: process.env.ROUNDS ?? '20' },
    elements: { type: 'string', default: '50' },
    users: { type: 'string', default: '200' },
    'heartbeat-cycle': { type: 'string', default: '1000' },
  },
});
const heartbeatCycle = Number(values['heartbeat-cycle']);
const cluster = new Cluster({ elements: Number(values.elements), users: Number(values.users), heartbeatCycle });
process.once('SIGINT', () => void cluster.stop().then(() => process.exit(1)));

console.log(
  `Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}\n`,
);
const takeovers: Takeover[] = [];
const faults: string[] = [];
try {
  await cluster.start();
  await pause(2_000);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const registrar of cluster.registrars) {
      const takeover = await cluster.takeOver(registrar);
      takeovers.push(takeover);
      faults.push(...takeover.faults);
    }
    process.stderr.write(`\rround ${round + 1} `);
  }
  process.stderr.write('\n');
  const counts = await cluster.stopUsers();
  const failures = counts.flatMap((count) => count.failures);
  const sum = (name: 'sessions' | 'requests' | 'answered'): number =>
    counts.reduce((total, count) => total + count[name], 0);

  const row = (name: string, times: readonly number[], goal: number | undefined): string[] => {
    const worst = Math.max(...times);
    const figures = [median(times), quantile(times, 0.95), worst].map((time) => time.toFixed(0));
    const late = goal === undefined ? 0 : times.filter((time) => time > goal).length;
    if (late > 0) faults.push(`${name}: ${late} of ${times.length} above ${goal} ms`);
    return [name, ...figures, goal === undefined ? '' : `${goal}`, goal === undefined ? '' : late > 0 ? 'FAIL' : 'ok'];
  };
  const times = (name: 'done' | 'equal' | 'rejoined'): number[] => takeovers.map((takeover) => takeover[name]);
  const total = (name: 'owned' | 'held'): number => takeovers.reduce((all, takeover) => all + takeover[name], 0);
  console.log(
    table([
      ['ms', 'median', '95 %', 'worst', 'goal', ''],
      row('takeover done, since the kill', times('done'), 3 * heartbeatCycle),
      row('checksums equal, since then', times('equal'), heartbeatCycle),
      row('all three equal, since the start', times('rejoined'), undefined),
    ]),
  );
  console.log('');
  console.log(
    table([
      ['registrars killed', `${takeovers.length}`],
      ['elements that they owned', `${total('owned')}`],
      ['of them held back from moving', `${total('held')}`],
      ['sessions of users', `${sum('sessions')}`],
      ['application requests', `${sum('requests')}`],
      ['answered', `${sum('answered')}`],
      ['failed', `${failures.length}`],
      ['elements not registered exactly once', `${takeovers.flatMap((takeover) => takeover.faults).length}`],
    ]),
  );
  for (const failure of new Set(failures)) console.log(`failed: ${failure}`);
  for (const fault of faults) console.log(`FAIL  ${fault}`);
  if (failures.length > 0 || faults.length > 0 || sum('answered') !== sum('requests')) process.exitCode = 1;
} finally {
  await cluster.stop();
}
process.exit();
