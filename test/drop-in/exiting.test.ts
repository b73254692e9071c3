/** A process exits when it should: references of sockets and servers, in processes of their own. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type net from 'node:net';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { type Loopback, loopback } from './loopback.js';
import { Stage, type WorldName } from './worlds.js';

const fixture = fileURLToPath(new URL('fixtures/exit.js', import.meta.url));

/** What the process of the fixture does, and what has to happen until it exits. */
const cases: Readonly<Record<string, { readonly name: string; readonly bye?: true }>> = {
  unref: { name: 'an unref’d socket does not keep the process' },
  early: { name: 'a socket that was unref’d before it is connected does not keep the process' },
  ref: { name: 'a socket that was unref’d and ref’d again keeps the process until it closes', bye: true },
  end: { name: 'a connected socket keeps the process until it closes', bye: true },
  server: { name: 'an unref’d server does not keep the process' },
  close: { name: 'a closed server does not keep the process' },
};

let shared: Promise<Loopback> | undefined;

function run(
  world: WorldName,
  what: string,
  stage: Stage,
  server: net.Server,
  pools: Loopback | undefined,
): ChildProcess {
  const target = stage.targetOf(server) as { port?: number; poolHandle?: string };
  return fork(fixture, [world, what, pools?.registrars ?? '', String(target.port ?? ''), target.poolHandle ?? '']);
}

for (const world of ['net', 'failover', 'nameservice'] as const) {
  for (const [what, { name, bye }] of Object.entries(cases)) {
    test(`${world}: ${name}`, async (t) => {
      shared ??= loopback();
      const pools = world === 'net' ? undefined : await shared;
      const stage = new Stage(world, pools);
      const server = await stage.open(stage.server((socket) => void socket.on('error', () => {})));
      const accepted = bye === true ? once(server, 'connection') : undefined;
      const child = run(world, what, stage, server, pools);
      t.teardown(() => child.kill('SIGKILL'));
      const exited = once(child, 'exit');
      if (accepted !== undefined) {
        const [socket] = (await accepted) as [net.Socket];
        await once(child, 'message');
        t.is(child.exitCode, null);
        socket.end('bye');
      }
      const [code] = (await exited) as [number | null];
      t.is(code, 0);
      await stage.strike();
    });
  }
}

test.after.always(async () => {
  await (await shared)?.close();
});
