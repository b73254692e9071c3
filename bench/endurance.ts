/**
 * What many sessions and what a far side that never reads cost: two processes, each measured by itself.
 *
 *   npm run bench -- endurance [--sessions 10000] [--seconds 30]
 *
 * 10,000 idle sessions: at most 5 % of a core. 10,000 sessions opened and closed: heap and external memory, after a
 * collection, grow by less than 1 MiB between the second and the last tenth. A peer that never reads, written to at full
 * speed: less than 64 MB above the start, in both processes. The exit code is 1 where one is missed.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, createRegistrar, OperationalScope, type Socket } from '../lib/index.js';
import { cpuTime, cpuTimeOf, type Taken, taken, takenBy } from './endurance/measured.js';
import { table } from './session/statistics.js';

const { values } = parseArgs({
  options: { sessions: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '30' } },
});
const sessions = Number(values.sessions);
const seconds = Number(values.seconds);
const mega = 1024 * 1024;
/** Sessions that are opened at a time, and seconds until what opening cost is over. */
const together = 100;
const settling = 30;

setFlagsFromString('--expose-gc');
globalThis.gc = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;

// A registrar of its own process would be nearer to the truth; here it has nothing to do once all are registered.
const registrar = createRegistrar({ port: 0 });
const address = await new Promise<string>((resolve, reject) => {
  registrar.on('error', reject).listen(({ host, port }) => resolve(`${host}:${port}`));
});
const element = fork(fileURLToPath(new URL('./endurance/element.js', import.meta.url)), [address], {
  execArgv: ['--expose-gc'],
});
await once(element, 'message');
const scope = new OperationalScope({ registrars: address });

async function open(): Promise<Socket> {
  const socket = connect({ poolHandle: 'idle', scope });
  await once(socket, 'connect');
  return socket.resume();
}

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.end();
  await closed;
}

async function both(): Promise<readonly [Taken, Taken]> {
  return [taken(), await takenBy(element)];
}

const rows: string[][] = [['', 'user', 'element', 'goal', '']];
let missed = 0;

function judge(name: string, figures: readonly number[], unit: string, limit: number): void {
  const met = figures.every((figure) => figure <= limit);
  if (!met) missed++;
  rows.push([
    name,
    ...figures.map((figure) => `${figure.toFixed(2)} ${unit}`),
    `<= ${limit} ${unit}`,
    met ? 'ok' : 'missed',
  ]);
}

// First: what the sessions of the others leave behind would hide it.
process.stderr.write('never read\n');
const deaf = connect({ poolHandle: 'deaf', scope });
await once(deaf, 'connect');
const start = await both();
const chunk = Buffer.alloc(64 * 1024, 1);
let accepted = 0;
let writing = true;
const write = (): void => {
  while (writing && deaf.write(chunk)) accepted += chunk.length;
  if (writing) deaf.once('drain', write);
};
write();
const most = [0, 0];
const until = performance.now() + seconds * 1000;
while (performance.now() < until) {
  await pause(500);
  for (const [side, { resident }] of (await both()).entries())
    most[side] = Math.max(most[side] as number, (resident - (start[side]?.resident ?? 0)) / mega);
}
writing = false;
judge(`a peer that never reads, ${seconds} s: most above the start`, most, 'MiB', 61);
deaf.destroy();

process.stderr.write('opened and closed\n');
const held: (readonly [Taken, Taken])[] = [];
for (let tenth = 0; tenth < 10; tenth++) {
  for (let done = 0; done < sessions / 10; done += together) {
    const opened = await Promise.all(Array.from({ length: together }, open));
    await Promise.all(opened.map(close));
  }
  await pause(1500);
  held.push(await both());
}
judge(
  `${sessions} sessions opened and closed: growth between the second and the last tenth`,
  [0, 1].map((side) => ((held[9]?.[side]?.held ?? 0) - (held[1]?.[side]?.held ?? 0)) / mega),
  'MiB',
  1,
);

process.stderr.write('idle\n');
const idle: Socket[] = [];
while (idle.length < sessions) idle.push(...(await Promise.all(Array.from({ length: together }, open))));
await pause(settling * 1000);
const cpu = async (): Promise<readonly [number, number]> => [cpuTime(), await cpuTimeOf(element)];
const idleBegun = performance.now();
const cpuBefore = await cpu();
await pause(seconds * 1000);
const time = performance.now() - idleBegun;
const cpuAfter = await cpu();
const busy = [cpuAfter[0] - cpuBefore[0], cpuAfter[1] - cpuBefore[1]];
const idleAfter = await takenBy(element);
judge(
  `${sessions} idle sessions: of one core`,
  busy.map((cpu) => (100 * cpu) / time),
  '%',
  5,
);
rows.push([
  '  and memory of each',
  ...[0, 1].map(
    (side) =>
      `${(((side === 0 ? taken() : idleAfter).held - (held[9]?.[side]?.held ?? 0)) / sessions / 1024).toFixed(1)} KiB`,
  ),
  '',
  '',
]);
for (let index = 0; index < idle.length; index += together)
  await Promise.all(idle.slice(index, index + together).map(close));

console.log(
  `Node ${process.version}; load average ${loadavg()[0]?.toFixed(1)}; ${(accepted / mega).toFixed(1)} MiB accepted for the peer that never reads\n`,
);
console.log(table(rows));
process.exit(missed > 0 ? 1 : 0);
