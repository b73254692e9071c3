/**
 * Pool sessions beside bare net: two processes, the serving one a child; acknowledgement on; only what was acknowledged
 * counts, and the far side checks a sum of it. The sides run in turns on connections made beforehand; each figure is the
 * median of the ratios of paired runs, with the quartiles of those ratios.
 *
 *   npm run bench -- session
 *   node dist/bench/session.js [--pairs 15] [--only stream,echo,requests,roundTrips,oneWay] [--side pool|net]
 *
 * PAIRS in the environment is the default of --pairs. `--side` runs one side alone, for a profiler.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { netSide, poolSide, type Run, type Side } from './session/sides.js';
import { median, quantile, table } from './session/statistics.js';
import type { Addresses, Workload } from './session/workloads.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: process.env.PAIRS ?? '15' },
    only: { type: 'string', default: 'stream,echo,requests,roundTrips,oneWay' },
    side: { type: 'string' },
  },
});
const pairs = Number(values.pairs);
const mebi = 1024 * 1024;

interface Measured {
  readonly name: string;
  readonly goal: number;
  readonly unit: string;
  readonly scale: number;
}

const measured: Readonly<Record<Workload, Measured>> = {
  stream: { name: '(a) 64 KiB stream into a sink', goal: 0.85, unit: 'MiB/s', scale: mebi },
  echo: { name: '(b) 64 KiB echo', goal: 0.85, unit: 'MiB/s', scale: mebi },
  requests: { name: '(c) 100-byte requests, 256 outstanding', goal: 0.8, unit: 'k/s', scale: 1000 },
  roundTrips: { name: '(d) single round trips', goal: 0.9, unit: 'k/s', scale: 1000 },
  oneWay: { name: '(e) 100-byte messages one way', goal: 12, unit: 'k/s', scale: 1000 },
};

const heading = ['pool session beside net', 'ratio', 'quartiles', 'goal', '', 'pool', 'net', 'unit'];

function row(
  name: string,
  ratios: readonly number[],
  goal: string,
  met: boolean,
  figures: readonly string[],
): string[] {
  const spread = `${quantile(ratios, 0.25).toFixed(2)} - ${quantile(ratios, 0.75).toFixed(2)}`;
  return [name, median(ratios).toFixed(2), spread, goal, met ? 'ok' : 'missed', ...figures];
}

function p99(run: Run): number {
  return quantile(run.latencies ?? [], 0.99);
}

async function compare(workload: Workload, pool: Side, net: Side): Promise<string[][]> {
  const { name, goal, unit, scale } = measured[workload];
  // Compilation is not what is compared.
  for (let run = 0; run < 4; run++) await (run % 2 === 0 ? pool : net)[workload]();
  const runs: { readonly pool: Run; readonly net: Run }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const poolFirst = pair % 2 === 0;
    const first = await (poolFirst ? pool : net)[workload]();
    const second = await (poolFirst ? net : pool)[workload]();
    runs.push(poolFirst ? { pool: first, net: second } : { pool: second, net: first });
  }
  const ratios = runs.map((run) => run.pool.rate / run.net.rate);
  const rates = (['pool', 'net'] as const).map((side) =>
    (median(runs.map((run) => run[side].rate)) / scale).toFixed(1),
  );
  const rows = [row(name, ratios, `>= ${goal}`, median(ratios) >= goal, [...rates, unit])];
  if (workload === 'roundTrips') {
    const slower = runs.map((run) => p99(run.pool) / p99(run.net));
    const times = (['pool', 'net'] as const).map((side) => median(runs.map((run) => p99(run[side]))).toFixed(3));
    rows.push(row('    99th percentile of their times', slower, '<= 1.5', median(slower) <= 1.5, [...times, 'ms']));
  }
  return rows;
}

async function profile(workload: Workload, side: Side): Promise<void> {
  const { name, unit, scale } = measured[workload];
  const runs: Run[] = [];
  for (let run = 0; run < pairs; run++) runs.push(await side[workload]());
  console.log(`${name}: ${(median(runs.map((run) => run.rate)) / scale).toFixed(1)} ${unit}`);
}

const serving = fork(fileURLToPath(new URL('./session/serving.js', import.meta.url)));
serving.on('exit', (code) => {
  console.error(`the serving process ended with ${code}`);
  process.exit(1);
});
const [addresses] = (await once(serving, 'message')) as [Addresses];
const workloads = values.only.split(',').filter((name): name is Workload => name in measured);
if (values.side !== undefined) {
  const side = await (values.side === 'net' ? netSide : poolSide)(addresses);
  for (const workload of workloads) await profile(workload, side);
} else {
  const pool = await poolSide(addresses);
  const net = await netSide(addresses);
  const rows: string[][] = [];
  for (const workload of workloads) {
    process.stderr.write(`${measured[workload].name}\n`);
    rows.push(...(await compare(workload, pool, net)));
  }
  console.log(
    `${pairs} pairs; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}\n`,
  );
  console.log(table([heading, ...rows]));
}
serving.removeAllListeners('exit');
serving.disconnect();
await once(serving, 'exit');
process.exit();
