/** connect in nameservice mode: net's own connections over real TCP, to the elements of a pool in turn. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { connect } from '../../lib/net/connect.js';
import { register } from '../../lib/net/registration.js';
import { Socket } from '../../lib/net/socket.js';
import { createRegistrar } from '../../lib/registrar/registrar.js';

const host = '127.0.0.1';

interface Pool {
  readonly scope: OperationalScope;
  readonly join: (port: number, identifier: number) => Promise<void>;
}

/** A registrar, and a pool 'plain' of the policy "lowest PE identifier first". */
async function pool(t: ExecutionContext): Promise<Pool> {
  const registrar = createRegistrar({ host, port: 0 });
  registrar.listen();
  const [{ port }] = (await once(registrar, 'listening')) as [{ port: number }];
  const scope = new OperationalScope({ registrars: `${host}:${port}` });
  t.teardown(async () => {
    scope.close();
    await registrar.close();
  });
  const join = async (at: number, identifier: number): Promise<void> => {
    const priority = 100 - identifier;
    await register({ poolHandle: 'plain', scope, host, port: at, identifier, policy: { type: 'priority', priority } });
  };
  return { scope, join };
}

async function echo(t: ExecutionContext): Promise<{ readonly port: number; readonly server: net.Server }> {
  const server = net.createServer((socket) => void socket.on('error', () => {}).pipe(socket)).listen(0, host);
  t.teardown(() => server.close());
  await once(server, 'listening');
  return { server, port: (server.address() as net.AddressInfo).port };
}

/** A port that refuses connections. */
const closedPort = 1;

function watch(socket: Socket, names: readonly string[]): string[] {
  const seen: string[] = [];
  for (const name of names) socket.on(name, () => seen.push(name));
  return seen;
}

