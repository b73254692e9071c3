import test from 'ava';
import { cast } from './cast.js';
import type { TestProcess } from './process.js';

/** Sends a line and waits until it has come back whole. */
async function say(client: TestProcess, line: string): Promise<void> {
  client.write(`${line}\n`);
  await client.printed(new RegExp(`^${line}$`, 'm'));
}

/** The server that the client says it is with. */
async function serving(servers: readonly TestProcess[], identifier: string): Promise<TestProcess> {
  const identifiers = await Promise.all(servers.map((server) => server.printed(/serving as (\d+)/)));
  const index = identifiers.findIndex((match) => match[1] === identifier);
  return servers[index] as TestProcess;
}

test('started in the wrong order, client first and registrar last, all find one another', async (t) => {
  const world = await cast(t);
  const client = world.client();
  client.write('early\n');
  const server = world.server();
  world.registrar();
  await server.printed(/serving as/);
  await client.printed(/^early$/m);
  client.child.stdin?.end();
  t.is(await client.exited, 0, client.stderr);
  t.is(client.stdout, 'early\n');
});

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`the echo goes on byte for byte when its server gets ${signal}`, async (t) => {
    const world = await cast(t);
    world.registrar();
    const servers = [world.server(), world.server()];
    await Promise.all(servers.map((server) => server.printed(/serving as/)));
    const client = world.client();
    const lines: string[] = [];
    const sayNext = async (): Promise<void> => {
      const line = `line ${lines.length} ${'x'.repeat(lines.length * 100)}`;
      lines.push(line);
      await say(client, line);
    };
    for (let i = 0; i < 10; i++) await sayNext();
    const [, identifier = ''] = await client.printed(/connected to (\d+)/);
    const first = await serving(servers, identifier);
    first.signal(signal);
    for (let i = 0; i < 10; i++) await sayNext();
    const [, from, to] = await client.printed(/gone from (\d+) to (\d+)/);
    t.is(from, identifier);
    t.not(to, identifier);
    if (signal === 'SIGSTOP') {
      // Thawed, it finds its user gone, lives on, and can serve again.
      first.signal('SIGCONT');
      const second = servers.find((server) => server !== first) as TestProcess;
      await world.start('lib/cli/main.js', 'resolve', 'echo', '--wait').exited;
      second.signal('SIGKILL');
    }
    for (let i = 0; i < 5; i++) await sayNext();
    client.child.stdin?.end();
    t.is(await client.exited, 0, client.stderr);
    t.is(client.stdout, lines.map((line) => `${line}\n`).join(''));
  });
}

test('a server that closes ends by itself, and a client that is done too', async (t) => {
  const world = await cast(t);
  world.registrar();
  const server = world.server();
  await server.printed(/serving as/);
  const client = world.client();
  await say(client, 'hello');
  server.signal('SIGTERM');
  await say(client, 'still served');
  client.child.stdin?.end();
  t.is(await client.exited, 0);
  t.is(await server.exited, 0, server.stderr);
});

test('a socket that is unref’d does not hold its process, connected or not', async (t) => {
  const world = await cast(t);
  const alone = world.start('test/processes/fixtures/unref.js');
  t.is(await alone.exited, 0, alone.stderr);
  world.registrar();
  await world.server().printed(/serving as/);
  const connected = world.start('test/processes/fixtures/unref.js', 'connected');
  t.is(await connected.exited, 0, connected.stderr);
  t.regex(connected.stdout, /connected/);
});

test('a process that has only resolved ends by itself', async (t) => {
  const world = await cast(t);
  world.registrar();
  await world.server().printed(/serving as/);
  const resolved = world.start('test/processes/fixtures/resolve.js');
  t.is(await resolved.exited, 0, resolved.stderr);
  t.is(resolved.stdout, '1 element\n');
});

test('a pool that waits for nothing does not hold its process', async (t) => {
  const world = await cast(t);
  world.registrar();
  await world.start('examples/rolling-restart/element.js').printed(/registered/);
  const asked = world.start('test/processes/fixtures/pool.js');
  t.is(await asked.exited, 0, asked.stderr);
  t.is(asked.stdout, 'asked\n');
});

test('the error of a pool without registrar names who was tried', async (t) => {
  const world = await cast(t);
  const failed = world.start('test/processes/fixtures/no-registrar.js');
  t.is(await failed.exited, 0, failed.stderr);
  t.is(failed.stdout, 'ERR_RSERPOOL_NO_ENRP_SERVER\n');
});
