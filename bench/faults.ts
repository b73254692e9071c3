/**
 * A pool under faults: three element processes, a client with 500 requests a second whose handlers answer after 0 to
 * 20 ms, a tenth in three messages. The element that serves is killed (and replaced by a new process) or frozen (and
 * thawed later), again and again. Each request must be answered exactly once, and executed twice only where the second
 * execution was marked as redelivered.
 *
 * In turns with it, in the same run and under the same load: a hand-made client over bare net that reconnects to the next of
 * three servers and sends again, whose servers are killed in the same way. After them, @grpc/grpc-js with and without
 * retries: its clients take most of a process's time, and neither of the two shall wait for that. The handlers of
 * all do the same, and report their executions. At last the freezes once more with a heartbeat every 50 ms.
 *
 *   npm run bench -- faults [--kills 200] [--freezes 200] [--only pool]
 *
 * The exit code is 1 when a request was lost, answered twice or wrongly, or executed twice without a mark, or when there
 * was a failover without a fault (with heartbeats of 50 ms a busy machine may have that: those do not count).
 */

import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { GrpcRequests } from './faults/grpc-client.js';
import { Ledger } from './faults/ledger.js';
import { interval } from './faults/load.js';
import { NetClient } from './faults/net-client.js';
import { PoolClient } from './faults/pool-client.js';
import { ServingProcesses } from './faults/processes.js';
import { median, quantile, table } from './session/statistics.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    freezes: { type: 'string', default: '200' },
    only: { type: 'string', default: '' },
  },
});
const kills = Number(values.kills);
const freezes = Number(values.freezes);
const alone = values.only === 'pool';

/** Milliseconds: from the failover to the thaw, between faults, and for the last answers. */
const frozenFor = 500;
const settling = 700;
const lastAnswers = 10_000;
const eagerHeartbeat = 50;

const registrars = new ServingProcesses('./registrar.js');
await registrars.start();
const registrarAddress = `127.0.0.1:${registrars.identities[0]}`;

let ledger = new Ledger();
const elements = new ServingProcesses('./element.js', [registrarAddress]);
const netServers = new ServingProcesses('./net-server.js');
const grpcServers = new ServingProcesses('./grpc-server.js');
for (let count = 0; count < 3; count++) {
  await elements.start();
  if (alone) continue;
  await netServers.start();
  await grpcServers.start('0');
}

/** Requests that come 500 times a second, while it runs. */
interface Load {
  run(): void;
  stop(): void;
}

/** Calls `request` with a new number each time. */
function load(into: Ledger, request: (id: number) => void): Load {
  let timer: NodeJS.Timeout | undefined;
  return {
    run() {
      const before = into.requests;
      const begun = performance.now();
      timer = setInterval(() => {
        // Timers are late; the rate is kept all the same.
        const due = before + (performance.now() - begun) / interval;
        while (into.requests < due) request(into.open());
      }, interval);
    },
    stop: () => clearInterval(timer),
  };
}

async function answered(all: readonly Ledger[]): Promise<void> {
  const until = performance.now() + lastAnswers;
  while (all.some(({ unanswered }) => unanswered > 0) && performance.now() < until) await pause(50);
  // What a thawed element might still execute or answer too late.
  await pause(settling);
  elements.executed((id, redelivered) => ledger.executed(id, redelivered));
}

async function kill(client: PoolClient): Promise<number> {
  const before = client.failovers;
  const gap = ledger.gap(() => client.failovers > before);
  client.faultPending = true;
  elements.signal(client.element, 'SIGKILL');
  const time = await gap;
  await elements.start();
  await pause(settling);
  return time;
}

async function freeze(client: PoolClient): Promise<number> {
  const { element, failovers } = client;
  const gap = ledger.gap(() => client.failovers > failovers);
  client.faultPending = true;
  elements.signal(element, 'SIGSTOP');
  const time = await gap;
  await pause(frozenFor);
  elements.signal(element, 'SIGCONT');
  await pause(settling);
  return time;
}

/** What the others have for a client. */
interface Other {
  readonly name: string;
  readonly ledger: Ledger;
  readonly gaps: number[];
  /** Requests that ended with an error: without resending that is what a kill does. */
  failed(): number;
  stop(): void;
}

function overNet(): Other & { killed(): Promise<void>; readonly load: Load } {
  const own = new Ledger();
  const client = new NetClient(
    () => netServers.identities,
    (id) => own.answered(id),
  );
  const gaps: number[] = [];
  return {
    name: 'net server killed, hand-made client that resends',
    ledger: own,
    gaps,
    failed: () => 0,
    async killed() {
      const before = client.reconnections;
      const gap = own.gap(() => client.reconnections > before);
      netServers.signal(client.port, 'SIGKILL');
      gaps.push(await gap);
      await netServers.start();
      await pause(settling);
    },
    load: load(own, (id) => client.request(id)),
    stop: () => client.stop(),
  };
}

