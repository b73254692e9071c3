/**
 * http requests through the pool's `Agent`, over three servers, each a process of its own.
 *
 *   npm run bench -- http [--rounds 9] [--seconds 2] [--faults 60] [--concurrency 20]
 *
 * Without faults: Agent beside Node's agent that is given the three servers in turn; the two take turns, and the figure is
 * the median of the ratios of the runs of one round, with their quartiles. Goal .9. The same ratio by the client's
 * processor time stands beside it: other work on the machine moves that less.
 * With faults: for `--faults` seconds one server is killed (and comes back after 600 ms) and another one frozen (for a
 * second) every 2 s. All requests may be repeated, and none may fail: the exit code says so.
 */

import http from 'node:http';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent, createRegistrar, OperationalScope } from '../lib/index.js';
import { type LoadResult, run } from './http/load.js';
import { Servers } from './http/servers.js';
import { median, quantile } from './session/statistics.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '2' },
    faults: { type: 'string', default: '60' },
    concurrency: { type: 'string', default: '20' },
  },
});
const concurrency = Number(values.concurrency);
const goal = 0.9;

const registrar = createRegistrar({ port: 0 });
const at = await new Promise<{ host: string; port: number }>((resolve) => registrar.listen(resolve));
const registrars = `${at.host}:${at.port}`;
const scope = new OperationalScope({ registrars });
const servers = new Servers(registrars);

async function compare(): Promise<void> {
  const ports = servers.names.map((name) => servers.ports.get(name) as number);
  const pool = new Agent({ poolHandle: 'web', scope });
  const plain = new http.Agent({ keepAlive: true });
  const duration = Number(values.seconds) * 1000;
  const ofPool = (): Promise<LoadResult> => run({ agent: pool, concurrency, duration });
  const ofPlain = (): Promise<LoadResult> =>
    run({ agent: plain, concurrency, duration, port: (number) => ports[number % ports.length] as number });
  // The compiler's time is neither's.
  await ofPool();
  await ofPlain();
  const ratios: number[] = [];
  const processor: number[] = [];
  const rates = { pool: [] as number[], plain: [] as number[] };
  for (let round = 0; round < Number(values.rounds); round++) {
    // Whoever is first has it otherwise than who is second.
    const first = round % 2 === 0 ? ofPool : ofPlain;
    const second = round % 2 === 0 ? ofPlain : ofPool;
    const results = [await first(), await second()] as const;
    const [byPool, byPlain] = round % 2 === 0 ? results : [results[1], results[0]];
    rates.pool.push(byPool.perSecond);
    rates.plain.push(byPlain.perSecond);
    ratios.push(byPool.perSecond / byPlain.perSecond);
    processor.push(byPlain.processorTime / byPool.processorTime);
  }
  pool.destroy();
  plain.destroy();
  const shown = (list: readonly number[]): string => Math.round(median(list)).toLocaleString('en');
  const spread = (list: readonly number[]): string =>
    `${median(list).toFixed(2)} (quartiles ${quantile(list, 0.25).toFixed(2)} to ${quantile(list, 0.75).toFixed(2)})`;
  console.log(
    `Agent over a pool of three: ${shown(rates.pool)} requests/s; http.Agent: ${shown(rates.plain)} requests/s`,
  );
  console.log(`ratio ${spread(ratios)}, goal ${goal}; by processor time of the client ${spread(processor)}`);
}

/** Every 2 s one server dies and another one freezes, so that at times one is left. */
async function strike(until: () => boolean): Promise<{ kills: number; freezes: number }> {
  const struck = { kills: 0, freezes: 0 };
  for (let round = 0; !until(); round++) {
    const name = (offset: number): string => servers.names[(round + offset) % servers.names.length] as string;
    const [killed, frozen] = [name(0), name(1)];
    await servers.kill(killed);
    struck.kills++;
    await pause(300);
    servers.freeze(frozen);
    struck.freezes++;
    await pause(300);
    await servers.start(killed);
    await pause(700);
    servers.thaw(frozen);
    await pause(700);
  }
  return struck;
}

async function underFaults(): Promise<boolean> {
  const agent = new Agent({ poolHandle: 'web', scope, failureTimeout: 300 });
  let over = false;
  const striking = strike(() => over);
  const result = await run({ agent, concurrency, duration: Number(values.faults) * 1000 });
  over = true;
  const { kills, freezes } = await striking;
  agent.destroy();
  const { requests, failures, latencies } = result;
  const shown = (part: number): string => `${Math.round(quantile(latencies, part))} ms`;
  const spread = `median ${shown(0.5)}, 99 % within ${shown(0.99)}, longest ${shown(1)}`;
  console.log(`${kills} servers killed, ${freezes} frozen: ${requests} requests, ${failures.length} failed; ${spread}`);
  for (const error of failures.slice(0, 5)) console.log(`  ${error.message}`);
  return failures.length === 0;
}

try {
  for (const name of servers.names) await servers.start(name);
  console.log(
    `load of the machine before: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
  if (Number(values.rounds) > 0) await compare();
  if (Number(values.faults) > 0 && !(await underFaults())) process.exitCode = 1;
} finally {
  await servers.stop();
  scope.close();
  registrar.close();
}
