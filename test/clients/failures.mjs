/** Kills the server that serves a busy client, and tells what its user saw. */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createRegistrar, OperationalScope, register } from '../../dist/lib/index.js';
import { clients, poolSockets } from './clients.mjs';
import { endAll, kill, redis } from './processes.mjs';
import { registeredRedis } from './registered-redis.mjs';

/** Milliseconds: how long a client may take to work again, with a pool and with a plain address (which has nothing). */
const limits = { pool: 20_000, plain: 3_000 };
const busyBefore = 30;
const busyAfter = 20;

/** Keeps a client busy with one piece of work after another, as a user would: what fails is counted, and the next begun. */
async function work(client, until, seen) {
  while (!until()) {
    const begun = performance.now();
    try {
      await within(client.ask(), 5_000);
      seen.done++;
      seen.lastDone = performance.now();
      if (seen.killedAt !== undefined && begun >= seen.killedAt) seen.doneSince++;
      if (seen.killedAt !== undefined && seen.workedAt === undefined) seen.workedAt = seen.lastDone;
    } catch (error) {
      seen.errors.push(error);
      await pause(20);
    }
  }
}

async function within(promise, limit) {
  const timer = new AbortController();
  const late = pause(limit, undefined, { signal: timer.signal }).then(
    () => {
      throw Object.assign(new Error('no answer'), { code: 'NO_ANSWER' });
    },
    () => {},
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** What the user sees of one kill. `killServing` ends the server that has the client's connections. */
async function observe(client, killServing, limit) {
  const seen = { done: 0, doneSince: 0, errors: [], killedAt: undefined, workedAt: undefined };
  const finished = () =>
    seen.killedAt !== undefined && (seen.doneSince >= busyAfter || performance.now() > seen.killedAt + limit);
  const busy = work(client, finished, seen);
  while (seen.done < busyBefore) {
    if (seen.errors.length > 20) throw seen.errors[0];
    await pause(5);
  }
  const before = seen.errors.length;
  await killServing();
  seen.killedAt = performance.now();
  await busy;
  const errors = seen.errors.slice(before);
  return {
    errors,
    lost: errors.length,
    again: seen.workedAt === undefined ? undefined : seen.workedAt - seen.killedAt,
  };
}

/** The server that does the work: all of them for clients that choose one for each request. */
async function serving(servers) {
  const before = new Map([...poolSockets].map((socket) => [socket, socket.bytesRead]));
  while ([...before].every(([socket, bytes]) => socket.bytesRead === bytes) && before.size > 0) await pause(5);
  const busiest = [...before].sort(([a, was], [b, before]) => b.bytesRead - before - (a.bytesRead - was))[0]?.[0];
  return servers.find(({ port }) => port === busiest?.remotePort) ?? servers[0];
}

async function withPool(kind) {
  const registrar = createRegistrar({ port: 0 });
  const [{ host, port }] = await once(registrar.listen(), 'listening');
  const registrars = `${host}:${port}`;
  const scopes = [];
  const scope = () => {
    scopes.push(new OperationalScope({ registrars }));
    return scopes.at(-1);
  };
  const servers = [];
  const registrations = [];
  for (let at = 0; at < 3; at++) {
    const server = await kind.server.start();
    servers.push(server);
    const healthCheck = { port: server.port };
    const options = { poolHandle: 'web', port: server.port, host: '127.0.0.1', scope: scope() };
    registrations.push(await register({ ...options, healthCheck, healthCheckInterval: 500 }));
  }
  const client = await kind.open({ poolHandle: 'web', scope: scope() });
  try {
    return await observe(client, async () => kill((await serving(servers)).child), limits.pool);
  } finally {
    await Promise.resolve(client.close()).catch(() => {});
    for (const { child } of servers) await kill(child);
    for (const each of registrations) await each.deregister().catch(() => {});
    for (const each of scopes) each.close();
    await new Promise((resolve) => registrar.close(resolve));
  }
}

async function withAddress(kind) {
  const server = await kind.server.start();
  const client = await kind.open(undefined, server.port);
  try {
    return await observe(client, () => kill(server.child), limits.plain);
  } finally {
    await within(Promise.resolve(client.close()), 1_000).catch(() => {});
  }
}

const codeOf = (error) => error.code ?? error.cause?.code ?? error.name ?? 'Error';

function described({ errors, lost, again }, limit) {
  const codes = [...new Set(errors.map(codeOf))].join(', ');
  const time = again === undefined ? `not within ${limit / 1000} s` : `${Math.round(again)} ms`;
  return { errors: codes === '' ? 'none' : codes, lost: String(lost), time };
}

function print(rows) {
  const head = ['client', 'hook', 'errors', 'lost', 'works again', 'plain: errors', 'lost', 'works again'];
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at].length)));
  for (const row of all)
    console.log(
      row
        .map((text, at) => text.padEnd(widths[at]))
        .join('  ')
        .trimEnd(),
    );
}

/** Promises whether all that could run works again at its pool. */
export async function testClients(names) {
  const chosen = clients.filter(({ name }) => names.length === 0 || names.some((part) => name.startsWith(part)));
  const rows = [];
  const leftOut = [];
  let passed = 0;
  let failed = 0;
  // What a client says on its own, after its piece of work was given up.
  process.on('unhandledRejection', (error) => console.error(`unhandled: ${error?.stack ?? error}`));
  for (const kind of chosen) {
    const missing = kind.server.missing?.();
    if (missing !== undefined) {
      leftOut.push(`left out: ${kind.name} (no ${missing})`);
      continue;
    }
    try {
      const pool = await withPool(kind);
      const plain = await withAddress(kind);
      const at = { pool: described(pool, limits.pool), plain: described(plain, limits.plain) };
      const [seen, beside] = [at.pool, at.plain];
      rows.push([kind.name, kind.hook, seen.errors, seen.lost, seen.time, beside.errors, beside.lost, beside.time]);
      if (pool.again === undefined) failed++;
      else passed++;
    } catch (error) {
      failed++;
      rows.push([kind.name, kind.hook, `FAILED: ${error.message}`, '', '', '', '', '']);
    }
    await endAll();
  }
  print(rows);
  if (names.length === 0 || names.includes('register')) {
    const missing = redis.missing();
    const what = 'a Redis of `rserpool register` is found, killed, gone, and back';
    if (missing !== undefined) leftOut.push(`left out: ${what} (no ${missing})`);
    else {
      try {
        await registeredRedis();
        passed++;
        console.log(what);
      } catch (error) {
        failed++;
        console.log(`FAILED: ${what}: ${error.message}`);
      }
      await endAll();
    }
  }
  for (const line of leftOut) console.log(line);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}