/** Accepts connections only while it is not stopped. */
const deafServer = `
import net from 'node:net';
const server = net.createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

const connectEvents = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'connect',
  'ready',
  'error',
  'close',
];

async function text(socket: Socket): Promise<string> {
  let got = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    got += chunk;
  });
  await once(socket, 'close');
  return got;
}

test('the first element is connected by net itself, and what was written before arrives', async (t) => {
  const { scope, join } = await pool(t);
  const { port } = await echo(t);
  await join(port, 1);
  const socket = connect({ poolHandle: 'plain', scope, mode: 'nameservice' });
  const seen = watch(socket, connectEvents);
  t.is(socket.mode, 'nameservice');
  t.is(socket.poolHandle, 'plain');
  t.true(socket.connecting);
  t.true(socket.pending);
  t.is(socket.readyState, 'opening');
  socket.write('hello ');
  socket.end('plain');
  t.is(await text(socket), 'hello plain');
  t.deepEqual(seen, ['lookup', 'connectionAttempt', 'connect', 'ready', 'close']);
  t.deepEqual(socket.element, { identifier: 1, address: host, family: 4, port } as never);
  t.is(socket.bytesWritten, 11);
  t.throws(() => socket.send('x'), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
});

test('elements that refuse are reported and the next is tried, before anything is seen but attempts', async (t) => {
  const { scope, join } = await pool(t);
  const { port } = await echo(t);
  await join(closedPort, 1);
  await join(closedPort, 2);
  await join(port, 3);
  const socket = connect({ poolHandle: 'plain', scope, mode: 'nameservice', timeout: 30_000 });
  const seen = watch(socket, connectEvents);
  socket.setNoDelay(true);
  const finishes: string[] = [];
  socket.on('finish', () => finishes.push('finish'));
  let connecting: boolean | undefined;
  socket.on('connectionAttemptFailed', () => setImmediate(() => (connecting = socket.connecting)));
  socket.write('over ');
  socket.write('two ');
  socket.end('dead ones', () => finishes.push('callback'));
  t.true(socket.writableEnded);
  t.is(await text(socket), 'over two dead ones');
  t.true(connecting !== undefined);
  const attempt = ['lookup', 'connectionAttempt'];
  const failed = [...attempt, 'connectionAttemptFailed'];
  t.deepEqual(seen, [...failed, ...failed, ...attempt, 'connect', 'ready', 'close']);
  t.is(socket.element?.identifier, 3);
  t.deepEqual(finishes.sort(), ['callback', 'finish']);
  t.true(scope.endpoint.isSuspected((await scope.resolve('plain')).poolHandle, 1));
});

test('an end without data before the connection survives attempts that fail', async (t) => {
  const { scope, join } = await pool(t);
  const { port } = await echo(t);
  await join(closedPort, 1);
  await join(port, 2);
  const socket = connect({ poolHandle: 'plain', scope, mode: 'nameservice' });
  let finishes = 0;
  socket.on('finish', () => finishes++);
  socket.end();
  t.is(await text(socket), '');
  t.is(finishes, 1);
});

test('an element that does not answer is given up after failureTimeout', async (t) => {
  const { scope, join } = await pool(t);
  const { port } = await echo(t);
  // It is there, and accepts no more than its queue holds.
  const deaf = spawn(process.execPath, ['--input-type=module', '-e', deafServer], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => deaf.kill('SIGKILL'));
  const [line] = (await once(deaf.stdout, 'data')) as [Buffer];
  const deafPort = Number(line.toString());
  deaf.kill('SIGSTOP');
  const fillers = [0, 1, 2, 3].map(() => net.connect(deafPort, host).on('error', () => {}));
  t.teardown(() => fillers.forEach((one) => void one.destroy()));
  await Promise.all(fillers.slice(0, 2).map((one) => once(one, 'connect')));
  await join(deafPort, 1);
  await join(port, 2);
  const socket = connect({ poolHandle: 'plain', scope, mode: 'nameservice', failureTimeout: 50 });
  const seen = watch(socket, connectEvents);
  socket.end('x');
  t.is(await text(socket), 'x');
  const attempt = ['lookup', 'connectionAttempt'];
  t.deepEqual(seen, [...attempt, 'connectionAttemptTimeout', ...attempt, 'connect', 'ready', 'close']);
});

test('when all elements fail the error is one for all, with the first one’s code', async (t) => {
  const { scope, join } = await pool(t);
  await join(closedPort, 1);
  await join(closedPort, 2);
  const socket = connect({ poolHandle: 'plain', scope, mode: 'nameservice' });
  const seen = watch(socket, connectEvents);
  let written: Error | null | undefined;
  socket.write('lost', (error) => {
    written = error;
  });
  const [error] = (await once(socket, 'error')) as [AggregateError & { code: string }];
  t.true(error instanceof AggregateError);
  t.is(error.code, 'ECONNREFUSED');
  t.is(error.errors.length, 2);
  t.regex(error.message, /none of the 2 elements of pool 'plain' could be reached: connect ECONNREFUSED/);
  if (!socket.closed) await once(socket, 'close');
  t.is(seen.filter((name) => name === 'close').length, 1);
  t.true(written instanceof Error);
});

test('with one element the error is net’s own, and the socket can connect again', async (t) => {
  const { scope, join } = await pool(t);
  await join(closedPort, 1);
  const socket = connect({ poolHandle: 'plain', scope, mode: 'nameservice' });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException & AggregateError];
  t.is(error.code, 'ECONNREFUSED');
  t.false(error instanceof AggregateError);
  t.is(error.syscall, 'connect');
  if (!socket.closed) await once(socket, 'close');
  const { port } = await echo(t);
  await join(port, 2);
  socket.connect({ poolHandle: 'plain', scope, mode: 'nameservice' });
  socket.end('again');
  t.is(await text(socket), 'again');
});

test('the application may give up at any moment', async (t) => {
  const { scope, join } = await pool(t);
  const early = connect({ poolHandle: 'plain', scope, mode: 'nameservice' });
  early.destroy();
  await once(early, 'close');
  await join(closedPort, 1);
  const { port } = await echo(t);
  await join(port, 2);
  const given = connect({ poolHandle: 'plain', scope, mode: 'nameservice' });
  const seen = watch(given, connectEvents);
  given.on('connectionAttemptFailed', (_address, _port, _family, error: Error) => given.destroy(error));
  const [error] = (await once(given, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNREFUSED');
  if (!given.closed) await once(given, 'close');
  t.false(seen.includes('connect'));
  const controller = new AbortController();
  const aborted = connect({ poolHandle: 'plain', scope, mode: 'nameservice', signal: controller.signal });
  controller.abort();
  const [abort] = (await once(aborted, 'error')) as [Error];
  t.is(abort.name, 'AbortError');
});

test('a socket that was made for a pool ignores the port and host that it is told', async (t) => {
  const { scope, join } = await pool(t);
  const { port } = await echo(t);
  await join(port, 1);
  const socket = new Socket({ poolHandle: 'plain', scope, mode: 'nameservice' });
  await new Promise<void>((resolve) => void socket.connect(1, '192.0.2.1', resolve));
  t.is(socket.remotePort, port);
  socket.end('made for it');
  t.is(await text(socket), 'made for it');
});
