/** Calls without a pool handle are net's own, over real TCP and through our classes. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connect, createConnection, createServer } from '../../lib/net/connect.js';
import { Server } from '../../lib/net/server.js';
import { Socket } from '../../lib/net/socket.js';

const echo = (socket: net.Socket): void => void socket.pipe(socket);

function port(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

async function listening<S extends net.Server>(t: ExecutionContext, server: S): Promise<S> {
  t.teardown(() => server.close());
  if (!server.listening) await once(server, 'listening');
  return server;
}

async function echoed(socket: net.Socket): Promise<string> {
  let got = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    got += text;
  });
  socket.write('hello ');
  socket.end('net');
  await once(socket, 'close');
  return got;
}

test('every form of connect reaches a server of net', async (t) => {
  const server = await listening(t, net.createServer(echo).listen(0, '127.0.0.1'));
  const at = port(server);
  const forms: (() => Socket)[] = [
    () => connect(at),
    () => connect(at, '127.0.0.1'),
    () => connect(at, '127.0.0.1', () => {}),
    () => connect({ port: at }),
    () => connect({ port: at, host: '127.0.0.1', timeout: 10_000 }, () => {}),
    () => createConnection(at, () => {}),
    () => new Socket().connect(at),
    () => new Socket({ allowHalfOpen: true }).connect({ port: at }),
  ];
  for (const form of forms) {
    const socket = form();
    t.true(socket instanceof Socket);
    t.is(socket.mode, undefined);
    t.is(socket.element, undefined);
    t.is(await echoed(socket), 'hello net');
    t.is(socket.bytesRead, 9);
    t.is(socket.bytesWritten, 9);
  }
});

test('every form of listen serves clients of net', async (t) => {
  const forms: (() => Server)[] = [
    () => createServer(echo).listen(0),
    () => createServer({ allowHalfOpen: true }, echo).listen(0, '127.0.0.1'),
    () => createServer(echo).listen({ port: 0, host: '127.0.0.1' }),
    () => new Server(echo).listen(0, () => {}),
  ];
  for (const form of forms) {
    const server = await listening(t, form());
    t.true(server instanceof Server);
    t.is(server.peIdentifier, undefined);
    t.is(await echoed(net.connect(port(server))), 'hello net');
  }
});

test('paths are paths', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rserpool-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'socket');
  await listening(t, createServer(echo).listen(path));
  t.is(await echoed(connect(path)), 'hello net');
  t.is(await echoed(connect({ path })), 'hello net');
});

test('timeouts, options, references and errors are net’s', async (t) => {
  const server = await listening(t, createServer((served) => void served.on('error', () => {})).listen(0, '127.0.0.1'));
  const socket = connect({ port: port(server), host: '127.0.0.1', timeout: 20_000 });
  t.is(socket.timeout, 20_000);
  await once(socket, 'connect');
  socket.setTimeout(20);
  await once(socket, 'timeout');
  t.is(socket.timeout, 20);
  socket.setNoDelay(true).setKeepAlive(true).ref().unref().ref();
  t.is(socket.remoteFamily, 'IPv4');
  t.is((socket.address() as net.AddressInfo).family, 'IPv4');
  t.deepEqual(socket.retrieve(), { unsent: [], unacknowledged: [] });
  socket.resetAndDestroy();
  await once(socket, 'close');
  const refused = connect({ port: 1, host: '127.0.0.1' });
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNREFUSED');
  t.throws(() => (connect as unknown as () => Socket)(), { code: 'ERR_MISSING_ARGS' });
  t.throws(() => connect(70_000), { code: 'ERR_SOCKET_BAD_PORT' });
});

test('a server of net that listens twice throws, closes once and counts its connections', async (t) => {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.throws(() => server.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' });
  t.throws(() => server.listen({ poolHandle: 'echo' }), { code: 'ERR_SERVER_ALREADY_LISTEN' });
  const socket = connect(port(server), '127.0.0.1');
  await once(server, 'connection');
  t.is(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 1);
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  const error = await new Promise((resolve) => server.close(resolve));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_SERVER_NOT_RUNNING');
});

test("'pool:NAME' is a pool in both connects", (t) => {
  for (const socket of [connect('pool:echo'), new Socket().connect('pool:echo')]) {
    t.is(socket.poolHandle, 'echo');
    t.is(socket.mode, 'failover');
    socket.destroy();
  }
});
