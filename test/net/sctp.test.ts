/** Sessions over SCTP: between two of ours, and with a far side that knows none of our frames; failover over both mappings. */

import test from 'ava';
import type { OperationalScope } from '../../lib/asap/scope.js';
import type { PoolListenOptions } from '../../lib/net/listen-options.js';
import { Server } from '../../lib/net/server.js';
import type { Socket } from '../../lib/net/socket.js';
import { MemoryDatagrams } from '../../lib/transport/memory/datagrams.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { PackageSctpStack } from '../../lib/transport/sctp/package/package-stack.js';
import { encodeAsap } from '../../lib/wire/asap.js';
import { SctpOwner } from '../transport/sctp/stack-world.js';
import { World } from './world.js';

const sctpPort = 7;

class SctpPool extends World {
  readonly datagrams: MemoryDatagrams = new MemoryDatagrams(this.network);

  stack(process: MemoryProcess): PackageSctpStack {
    const { random } = this.network;
    return new PackageSctpStack({}, { clock: process.clock, random, datagrams: this.datagrams.transportOf(process) });
  }

  sctpScope(process: MemoryProcess): OperationalScope {
    return this.scope(process, { transports: { stream: process.transport, sctp: this.stack(process) } });
  }

  serve(mappings: PoolListenOptions['mappings'], onConnection: (socket: Socket) => void) {
    const process = this.spawn('element');
    const server = new Server();
    server.on('connection', onConnection as never);
    const scope = this.sctpScope(process);
    server.listen({ poolHandle: 'echo', scope, port: sctpPort, ...(mappings === undefined ? {} : { mappings }) });
    return { process, server, scope };
  }
}

/** With a user whose machine is known, so that it can be cut off. */
class FailingPool extends SctpPool {
  readonly user: MemoryProcess = this.spawn('user');
}

const echo = (socket: Socket): void => void socket.pipe(socket);

/** Everything that a socket reads, as text. */
function text(socket: Socket): () => string {
  let all = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk;
  });
  return () => all;
}

test('a session runs over SCTP where both sides want it, and ends in order', async (t) => {
  const world = new SctpPool();
  world.registrar();
  const { server } = world.serve(['sctp'], echo);
  await world.until(() => server.registered);
  const socket = world.client({ scope: world.sctpScope(world.spawn('user')), mappings: ['sctp'] });
  const read = text(socket);
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  socket.end('hello');
  await world.until(() => closed);
  t.is(read(), 'hello');
  t.is(world.datagrams.sent > 0, true);
});

test('an element that offers both is reached over TCP by whom SCTP is not switched on', async (t) => {
  const world = new SctpPool();
  world.registrar();
  const { server } = world.serve(['sctp', 'tcp'], echo);
  await world.until(() => server.registered);
  const socket = world.client();
  const read = text(socket);
  socket.write('over TCP');
  await world.until(() => read() === 'over TCP');
  t.is(world.datagrams.sent, 0);
  socket.destroy();
});

test('a session fails over from an SCTP element to a TCP element and back, with the cookie, and loses nothing', async (t) => {
  const world = new SctpPool();
  world.registrar();
  const cookies: string[] = [];
  const serve = (name: string) => (socket: Socket) => {
    cookies.push(`${name}:${socket.cookie === undefined ? '' : Buffer.from(socket.cookie).toString()}`);
    socket.setCookie(Buffer.from(name));
    socket.pipe(socket);
  };
  const first = world.serve(['tcp', 'sctp'], serve('first'));
  await world.until(() => first.server.registered);
  const socket = world.client({
    scope: world.sctpScope(world.spawn('user')),
    failureTimeout: 300,
    mappings: ['sctp', 'tcp'],
  });
  const read = text(socket);
  let failovers = 0;
  socket.on('failover', () => failovers++);
  socket.write('1');
  await world.until(() => read() === '1');
  const second = world.serve(['tcp'], serve('second'));
  await world.until(() => second.server.registered);
  first.process.kill();
  socket.write('2');
  await world.until(() => read() === '12');
  const third = world.serve(['tcp', 'sctp'], serve('third'));
  await world.until(() => third.server.registered);
  second.process.kill();
  socket.write('3');
  await world.until(() => read() === '123');
  t.is(failovers, 2);
  t.deepEqual(cookies, ['first:', 'second:first', 'third:second']);
  socket.destroy();
});

