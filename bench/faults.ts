/**
 * A pool under faults: three element processes, a client with 500 requests a second whose handlers answer after 0 to
 * 20 ms, a tenth in three messages. The element that serves is killed (and replaced by a new process) or frozen (and
 * thawed later), again and again. Each request must be answered exactly once, and executed twice only where the second
 * execution was marked as redelivered. Beside it, in the same run and under the same load, a hand-made client over bare
 * net that reconnects to the next of three servers and sends again, which are killed in turns with the elements.
 *
 *   npm run bench -- faults
 *   node dist/bench/faults.js [--kills 20] [--freezes 20]
 *
 * KILLS and FREEZES in the environment are the defaults. The exit code is 1 when a request was lost, answered twice or
 * wrongly, or executed twice without a mark.
 */

import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect, createRegistrar, type Message, OperationalScope, type Socket } from '../lib/index.js';
import { Ledger } from './faults/ledger.js';
import { encodeRequest, idOf, interval, partOf, partsOf } from './faults/load.js';
import { NetClient } from './faults/net-client.js';
import { ServingProcesses } from './faults/processes.js';
import { median, quantile, table } from './session/statistics.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: process.env.KILLS ?? '20' },
    freezes: { type: 'string', default: process.env.FREEZES ?? '20' },
  },
});

/** Milliseconds: from the failover to the thaw, between faults, and for the last answers. */
const frozenFor = 500;
const settling = 700;
const lastAnswers = 10_000;

const registrar = createRegistrar({ port: 0 });
const registrarAddress = await new Promise<string>((resolve, reject) => {
  registrar.on('error', reject).listen(({ host, port }) => resolve(`${host}:${port}`));
});

const ledger = new Ledger();
const netLedger = new Ledger();
const elements = new ServingProcesses('./element.js', [registrarAddress], ({ id, redelivered }) =>
  ledger.executed(id, redelivered),
);
const servers = new ServingProcesses('./net-server.js', [], () => {});
await Promise.all(Array.from({ length: 3 }, () => Promise.all([elements.start(), servers.start()])));

let failovers = 0;
/** A fault was made, and the session has not left that element yet. */
let faultPending = false;
let failoversWithoutFault = 0;
const failures: Error[] = [];

const scope = new OperationalScope({ registrars: registrarAddress });
const socket: Socket = connect({ poolHandle: 'faults', scope });
socket.on('error', (error) => failures.push(error));
socket.on('failover', ({ cause }) => {
  failovers++;
  if (!faultPending) {
    failoversWithoutFault++;
    console.log(`a failover without a fault: ${cause.message}`);
  }
  faultPending = false;
});
// An answer to what was answered already would be the application's.
socket.on('message', (message: Message) => ledger.answered(idOf(message.data)));
await once(socket, 'connect');
const netClient = new NetClient(
  () => servers.identities,
  (id) => netLedger.answered(id),
);

async function request(): Promise<void> {
  const id = ledger.open();
  try {
    const answer = await socket.request(encodeRequest(id));
    const got = [...answer.earlier, answer];
    const whole =
      got.length === partsOf(id) && got.every(({ data }, at) => idOf(data) === id && partOf(data) === at + 1);
    if (whole) ledger.answered(id);
    else ledger.wrong++;
  } catch (error) {
    failures.push(error as Error);
  }
}

const begun = performance.now();
const load = setInterval(() => {
  // Timers are late; the rate is kept all the same.
  const due = (performance.now() - begun) / interval;
  while (ledger.requests < due) void request();
  while (netLedger.requests < due) netClient.request(netLedger.open());
}, interval);

function serving(): number {
  const identifier = socket.element?.identifier;
  if (identifier === undefined) throw new Error('no element serves');
  return identifier;
}

async function kill(): Promise<number> {
  const target = serving();
  const before = failovers;
  const gap = ledger.gap(() => failovers > before);
  faultPending = true;
  elements.signal(target, 'SIGKILL');
  const time = await gap;
  await elements.start();
  return time;
}

async function killNet(): Promise<number> {
  const before = netClient.reconnections;
  const gap = netLedger.gap(() => netClient.reconnections > before);
  servers.signal(netClient.port, 'SIGKILL');
  const time = await gap;
  await servers.start();
  return time;
}

async function freeze(): Promise<number> {
  const target = serving();
  const before = failovers;
  const gap = ledger.gap(() => failovers > before);
  faultPending = true;
  elements.signal(target, 'SIGSTOP');
  const time = await gap;
  await pause(frozenFor);
  elements.signal(target, 'SIGCONT');
  return time;
}

const killed: number[] = [];
const killedNet: number[] = [];
const frozen: number[] = [];
await pause(settling);
for (let fault = 0; fault < Math.max(Number(values.kills), Number(values.freezes)); fault++) {
  if (fault < Number(values.kills)) {
    killed.push(await kill());
    await pause(settling);
    killedNet.push(await killNet());
    await pause(settling);
  }
  if (fault < Number(values.freezes)) {
    frozen.push(await freeze());
    await pause(settling);
  }
  process.stderr.write(`\rfault ${fault + 1} `);
}
process.stderr.write('\n');
clearInterval(load);
const until = performance.now() + lastAnswers;
while ((ledger.unanswered > 0 || netLedger.unanswered > 0) && performance.now() < until) await pause(50);
// What a thawed element might still execute or answer too late.
await pause(settling);

function row(name: string, gaps: readonly number[]): string[] {
  const figures = gaps.length === 0 ? [] : [median(gaps), quantile(gaps, 0.95), Math.max(...gaps)];
  return [name, `${gaps.length}`, ...figures.map((figure) => figure.toFixed(1))];
}

console.log(
  `Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}\n`,
);
console.log(
  table([
    ['longest time without an answer', 'faults', 'median ms', '95 %', 'worst'],
    row('element killed', killed),
    row('element frozen', frozen),
    row('net server killed, hand-made client', killedNet),
  ]),
);
console.log(`\nkilled, pool to net: ${(median(killed) / median(killedNet)).toFixed(2)} (medians)\n`);
console.log(
  table([
    ['requests', `${ledger.requests}`],
    ['not answered', `${ledger.unanswered}`],
    ['answered twice', `${ledger.answeredTwice}`],
    ['wrong answers', `${ledger.wrong}`],
    ['executed twice, marked redelivered', `${ledger.executedTwice - ledger.executedTwiceUnmarked}`],
    ['executed twice, unmarked', `${ledger.executedTwiceUnmarked}`],
    ['failovers', `${failovers}`],
    ['failovers without a fault', `${failoversWithoutFault}`],
    ['net: requests', `${netLedger.requests}`],
    ['net: not answered', `${netLedger.unanswered}`],
  ]),
);
for (const failure of new Set(failures.map(String))) console.error(failure);
const bad = ledger.unanswered + ledger.answeredTwice + ledger.wrong + ledger.executedTwiceUnmarked + failures.length;
netClient.stop();
await Promise.all([elements.stop(), servers.stop()]);
process.exit(bad > 0 ? 1 : 0);
