/** One port for both modes, over real TCP: users of failover mode, plain connections, and those that cannot be told. */

import { once } from 'node:events';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { OperationalScope } from '../../lib/asap/scope.js';
import { magic } from '../../lib/mapping/tcp/frame.js';
import { connect } from '../../lib/net/connect.js';
import { verdictOn } from '../../lib/net/incoming.js';
import type { PoolListenOptions } from '../../lib/net/listen-options.js';
import type { PoolConnectOptions } from '../../lib/net/options.js';
import { Server } from '../../lib/net/server.js';
import { Socket } from '../../lib/net/socket.js';
import { host, loopback } from '../drop-in/loopback.js';

async function element(
  t: ExecutionContext,
  listen: Partial<PoolListenOptions> = {},
  options: net.ServerOpts = {},
): Promise<{ server: Server; port: number; listen: Pick<PoolConnectOptions, 'poolHandle' | 'scope'> }> {
  const { scope, close } = await loopback();
  t.teardown(close);
  const server = new Server(options);
  const all = { poolHandle: 'both', scope, host, ...listen };
  server.listen(all);
  t.teardown(() => void server.close());
  await once(server, 'registered');
  return { server, port: (server.address() as net.AddressInfo).port, listen: { poolHandle: 'both', scope } };
}

async function answer(socket: net.Socket): Promise<string> {
  let got = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    got += text;
  });
  await once(socket, 'close');
  return got;
}

test('the first bytes tell, as soon as they can', (t) => {
  const verdict = (...bytes: number[]): string => verdictOn(Uint8Array.from(bytes));
  t.is(verdict(), 'open');
  for (let length = 1; length < magic.length; length++) {
    t.is(verdictOn(magic.subarray(0, length)), 'open');
    t.is(verdict(...magic.subarray(0, length), 0xff), 'plain');
  }
  t.is(verdictOn(magic), 'mapping');
  t.is(verdict(...magic, 1, 2), 'mapping');
  t.is(verdict(7), 'open');
  t.is(verdict(7, 0, 0), 'open');
  t.is(verdict(7, 0, 0, 16), 'asap');
  t.is(verdict(7, 1, 0, 16), 'asap');
  t.is(verdict(7, 2), 'plain');
  t.is(verdict(7, 0, 0, 4), 'plain');
  t.is(verdict(7, 0, 0, 17), 'plain');
  t.is(verdict(0x16, 3, 1), 'plain', 'TLS');
  t.is(verdict(5, 1, 0), 'plain', 'SOCKS');
  t.is(verdict(0, 0, 0, 8), 'plain', 'PostgreSQL');
});

test('one port serves both modes: ours over a session, and net’s own sockets', async (t) => {
  const { server, port, listen } = await element(t);
  const accepted: net.Socket[] = [];
  server.on('connection', (socket: net.Socket) => {
    accepted.push(socket);
    socket.pipe(socket);
  });
  const plain = net.connect(port, host);
  plain.write(magic.subarray(0, 3));
  plain.end('plain');
  t.is(await answer(plain), `${Buffer.from(magic.subarray(0, 3)).toString()}plain`);
  const chosen = connect({ ...listen, mode: 'nameservice' });
  chosen.end('nameservice');
  t.is(await answer(chosen), 'nameservice');
  const session = connect(listen);
  session.end('failover');
  t.is(await answer(session), 'failover');
  t.deepEqual(
    accepted.map((socket) => (socket instanceof Socket ? socket.mode : 'net')),
    ['net', 'net', 'failover'],
  );
  t.true(accepted[0] instanceof net.Socket);
  t.false(accepted[0]?.allowHalfOpen);
});

test('a server for one mode alone refuses users of the other, or lets the service speak for itself', async (t) => {
  const { server, port, listen } = await element(t, { mode: 'failover' });
  server.on('connection', (socket: net.Socket) => void socket.pipe(socket));
  const stranger = net.connect(port, host).on('error', () => {});
  stranger.write('GET / HTTP/1.1\r\n\r\n');
  t.is(await answer(stranger), '');
  const session = connect(listen);
  session.end('served');
  t.is(await answer(session), 'served');
  const greeting = await element(t, { mode: 'nameservice' });
  greeting.server.on('connection', (socket: net.Socket) => socket.end('hello'));
  const user = connect({ ...greeting.listen, mode: 'nameservice' });
  t.is(await answer(user), 'hello');
  const wrong = connect({ ...greeting.listen, mode: 'failover', connectTimeout: 200 });
  const [error] = (await once(wrong, 'error')) as [AggregateError];
  t.regex(String(error.errors.map((one: Error) => one.message)), /does not offer a mapping/);
});