function overGrpc(retry: boolean): Other & { readonly client: GrpcRequests } {
  const own = new Ledger();
  const client = new GrpcRequests(grpcServers.identities, retry, (id) => own.answered(id));
  const requests = load(own, (id) => client.request(id));
  requests.run();
  return {
    name: `gRPC server killed, grpc-js ${retry ? 'with' : 'without'} retries`,
    ledger: own,
    gaps: [],
    client,
    failed: () => client.failed,
    stop() {
      requests.stop();
      client.stop();
    },
  };
}

/** Kills the server that serves each of the two, which mostly is the same one. */
async function killGrpc(both: readonly ReturnType<typeof overGrpc>[]): Promise<void> {
  const [first] = both;
  if (first === undefined) return;
  const { port } = first.client;
  const hit = both.filter(({ client }) => client.port === port);
  const gaps = hit.map(({ ledger: own, client }) => {
    const before = client.changes;
    return own.gap(() => client.changes > before);
  });
  grpcServers.signal(port, 'SIGKILL');
  for (const [index, one] of hit.entries()) one.gaps.push((await gaps[index]) as number);
  await grpcServers.start(`${port}`);
  await pause(settling);
}

const client = new PoolClient(registrarAddress, ledger, undefined);
await client.connected();
const requests = load(ledger, (id) => void client.request(id));
const net = alone ? undefined : overNet();
const killed: number[] = [];
const frozen: number[] = [];
requests.run();
await pause(settling);
for (let fault = 0; fault < Math.max(kills, freezes); fault++) {
  if (fault < kills) {
    killed.push(await kill(client));
    if (net !== undefined) {
      requests.stop();
      net.load.run();
      await pause(settling);
      await net.killed();
      net.load.stop();
      requests.run();
      await pause(settling);
    }
  }
  if (fault < freezes) frozen.push(await freeze(client));
  process.stderr.write(`\rfault ${fault + 1} `);
}
requests.stop();
await answered([ledger, ...(net === undefined ? [] : [net.ledger])]);
client.stop();
net?.stop();
const slow = ledger;

const grpc = alone ? [] : [overGrpc(true), overGrpc(false)];
if (!alone) await pause(settling);
for (let fault = 0; fault < kills && !alone; fault++) await killGrpc(grpc);
for (const other of grpc) other.stop();
const others: readonly Other[] = [...(net === undefined ? [] : [net]), ...grpc];

ledger = new Ledger();
const eagerClient = new PoolClient(registrarAddress, ledger, eagerHeartbeat);
await eagerClient.connected();
const eagerRequests = load(ledger, (id) => void eagerClient.request(id));
eagerRequests.run();
const frozenEager: number[] = [];
await pause(settling);
for (let fault = 0; fault < freezes; fault++) {
  frozenEager.push(await freeze(eagerClient));
  process.stderr.write(`\rfault ${fault + 1} with eager heartbeats `);
}
process.stderr.write('\n');
eagerRequests.stop();
await answered([ledger]);
eagerClient.stop();

function row(name: string, gaps: readonly number[]): string[] {
  const figures = gaps.length === 0 ? ['', '', ''] : [median(gaps), quantile(gaps, 0.95), Math.max(...gaps)];
  return [name, `${gaps.length}`, ...figures.map((figure) => (typeof figure === 'string' ? '' : figure.toFixed(1)))];
}

console.log(
  `Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}\n`,
);
console.log(
  table([
    ['longest time without an answer', 'faults', 'median ms', '95 %', 'worst'],
    row('element killed', killed),
    row('element frozen', frozen),
    row(`element frozen, heartbeats every ${eagerHeartbeat} ms`, frozenEager),
    ...others.map(({ name, gaps }) => row(name, gaps)),
  ]),
);
for (const { name, gaps } of others)
  console.log(`killed, beside: ${name}: ${(median(killed) / median(gaps)).toFixed(2)} (medians)`);

const judged = [
  { name: '', ledger: slow, client },
  { name: ' (eager)', ledger, client: eagerClient },
];
console.log('');
console.log(
  table([
    ...judged.flatMap(({ name, ledger: own, client: { failovers, failoversWithoutFault, failures } }) => [
      [`requests${name}`, `${own.requests}`],
      ['  not answered', `${own.unanswered}`],
      ['  answered twice', `${own.answeredTwice}`],
      ['  wrong answers', `${own.wrong}`],
      ['  executed twice, marked redelivered', `${own.executedTwice - own.executedTwiceUnmarked}`],
      ['  executed twice, unmarked', `${own.executedTwiceUnmarked}`],
      ['  errors', `${failures.length}`],
      ['  failovers', `${failovers}`],
      ['  failovers without a fault', `${failoversWithoutFault}`],
    ]),
    ...others.flatMap(({ name, ledger: own, failed }) => [
      [`requests, ${name}`, `${own.requests}`],
      ['  not answered', `${own.unanswered}`],
      ['  ended with an error', `${failed()}`],
    ]),
  ]),
);
const bad = judged.reduce((sum, { ledger: own, client: { failures } }) => {
  for (const failure of new Set(failures.map(String))) console.error(failure);
  return sum + own.unanswered + own.answeredTwice + own.wrong + own.executedTwiceUnmarked + failures.length;
}, client.failoversWithoutFault);
await Promise.all([elements, netServers, grpcServers, registrars].map((processes) => processes.stop()));
process.exit(bad > 0 ? 1 : 0);
