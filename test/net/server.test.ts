import test from 'ava';
import type { Resolution } from '../../lib/asap/resolution.js';
import type { Clock } from '../../lib/clock.js';
import { noMappingHandler } from '../../lib/mapping/mapping.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { magic } from '../../lib/mapping/tcp/frame.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import type { Server } from '../../lib/net/server.js';
import type { ByteStream, ByteStreamHandler } from '../../lib/transport/transport.js';
import { noHandler } from '../../lib/transport/transport.js';
import { userSide } from '../mapping/pair.js';
import { collect, event, type TestElement, World } from './world.js';

const registered = (element: TestElement) => () => element.server.registered;

/** What a stranger who connects to the element's port and sends these bytes gets. */
async function stranger(
  world: World,
  element: TestElement,
  bytes: Uint8Array,
): Promise<{ got: Buffer[]; closed: boolean }> {
  const seen = { got: [] as Buffer[], closed: false };
  const process = world.spawn('stranger');
  const opened = new Promise<ByteStream>((resolve, reject) => {
    process.transport.connect(
      { host: element.process.address, port: 7 },
      {
        onOpen(stream) {
          resolve(stream);
          return {
            onData: (chunk) => void seen.got.push(Buffer.from(chunk)),
            onDrain() {},
            onEnd: () => stream.end(),
            onClose: () => {
              seen.closed = true;
            },
          };
        },
        onError: reject,
      },
    );
  });
  (await world.until(opened)).write([bytes]);
  return seen;
}

test("'listening' comes before 'registered', and address() knows the port", async (t) => {
  const world = new World();
  world.registrar();
  const { server, process } = world.element();
  const events: string[] = [];
  for (const name of ['listening', 'registered']) server.on(name, () => events.push(name));
  t.false(server.listening);
  t.is(server.address(), null);
  await world.until(() => server.registered);
  t.deepEqual(events, ['listening', 'registered']);
  t.true(server.listening);
  t.deepEqual(server.address(), { address: process.address, family: 'IPv4', port: 7 });
  t.true((server.peIdentifier ?? 0) > 0);
});