for (const [what, fail] of [
  ['killed', (_world, process) => process.kill()],
  ['frozen', (_world, process) => process.freeze()],
  ['cut off', (world, process) => world.network.cut(world.user.address, process.address)],
] as const satisfies readonly [string, (world: FailingPool, process: MemoryProcess) => void][]) {
  test(`a session over SCTP leaves an element that is ${what} within three heartbeats, and loses nothing`, async (t) => {
    const world = new FailingPool();
    world.registrar();
    const first = world.serve(['sctp'], echo);
    await world.until(() => first.server.registered);
    const heartbeatInterval = 200;
    const failureTimeout = 3 * heartbeatInterval;
    const times = { heartbeatInterval, failureTimeout };
    const socket = world.client({ scope: world.sctpScope(world.user), mappings: ['sctp'], ...times });
    const read = text(socket);
    const failovers: number[] = [];
    socket.on('failover', () => failovers.push(world.now));
    socket.write('before ');
    await world.until(() => read() === 'before ');
    const second = world.serve(['sctp'], echo);
    await world.until(() => second.server.registered);
    const failedAt = world.now;
    fail(world, first.process);
    socket.write('unanswered ');
    await world.run(20);
    socket.write('and more');
    await world.until(() => read() === 'before unanswered and more');
    // The rest is the way to the other element: its name, its association, the session.
    t.is(failovers.length, 1);
    t.true(failovers[0]! - failedAt <= failureTimeout + 100, `${failovers[0]! - failedAt} ms`);
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    socket.end(' end');
    await world.until(() => closed);
    t.is(read(), 'before unanswered and more end');
  });
}

test('a session over SCTP tells its path MTU, on both sides; one over TCP does not', async (t) => {
  const world = new SctpPool();
  world.registrar();
  const seen: (number | undefined)[] = [];
  const { server } = world.serve(['sctp', 'tcp'], (socket) => {
    if (socket.features?.pathMtu === true) seen.push(socket.pathMtu);
    else t.throws(() => socket.pathMtu, { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
    socket.pipe(socket);
  });
  await world.until(() => server.registered);
  for (const mapping of ['sctp', 'tcp'] as const) {
    const socket = world.client({ scope: world.sctpScope(world.spawn('user')), mappings: [mapping] });
    const read = text(socket);
    socket.write(mapping);
    await world.until(() => read() === mapping);
    t.is(socket.features?.pathMtu, mapping === 'sctp');
    if (mapping === 'sctp') seen.push(socket.pathMtu);
    else t.throws(() => socket.pathMtu, { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
    socket.destroy();
  }
  t.deepEqual(seen, [1400, 1400]);
});

test('a user that speaks plain SCTP is served one to one, with its cookie', async (t) => {
  const world = new SctpPool();
  world.registrar();
  const cookies: (string | undefined)[] = [];
  const pathMtus: (number | undefined)[] = [];
  const { server } = world.serve(['sctp'], (socket) => {
    cookies.push(socket.cookie === undefined ? undefined : Buffer.from(socket.cookie).toString());
    socket.setCookie(Buffer.from('state'));
    pathMtus.push(socket.pathMtu);
    socket.on('message', (message) => message.reply(message.data, { ppid: message.ppid, streamId: message.streamId }));
  });
  await world.until(() => server.registered);
  const process = world.spawn('foreign');
  const stack = world.stack(process);
  const host = String((server.address() as { address: string }).address);
  const open: SctpOwner[] = [];
  const connect = (cookie?: string): void => {
    process.dispatch('input', () => {
      const onOpen = (association: never): SctpOwner => {
        const owner = new SctpOwner(association);
        open.push(owner);
        if (cookie !== undefined) {
          owner.send(encodeAsap({ type: 'cookieEcho', cookie: Buffer.from(cookie) }), 0, 11);
        }
        owner.send('ping', 0, 33);
        return owner;
      };
      stack.connect({ host, port: sctpPort }, { onOpen: onOpen as never, onError: (error) => t.fail(error.message) });
    });
  };
  connect();
  await world.until(() => open[0]?.messages.some(({ ppid }) => ppid === 33) === true);
  connect('state');
  await world.until(() => open[1]?.messages.some(({ ppid }) => ppid === 33) === true);
  for (const { messages } of open) {
    t.deepEqual(
      messages.filter(({ ppid }) => ppid === 33).map(({ data }) => Buffer.from(data).toString()),
      ['ping'],
    );
    // The cookie, as an ASAP message; no business card, which such users cannot read.
    t.is(messages.filter(({ ppid }) => ppid === 11).length, 1);
  }
  t.deepEqual(cookies, [undefined, 'state']);
  t.deepEqual(pathMtus, [1400, 1400]);
});

test('SCTP without SCTP is refused at once', (t) => {
  const world = new World();
  const error = { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' };
  t.throws(() => world.client({ mappings: ['sctp'] }), error);
  t.throws(() => world.element(undefined, { mappings: ['sctp'] }), error);
  t.throws(() => world.client({ mappings: [] }), { code: 'ERR_INVALID_ARG_VALUE' });
});
