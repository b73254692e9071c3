/**
 * Resolutions and registrations a second of a registrar over TCP, beside etcd (resolution: a Range of three keys;
 * registration: a lease and a put under it) and dnsmasq (SRV records by Node's resolver), in one run and in turns. Each
 * server is a process of its own on one processor; the load runs on the others. 500 pools, three elements an answer, 16
 * connections, 64 requests outstanding on all of them together. Registrations are of ever new elements.
 *
 *   npm run bench -- registrar
 *   node dist/bench/registrar.js [--seconds 2] [--rounds 3] [--only registrar]
 */

import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { asapLoad, registerPools, registrations, resolutions } from './registrar/asap-load.js';
import { leaveServerCore, pinned } from './registrar/cores.js';
import { dnsmasqLines, dnsResolutions } from './registrar/dns-load.js';
import { etcdPools, etcdRegistrations, etcdResolutions } from './registrar/etcd-load.js';
import type { Load } from './registrar/load.js';
import {
  commandPath,
  processorTime,
  type ServerProcess,
  startDnsmasq,
  startEtcd,
  startRegistrar,
} from './registrar/servers.js';
import { median, table } from './session/statistics.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: process.env.SECONDS_EACH ?? '2' },
    rounds: { type: 'string', default: process.env.ROUNDS ?? '3' },
    only: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const goals = { etcd: 10, dnsmasq: 1.5 };

interface Workload {
  readonly name: string;
  readonly server: ServerProcess;
  begin(): Promise<Load>;
  readonly rates: number[];
  /** Answers for each second of processor time that the server used: what it does when the load is what is slow. */
  readonly yields: number[];
}

async function measure({ server, begin, rates, yields }: Workload): Promise<void> {
  const load = await begin();
  await pause(200);
  const [answers, at, time] = [load.answers, performance.now(), processorTime(server.pid)];
  await pause(seconds * 1000);
  const elapsed = (performance.now() - at) / 1000;
  rates.push((load.answers - answers) / elapsed);
  yields.push((load.answers - answers) / (processorTime(server.pid) - time));
  await load.stop();
}

leaveServerCore();
const servers: ServerProcess[] = [];
const workloads: Workload[] = [];

async function started(server: Promise<ServerProcess>): Promise<ServerProcess> {
  servers.push(await server);
  return server;
}

function add(name: string, server: ServerProcess, begin: () => Promise<Load>): Workload {
  const workload = { name, server, begin, rates: [], yields: [] };
  workloads.push(workload);
  return workload;
}

const wanted = (name: string): boolean => values.only === undefined || values.only === name;
// Each element registers once, whatever the round.
let nextElement = 1_000;
/** The first of so many identifiers that no other round uses. */
function freshElements(): number {
  nextElement += 10_000_000;
  return nextElement;
}

const registrar = await started(startRegistrar());
const closePools = await registerPools(registrar.port);
const resolving = add('registrar: resolutions', registrar, () => asapLoad(registrar.port, resolutions()));
// A server of its own, so that the elements of earlier rounds are nobody's burden.
const second = await started(startRegistrar());
const registering = add('registrar: registrations', second, () =>
  asapLoad(second.port, registrations(freshElements())),
);
const ratios: [name: string, ours: Workload, theirs: Workload, goal: number][] = [];

const etcd = commandPath('etcd');
if (etcd === undefined) console.log('etcd is missing (Debian: etcd-server): its comparisons are left out');
else if (wanted('etcd')) {
  const server = await started(startEtcd(etcd));
  await etcdPools(server.port);
  const ranges = add('etcd: ranges', server, () => etcdResolutions(server.port));
  const puts = add('etcd: leases and puts', server, () => etcdRegistrations(server.port, freshElements()));
  ratios.push(['resolutions to etcd', resolving, ranges, goals.etcd]);
  ratios.push(['registrations to etcd', registering, puts, goals.etcd]);
}
const dnsmasq = commandPath('dnsmasq');
if (dnsmasq === undefined) console.log('dnsmasq is missing (Debian: dnsmasq): its comparison is left out');
else if (wanted('dnsmasq')) {
  const server = await started(startDnsmasq(dnsmasq, dnsmasqLines()));
  const queries = add('dnsmasq: SRV by Node', server, () => dnsResolutions(server.port));
  ratios.push(['resolutions to dnsmasq', resolving, queries, goals.dnsmasq]);
}

console.log(
  `Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}; ` +
    `${pinned ? 'servers on one processor, load on the others' : 'not pinned to processors'}\n`,
);
// Compilation is not what is compared.
for (let round = -1; round < rounds; round++) {
  for (const workload of workloads) await measure(workload);
  if (round === -1) for (const workload of workloads) workload.rates.length = workload.yields.length = 0;
}
console.log(
  table([
    ['', 'a second', 'least', 'most', 'a second of processor'],
    ...workloads.map(({ name, rates, yields }) => [
      name,
      ...[median(rates), Math.min(...rates), Math.max(...rates), median(yields)].map((rate) => rate.toFixed(0)),
    ]),
  ]),
);
console.log('');
/** Of neighbours in time: what else the machine does changes. */
function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((rate, round) => rate / (theirs[round] as number)));
}
for (const [name, ours, theirs, goal] of ratios) {
  const rates = ratio(ours.rates, theirs.rates);
  const yields = ratio(ours.yields, theirs.yields);
  const verdict = rates >= goal ? 'ok  ' : 'FAIL';
  console.log(`${verdict}  ${rates.toFixed(2)}  ${name}, goal ${goal}; by processor time ${yields.toFixed(2)}`);
  if (rates < goal) process.exitCode = 1;
}
closePools();
for (const server of servers) await server.stop();
process.exit();