test('with maxConnections one user too many goes elsewhere', async (t) => {
  const world = await World.echo(2);
  for (const { server } of world.elements) server.maxConnections = 2;
  let drops = 0;
  for (const { server } of world.elements) {
    server.on('drop', (facts: { remoteAddress?: string }) => {
      drops++;
      t.regex(facts.remoteAddress ?? '', /^10\./);
    });
  }
  const scope = world.scope(world.spawn('user'));
  const users = [0, 1, 2, 3].map(() => world.client({ scope }));
  const answers = users.map((user) => collect(user));
  for (const user of users) user.write('x');
  await world.until(() => answers.every(({ text }) => text === 'x'));
  t.deepEqual(
    world.elements.map(({ server }) => server.maxConnections),
    [2, 2],
  );
  const counts = world.elements.map(
    ({ server }) =>
      new Promise<number>((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
  );
  t.deepEqual(await world.until(Promise.all(counts)), [2, 2]);
  const fifth = world.client({ connectTimeout: 3000 });
  fifth.write('y');
  await world.until(event(fifth, 'error'));
  t.true(drops > 0);
});

test('close ends when the sessions have ended, and takes no new ones', async (t) => {
  const world = await World.echo(1);
  const [element] = world.elements as [TestElement];
  const socket = world.client();
  const got = collect(socket);
  await world.until(event(socket, 'connect'));
  const closes: unknown[] = [];
  element.server.close(() => closes.push('first'));
  element.server.close((error) => closes.push((error as NodeJS.ErrnoException | undefined)?.code));
  await world.run(5000);
  t.deepEqual(closes, []);
  t.false(element.server.listening);
  socket.write('still served');
  await world.until(() => got.text === 'still served');
  const late = world.client({ connectTimeout: 1000 });
  const [error] = await world.until(event(late, 'error'));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  socket.end();
  await world.until(() => closes.length === 2);
  t.deepEqual(closes, ['first', 'ERR_SERVER_NOT_RUNNING']);
});

test('a closed server can listen again', async (t) => {
  const world = await World.echo(1);
  const [element] = world.elements as [TestElement];
  await world.until(new Promise<void>((resolve) => element.server.close(() => resolve())));
  t.is(element.server.peIdentifier, undefined);
  element.server.listen({ poolHandle: 'echo', scope: element.scope });
  await world.until(registered(element));
  const socket = world.client();
  const got = collect(socket);
  socket.end('again');
  await world.until(event(socket, 'close'));
  t.is(got.text, 'again');
});

test('close before it listens closes', async (t) => {
  const world = new World();
  const { server } = world.element();
  await world.until(new Promise<void>((resolve) => server.close(() => resolve())));
  t.false(server.listening);
});

test('listen twice throws what net throws', async (t) => {
  const world = await World.echo(1);
  const [{ server, scope }] = world.elements as [TestElement];
  t.throws(() => server.listen({ poolHandle: 'other', scope }), { code: 'ERR_SERVER_ALREADY_LISTEN' });
  t.throws(() => server.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' });
});

test('a port in use is an error event, and another port can be tried', async (t) => {
  const world = await World.echo(1);
  const [element] = world.elements as [TestElement];
  const { Server: ServerClass } = await import('../../lib/net/server.js');
  const second: Server = new ServerClass();
  let callbacks = 0;
  second.listen({ poolHandle: 'echo', scope: element.scope, port: 7 }, () => callbacks++);
  const [error] = await world.until(event(second, 'error'));
  t.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE');
  t.false(second.listening);
  second.removeAllListeners('listening');
  second.listen({ poolHandle: 'echo', scope: element.scope, port: 8 });
  await world.until(() => second.registered);
  t.is(callbacks, 0);
});

test('setLoad and setPolicy reach the registrar', async (t) => {
  const world = new World();
  const { registrar } = world.registrar();
  const element = world.element(undefined, { policy: 'leastUsed', load: 0.5 });
  await world.until(registered(element));
  const user = world.scope(world.spawn('user'));
  const policy = async (): Promise<unknown> => {
    const { elements } = await world.until<Resolution>(user.populate('echo'));
    return elements[0]?.policy;
  };
  t.deepEqual(await policy(), { type: 'leastUsed', load: Math.round(0xffffffff / 2) });
  element.server.setLoad(1);
  await world.run(100);
  t.deepEqual(await policy(), { type: 'leastUsed', load: 0xffffffff });
  element.server.setPolicy({ type: 'leastUsed', load: 7 });
  await world.run(100);
  t.deepEqual(await policy(), { type: 'leastUsed', load: 7 });
  t.is(registrar.stats.elements, 1);
  t.throws(() => element.server.setLoad(2), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => element.server.setPolicy('other' as never), { code: 'ERR_INVALID_ARG_VALUE' });
});

for (const [what, bytes] of [
  ['plain text', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a TLS hello', Buffer.from('16030100', 'hex')],
  ['the first byte of the magic and garbage', Buffer.concat([Buffer.from([0x52]), Buffer.alloc(64, 0xff)])],
  ['an ASAP type and garbage', Buffer.from('01ff00000000', 'hex')],
  ['nothing', Buffer.alloc(0)],
] as const) {
  test(`${what} on the port is refused without a connection event`, async (t) => {
    const world = await World.echo(1);
    const [element] = world.elements as [TestElement];
    const seen = await stranger(world, element, bytes);
    await world.until(() => seen.closed, 10_000);
    t.is(element.sockets.length, 0);
    t.true(element.server.listening);
  });
}

test('ASAP keep-alives are answered on the service port', async (t) => {
  const world = await World.echo(1);
  const [element] = world.elements as [TestElement];
  // ASAP_ENDPOINT_KEEP_ALIVE (type 7, H bit off) with a server identifier and the pool handle parameter 'echo'.
  const keepAlive = Buffer.from('0700001000000007000900086563686f', 'hex');
  const seen = await stranger(world, element, keepAlive);
  await world.until(() => Buffer.concat(seen.got).length >= 4, 2000);
  t.is(Buffer.concat(seen.got)[0], 8, 'ASAP_ENDPOINT_KEEP_ALIVE_ACK');
  t.is(element.sockets.length, 0);
});

test("a session that its user broke off closes with hadError, and is an 'error' only for those who listen", async (t) => {
  const world = await World.echo(1);
  const [element] = world.elements as [TestElement];
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  const [served] = element.sockets;
  let hadError: boolean | undefined;
  served?.on('close', (error) => {
    hadError = error;
  });
  process.kill();
  await world.until(() => hadError !== undefined);
  t.true(hadError);
  t.is((served?.errored as NodeJS.ErrnoException | null)?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

test('a server that was frozen survives the users who left it', async (t) => {
  const world = await World.echo(2);
  const socket = world.client();
  const got = collect(socket);
  socket.write('a');
  await world.until(() => got.text === 'a');
  const first = world.serving(socket, world.elements);
  first.process.freeze();
  socket.write('b');
  await world.until(() => got.text === 'ab');
  first.process.thaw();
  await world.run(20_000);
  t.is(first.sockets[0]?.destroyed, true);
  socket.failOver();
  socket.end('c');
  await world.until(event(socket, 'close'));
  t.is(got.text, 'abc');
});

test('an element without a registrar listens, and registers when one comes', async (t) => {
  const world = new World();
  const { server } = world.element();
  await world.until(event(server, 'listening'));
  await world.run(90_000);
  t.false(server.registered);
  world.registrar();
  await world.until(() => server.registered);
  t.pass();
});

test('a registration that is rejected is an error event', async (t) => {
  const world = await World.echo(1);
  const other = world.element(undefined, { policy: 'leastUsed' });
  const [error] = await world.until(event(other.server, 'error'));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_REGISTRATION_REJECTED');
  t.false(other.server.registered);
});

/** A hundred strangers who connect at once; `greet` does with each connection what it likes. Returns how many are open. */
function crowd(
  world: World,
  element: TestElement,
  greet: (stream: ByteStream, onClose: () => void, clock: Clock) => ByteStreamHandler,
): () => number {
  const { transport, clock } = world.spawn('strangers');
  const { port } = element.server.address() as { port: number };
  let open = 0;
  for (let i = 0; i < 100; i++) {
    transport.connect(
      { host: element.process.address, port },
      {
        onOpen(stream) {
          open++;
          return greet(stream, () => open--, clock);
        },
        onError: (error) => {
          throw error;
        },
      },
    );
  }
  return () => open;
}

test('connections that never say what they want cannot pile up, and keep no registrar out for long', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element(undefined, { undetectedConnections: 4, helloTimeout: 1000 });
  await world.until(() => element.server.registered);
  const open = crowd(world, element, (stream, onClose) => ({ ...noHandler, onEnd: () => stream.destroy(), onClose }));
  await world.run(100);
  t.is(open(), 20);
  await world.run(2000);
  t.is(open(), 0);
  const socket = world.client();
  await world.until(() => !socket.connecting);
  t.is(socket.element?.identifier, element.server.peIdentifier);
});

for (const [what, hello] of [
  ['say no more than that they will', undefined],
  ['announce a cookie that does not come', { ...userSide, cookieFollows: true }],
  ['may not need the element', { ...userSide, standBy() {} }],
] as const) {
  test(`users that ${what} cannot pile up where sessions are limited, and keep nobody out for long`, async (t) => {
    const world = new World();
    world.registrar();
    const element = world.element(undefined, { helloTimeout: 1000 });
    await world.until(() => element.server.registered);
    element.server.maxConnections = 4;
    const { peIdentifier = 0 } = element.server;
    let users = 0;
    const open = crowd(world, element, (stream, onClose, clock) => {
      if (hello === undefined) {
        stream.write([magic]);
        return { ...noHandler, onEnd: () => stream.destroy(), onClose };
      }
      const user = { ...hello, sessionId: Buffer.alloc(16, users++), peIdentifier };
      const connection = new TcpMappingConnection(stream, clock, tcpMappingOptions(), user);
      connection.handler = { ...noMappingHandler, onClose };
      return connection.streamHandler;
    });
    await world.run(100);
    t.is(open(), 20);
    t.deepEqual(element.sockets, []);
    await world.run(2000);
    t.is(open(), 0);
    const socket = world.client();
    await world.until(() => !socket.connecting);
    t.is(element.sockets.length, 1);
  });
}

test('connections that said what they want count for no limit on those that have not', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element(undefined, { undetectedConnections: 4 });
  await world.until(() => element.server.registered);
  // More at once than are let in beside four sessions, if those counted: 4 and 16 for registrars.
  for (let i = 0; i < 4; i++) await world.until(event(world.client(), 'connect'));
  const begun = world.now;
  const sockets = Array.from({ length: 18 }, () => world.client());
  for (const socket of sockets) await world.until(() => !socket.connecting);
  t.true(world.now - begun < 100, `${world.now - begun} ms`);
});