test('who is silent for detectTimeout is a plain user; a magic after that is an error', async (t) => {
  const { server, port } = await element(t, { detectTimeout: 20 });
  const served: net.Socket[] = [];
  server.on('connection', (socket: net.Socket) => {
    served.push(socket);
    socket.on('error', () => {}).write('you first');
  });
  const silent = net.connect(port, host);
  const [greeting] = (await once(silent, 'data')) as [Buffer];
  t.is(greeting.toString(), 'you first');
  const connection = served[0] as net.Socket;
  const late = once(connection, 'error');
  silent.on('error', () => {}).write(magic);
  const [error] = (await late) as [NodeJS.ErrnoException];
  t.is(error.code, 'ERR_RSERPOOL_PROTOCOL');
  // Where nobody listens for errors, it closes the connection and no more.
  const unheard = net.connect(port, host).on('error', () => {});
  await once(unheard, 'data');
  served[1]?.removeAllListeners('error');
  // `once` would listen.
  const closed = new Promise((resolve) => served[1]?.on('close', resolve));
  unheard.write(magic);
  await closed;
  const other = net.connect(port, host);
  await once(other, 'data');
  other.write('late');
  const [text] = (await once(served[2] as net.Socket, 'data')) as [Buffer];
  t.is(text.toString(), 'late');
  other.destroy();
});

test('plain users count for maxConnections, and are dropped as net drops them', async (t) => {
  const { server, port } = await element(t);
  server.maxConnections = 1;
  const first = net.connect(port, host);
  first.write('x');
  const [served] = (await once(server, 'connection')) as [net.Socket];
  t.is(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 1);
  const second = net.connect(port, host).on('error', () => {});
  second.write('y');
  const [facts] = (await once(server, 'drop')) as [{ remotePort: number }];
  t.is<number | undefined, number | undefined>(facts.remotePort, second.localPort);
  if (!second.closed) await once(second, 'close');
  let closed = false;
  server.close(() => (closed = true));
  served.write('still here');
  const [text] = (await once(first, 'data')) as [Buffer];
  t.is(text.toString(), 'still here');
  t.false(closed, 'connections go on after close until they end (RFC 3237 section 2.7)');
  first.end();
  served.end().resume();
  await once(server, 'close');
  t.true(closed);
});

test('what net’s server does to its sockets is done to plain ones', async (t) => {
  const { server, port } = await element(t, {}, { allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  const client = net.connect({ port, host, allowHalfOpen: true });
  client.end('request');
  const [served] = (await once(server, 'connection')) as [net.Socket];
  t.true(served.allowHalfOpen);
  t.true(served.isPaused());
  let got = '';
  served.setEncoding('utf8').on('data', (text: string) => {
    got += text;
  });
  served.resume();
  await once(served, 'end');
  t.is(got, 'request');
  t.true(served.writable);
  served.end('answer');
  t.is(await answer(client), 'answer');
});

test('who ends without a byte is a plain user, and may be answered', async (t) => {
  const { server, port } = await element(t, {}, { allowHalfOpen: true });
  server.on('connection', (socket: net.Socket) => {
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    socket.on('end', () => socket.end(`${length} came`));
  });
  t.is(await answer(net.connect({ port, host, allowHalfOpen: true }).end()), '0 came');
  const some = net.connect({ port, host, allowHalfOpen: true });
  some.end(magic.subarray(0, 3));
  t.is(await answer(some), '3 came');
});

test('an end without a byte ends the server’s side as net’s does, and waits where nothing is read', async (t) => {
  const { server, port } = await element(t, {}, { pauseOnConnect: true });
  const client = net.connect(port, host).end();
  const [served] = (await once(server, 'connection')) as [net.Socket];
  let ended = false;
  served.on('end', () => (ended = true));
  t.true(served.isPaused());
  await new Promise((resolve) => void server.getConnections(resolve));
  t.false(ended);
  served.resume();
  await Promise.all([once(client.resume(), 'close'), once(served, 'close')]);
  t.true(ended);
  t.is(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 0);
});

test("'sessions' counts the connections of a server of nameservice mode alone", async (t) => {
  const { server, listen } = await element(t, {
    mode: 'nameservice',
    policy: 'leastUsed',
    load: 'sessions',
    loadInterval: 10,
  });
  server.maxConnections = 2;
  const { scope, poolHandle } = listen;
  const loadOf = async (wanted: number): Promise<void> => {
    for (;;) {
      const { elements } = await (scope as OperationalScope).resolve(poolHandle, { fresh: true });
      const policy = elements[0]?.policy;
      if (policy?.type === 'leastUsed' && Math.abs(policy.load / 0xffffffff - wanted) < 0.01) return;
    }
  };
  server.on('connection', (socket: net.Socket) => socket.resume());
  const client = connect({ ...listen, mode: 'nameservice' });
  await loadOf(0.5);
  client.end().resume();
  await loadOf(0);
  t.pass();
});
