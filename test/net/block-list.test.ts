/** Net's option `blockList` at both ends of a pool's connections, in both modes, over real TCP. */

import { once } from 'node:events';
import net, { BlockList } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { OperationalScope } from '../../lib/asap/scope.js';
import { connect } from '../../lib/net/connect.js';
import type { PoolListenOptions, ServerOptions } from '../../lib/net/listen-options.js';
import { Server } from '../../lib/net/server.js';
import { Socket } from '../../lib/net/socket.js';
import { loopback } from '../drop-in/loopback.js';

const modes = ['failover', 'nameservice'] as const;

function listOf(...addresses: string[]): BlockList {
  const list = new BlockList();
  for (const address of addresses) list.addAddress(address);
  return list;
}

async function scopeFor(t: ExecutionContext): Promise<OperationalScope> {
  const { scope, close } = await loopback();
  t.teardown(close);
  return scope;
}

async function element(
  t: ExecutionContext,
  scope: OperationalScope,
  host: string,
  options: ServerOptions = {},
  listen: Partial<PoolListenOptions> = {},
): Promise<Server> {
  const server = new Server(options, (socket) => void socket.on('error', () => {}).end(host));
  server.listen({ poolHandle: 'blocked', scope, host, ...listen });
  t.teardown(() => void server.close());
  await once(server, 'registered');
  return server;
}

async function answer(socket: net.Socket): Promise<string> {
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString();
  });
  await once(socket, 'end');
  return got;
}

for (const mode of modes) {
  test(`${mode}: elements at blocked addresses are passed over, and reported by nobody`, async (t) => {
    const scope = await scopeFor(t);
    await element(t, scope, '127.0.0.2', {}, { mode });
    await element(t, scope, '127.0.0.3', {}, { mode });
    const blockList = listOf('127.0.0.2');
    const served: string[] = [];
    for (let i = 0; i < 4; i++) served.push(await answer(connect({ poolHandle: 'blocked', scope, mode, blockList })));
    t.deepEqual(served, ['127.0.0.3', '127.0.0.3', '127.0.0.3', '127.0.0.3']);
    const all = new Set<string>();
    for (let i = 0; i < 4; i++) all.add(await answer(connect({ poolHandle: 'blocked', scope, mode })));
    t.deepEqual(all, new Set(['127.0.0.2', '127.0.0.3']), 'others use them as before');
  });

  test(`${mode}: ERR_IP_BLOCKED when all elements are`, async (t) => {
    const scope = await scopeFor(t);
    const server = await element(t, scope, '127.0.0.2', {}, { mode });
    server.on('connection', () => t.fail('it was connected to'));
    const socket = connect({
      poolHandle: 'blocked',
      scope,
      mode,
      blockList: listOf('127.0.0.2'),
      connectTimeout: 200,
    });
    const closing = new Promise<boolean>((resolve) => void socket.once('close', resolve));
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'ERR_IP_BLOCKED');
    t.is(error.message, 'IP(127.0.0.2) is blocked by net.BlockList');
    t.true(await closing);
    t.is((await scope.resolve('blocked')).elements.length, 1);
  });

  test(`${mode}: a server closes connections of blocked addresses, and tells nobody`, async (t) => {
    const scope = await scopeFor(t);
    const server = await element(t, scope, '127.0.0.1', { blockList: listOf('127.0.0.5') }, { mode });
    const heard: string[] = [];
    server.on('connection', (socket: net.Socket) => heard.push(socket.remoteAddress as string));
    server.on('drop', () => heard.push('drop'));
    const { port } = server.address() as net.AddressInfo;
    const stranger = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.5' });
    stranger.on('error', () => {}).resume();
    await once(stranger, 'close');
    t.deepEqual(heard, []);
    t.is(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 0);
    t.is(await answer(connect({ poolHandle: 'blocked', scope, mode })), '127.0.0.1');
    t.deepEqual(heard, ['127.0.0.1']);
  });
}

test('an IPv4 address is blocked in IPv6 notation too, at a server that listens on all addresses', async (t) => {
  const scope = await scopeFor(t);
  const server = await element(t, scope, '::', { blockList: listOf('127.0.0.5') });
  server.on('connection', () => t.fail('a connection came'));
  const { port } = server.address() as net.AddressInfo;
  const stranger = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.5' });
  stranger.on('error', () => {}).write('x');
  await once(stranger.resume(), 'close');
  t.true(stranger.destroyed);
});

test("what is no BlockList is refused with net's error", (t) => {
  const wrong = { blockList: {} as BlockList };
  t.throws(() => new Server(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
  for (const mode of modes) {
    t.throws(() => new Socket().connect({ poolHandle: 'blocked', mode, ...wrong }), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});
