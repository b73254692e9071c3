/**
 * Pool sessions beside bare net, and both beside net with a length before each message, `ws` and `@grpc/grpc-js`: two
 * processes, the serving one a child; acknowledgement on; only what was acknowledged counts, and the far side checks a
 * sum of it. The sides run in turns on connections made beforehand; each figure is the median of the ratios of runs of
 * one round, with the quartiles of those ratios.
 *
 *   npm run bench -- session [--rounds 15] [--only stream,echo,requests,roundTrips,oneWay] [--sides pool,net,framed,ws,grpc]
 *   node dist/bench/session.js --side pool --only requests      one side alone, for a profiler
 *
 * The exit code does not depend on the ratios.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { framedSide } from './session/framed-side.js';
import { grpcSide, wsSide } from './session/library-sides.js';
import { netSide } from './session/net-side.js';
import { poolSide } from './session/pool-side.js';
import type { Run, Side } from './session/runs.js';
import { median, quantile, table } from './session/statistics.js';
import type { Addresses, SideName, Workload } from './session/workloads.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: 'stream,echo,requests,roundTrips,oneWay' },
    sides: { type: 'string', default: 'pool,net,framed,ws,grpc' },
    side: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const mebi = 1024 * 1024;
/** Compilation is not what is compared: so many rounds do not count. */
const warmUp = 8;

interface Measured {
  readonly name: string;
  /** What our sessions are to reach beside bare net. */
  readonly goal: number;
  readonly unit: string;
  readonly scale: number;
}

const measured: Readonly<Record<Workload, Measured>> = {
  stream: { name: '64 KiB writes into a sink', goal: 0.85, unit: 'MiB/s', scale: mebi },
  echo: { name: '64 KiB writes echoed', goal: 0.85, unit: 'MiB/s', scale: mebi },
  requests: { name: '100-byte requests, 256 outstanding', goal: 0.8, unit: 'k/s', scale: 1000 },
  roundTrips: { name: 'single round trips', goal: 0.9, unit: 'k/s', scale: 1000 },
  oneWay: { name: '100-byte messages one way', goal: 12, unit: 'k/s', scale: 1000 },
};

const made: Readonly<Record<SideName, (addresses: Addresses) => Promise<Side>>> = {
  pool: poolSide,
  net: netSide,
  framed: framedSide,
  ws: wsSide,
  grpc: grpcSide,
};
const titles: Readonly<Record<SideName, string>> = {
  pool: 'pool session',
  net: 'net',
  framed: 'net, length-prefixed, corked',
  ws: 'ws',
  grpc: '@grpc/grpc-js',
};

type Sides = ReadonlyMap<SideName, Side>;
type Round = Readonly<Partial<Record<SideName, Run>>>;

const heading = ['beside bare net', 'ratio', 'quartiles', 'goal', '', 'median', 'unit'];

function row(
  name: string,
  rounds: readonly Round[],
  side: SideName,
  of: (run: Run) => number,
  unit: string,
  goal?: string,
  met?: (ratio: number) => boolean,
): string[] {
  const figures = rounds.map((round) => of(round[side] as Run));
  const ratios = rounds.map((round, index) => (figures[index] as number) / of(round.net as Run));
  const spread = `${quantile(ratios, 0.25).toFixed(2)} - ${quantile(ratios, 0.75).toFixed(2)}`;
  const judged = met === undefined ? '' : met(median(ratios)) ? 'ok' : 'missed';
  return [
    name,
    median(ratios).toFixed(2),
    spread,
    goal ?? '',
    judged,
    median(figures).toFixed(unit === 'ms' ? 3 : 1),
    unit,
  ];
}

async function play(workload: Workload, sides: Sides): Promise<Round[]> {
  const names = [...sides.keys()];
  const played: Round[] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const runs: Partial<Record<SideName, Run>> = {};
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + warmUp) % names.length] as SideName;
      runs[name] = await (sides.get(name) as Side)[workload]();
    }
    if (round >= 0) played.push(runs);
  }
  return played;
}

async function compare(workload: Workload, sides: Sides): Promise<string[][]> {
  const { name, goal, unit, scale } = measured[workload];
  const played = await play(workload, sides);
  const rate = (run: Run): number => run.rate / scale;
  const p99 = (run: Run): number => quantile(run.latencies ?? [], 0.99);
  const rows = [[name, '', '', '', '', '', '']];
  for (const side of sides.keys()) {
    const own = side === 'pool';
    rows.push(
      row(
        `  ${titles[side]}`,
        played,
        side,
        rate,
        unit,
        own ? `>= ${goal}` : '',
        own ? (ratio) => ratio >= goal : undefined,
      ),
    );
    if (workload !== 'roundTrips') continue;
    rows.push(
      row(
        '    99th percentile',
        played,
        side,
        p99,
        'ms',
        own ? '<= 1.5' : '',
        own ? (ratio) => ratio <= 1.5 : undefined,
      ),
    );
  }
  return rows;
}

const sideNames = (values.side ?? values.sides).split(',').filter((name): name is SideName => name in made);
const serving = fork(fileURLToPath(new URL('./session/serving.js', import.meta.url)), [sideNames.join(',')]);
serving.on('exit', (code) => {
  console.error(`the serving process ended with ${code}`);
  process.exit(1);
});
const [addresses] = (await once(serving, 'message')) as [Addresses];
const workloads = values.only.split(',').filter((name): name is Workload => name in measured);
const sides = new Map<SideName, Side>();
for (const name of sideNames) sides.set(name, await made[name](addresses));
if (values.side !== undefined) {
  for (const workload of workloads) {
    const { name, unit, scale } = measured[workload];
    const runs: Run[] = [];
    for (let run = 0; run < rounds; run++) runs.push(await (sides.get(sideNames[0] as SideName) as Side)[workload]());
    console.log(`${name}: ${(median(runs.map((run) => run.rate)) / scale).toFixed(1)} ${unit}`);
  }
} else {
  const rows: string[][] = [];
  for (const workload of workloads) {
    process.stderr.write(`${measured[workload].name}\n`);
    rows.push(...(await compare(workload, sides)));
  }
  console.log(
    `${rounds} rounds; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}\n`,
  );
  console.log(table([heading, ...rows]));
}
serving.removeAllListeners('exit');
// It ends when we do.
serving.disconnect();
process.exit();
