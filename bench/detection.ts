/**
 * How long a failed element stays in the answers of three registrars. Elements are processes; one after the other is
 * killed (-9, so its connection breaks) or frozen (SIGSTOP, so it does not), and replaced. At each registrar one user
 * asks for the pool all the time, and another one is subscribed and only listens. Measured is from the signal to the
 * first answer, and the first push, without the element.
 *
 *   npm run bench -- detection
 *   node dist/bench/detection.js [--kills 20] [--freezes 10] [--keep-alive-interval 1000] [--keep-alive-timeout 400]
 *
 * KILLS and FREEZES in the environment are the defaults.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AsapWatch } from './detection/asap-watch.js';
import { median, quantile, table } from './session/statistics.js';
import { RegistrarProcess, registrarHosts } from './takeover/registrar-process.js';
import { poolHandle, type Report } from './takeover/reports.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: process.env.KILLS ?? '20' },
    freezes: { type: 'string', default: process.env.FREEZES ?? '10' },
    'keep-alive-interval': { type: 'string', default: '1000' },
    'keep-alive-timeout': { type: 'string', default: '400' },
  },
});
const asapPort = 3863;
const interval = Number(values['keep-alive-interval']);
const timeout = Number(values['keep-alive-timeout']);
const elementsAtATime = 3;

interface Element {
  readonly child: ChildProcess;
  readonly identifier: number;
}

interface Times {
  /** The first of the three registrars: the element's home. */
  readonly atHome: number;
  /** The last of the three registrars. */
  readonly gone: number;
  readonly told: number;
}

const hosts = registrarHosts(3);
const words = [
  ...['--heartbeat-cycle', '1000'],
  ...['--keep-alive-interval', `${interval}`, '--keep-alive-timeout', `${timeout}`],
];
const registrars = hosts.map((host) => new RegistrarProcess(host, hosts, words));
const children = new Set<ChildProcess>();
const watches: { readonly asking: AsapWatch[]; readonly subscribed: AsapWatch[] } = { asking: [], subscribed: [] };

async function stop(): Promise<void> {
  for (const watch of [...watches.asking, ...watches.subscribed]) watch.close();
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(registrars.map((registrar) => registrar.kill()));
}

async function startElement(): Promise<Element> {
  const file = fileURLToPath(new URL('./takeover/elements.js', import.meta.url));
  const child = fork(file, [hosts.join(), '1', 'free']);
  children.add(child);
  const [what] = (await once(child, 'message')) as [Report];
  if (what.type !== 'ready') throw new Error(`unexpected ${what.type}`);
  const [identifier] = what.identifiers as [number];
  const all = [...watches.asking, ...watches.subscribed];
  await Promise.all(all.map((watch) => watch.sees(identifier, 'present')));
  return { child, identifier };
}

async function fail({ child, identifier }: Element, signal: 'SIGKILL' | 'SIGSTOP'): Promise<Times> {
  const begun = performance.now();
  const since = async (all: readonly AsapWatch[]): Promise<number[]> => {
    const times = await Promise.all(all.map((watch) => watch.sees(identifier, 'gone')));
    return times.map((time) => time - begun);
  };
  child.kill(signal);
  const [gone, told] = await Promise.all([since(watches.asking), since(watches.subscribed)]);
  child.kill('SIGKILL');
  children.delete(child);
  return { atHome: Math.min(...gone), gone: Math.max(...gone), told: Math.max(...told) };
}

process.once('SIGINT', () => void stop().then(() => process.exit(1)));
console.log(
  `Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}\n`,
);
try {
  await Promise.all(registrars.map((registrar) => registrar.start()));
  for (const host of hosts) {
    watches.asking.push(await AsapWatch.open(host, asapPort, poolHandle, 'asks'));
    watches.subscribed.push(await AsapWatch.open(host, asapPort, poolHandle, 'subscribed'));
  }
  const elements: Element[] = [];
  for (let i = 0; i < elementsAtATime; i++) elements.push(await startElement());
  const run = async (count: number, signal: 'SIGKILL' | 'SIGSTOP'): Promise<Times[]> => {
    const times: Times[] = [];
    for (let i = 0; i < count; i++) {
      // At any time between two keep-alives.
      await pause(Math.random() * 200);
      times.push(await fail(elements.shift() as Element, signal));
      elements.push(await startElement());
    }
    return times;
  };
  const killed = await run(Number(values.kills), 'SIGKILL');
  const frozen = await run(Number(values.freezes), 'SIGSTOP');

  const row = (name: string, times: readonly number[], goal: number): string[] => {
    const worst = Math.max(...times);
    if (worst > goal) process.exitCode = 1;
    const figures = [median(times), quantile(times, 0.95), worst].map((time) => time.toFixed(0));
    return [name, `${times.length}`, ...figures, `${goal}`, worst > goal ? 'FAIL' : 'ok'];
  };
  const rows = (name: string, times: readonly Times[], goal: number): string[][] => [
    row(
      `${name}: gone from the answers of its home`,
      times.map(({ atHome }) => atHome),
      goal,
    ),
    row(
      `${name}: gone from the answers of all`,
      times.map(({ gone }) => gone),
      goal,
    ),
    row(
      `${name}: subscribers of all told`,
      times.map(({ told }) => told),
      goal,
    ),
  ];
  console.log(
    table([
      ['ms', 'times', 'median', '95 %', 'worst', 'goal', ''],
      ...(killed.length > 0 ? rows('killed', killed, 100) : []),
      // One second after the keep-alive time, half of which more an interval may take, to acknowledge included.
      ...(frozen.length > 0 ? rows('frozen', frozen, interval + 1_000) : []),
    ]),
  );
  console.log(`\nkeep-alives every ${interval} ms +-50 %, to be acknowledged within ${timeout} ms`);
} finally {
  await stop();
}
process.exit();
