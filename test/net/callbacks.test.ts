import test from 'ava';
import type { MemoryStream } from '../../lib/transport/memory/stream.js';
import { event, type TestElement, World } from './world.js';

/** Elements that take every message at once and answer none. */
async function taking(count: number): Promise<{ world: World; elements: TestElement[]; got: string[] }> {
  const world = new World();
  world.registrar();
  const got: string[] = [];
  const elements = Array.from({ length: count }, () =>
    world.element((socket) => void socket.on('error', () => {}), {
      onMessage: (message) => void got.push(Buffer.from(message.data).toString()),
    }),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements, got };
}

/** An answering element that can be told to keep what it has got. */
async function keeping(count: number): Promise<{ world: World; elements: TestElement[] }> {
  const world = new World();
  world.registrar();
  const elements = Array.from({ length: count }, () =>
    world.element((socket) => void socket.on('error', () => {}), { acknowledge: 'manual', onMessage: () => {} }),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements };
}

test('a callback of send() may leave the element', async (t) => {
  const { world, got } = await taking(2);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const settled: string[] = [];
  for (const text of ['one', 'two', 'three'])
    socket.send(text, {}, (error) => {
      settled.push(error?.message ?? text);
      if (text === 'one') socket.failOver();
    });
  await world.until(event(socket, 'failover'));
  socket.send('four', {}, () => settled.push('four'));
  await world.until(() => settled.length === 4);
  t.deepEqual(settled, ['one', 'two', 'three', 'four']);
  t.true(got.includes('four'));
});

test('a callback of send() that throws is told to the process, and costs nobody else anything', async (t) => {
  const { world } = await taking(1);
  const failures: unknown[] = [];
  const process = world.spawn('user');
  process.onFailure = (error) => failures.push(error);
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  const settled: string[] = [];
  for (const text of ['one', 'two', 'three'])
    socket.send(text, {}, (error) => {
      settled.push(error?.message ?? text);
      if (text === 'one') throw new Error('cannot');
    });
  await world.run(5000);
  t.deepEqual(settled, ['one', 'two', 'three']);
  t.is(failures.length, 1);
  t.deepEqual(socket.retrieve(), { unsent: [], unacknowledged: [] });
  socket.send('four', {}, () => settled.push('four'));
  await world.until(() => settled.length === 4);
  t.pass();
});

test('a socket that is destroyed by the callback of a message that is given up goes to no other element', async (t) => {
  const { world, elements } = await keeping(2);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  let failovers = 0;
  socket.on('failover', () => failovers++);
  socket.send('for this one alone', { failover: false }, () => socket.destroy());
  await world.run(200);
  first.process.kill();
  await world.until(event(socket, 'close'));
  await world.run(10_000);
  t.is(failovers, 0);
  for (const element of elements) if (element !== first) t.is(element.sockets.length, 0);
});

test('all that waited is given up when the element that is reached does not take the first of it', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element(() => {}, { longestMessage: 2048, onMessage: (message) => void message.reply('done') });
  await world.until(() => element.server.registered);
  const socket = world.client();
  const connects: unknown[] = [];
  socket.on('connect', () => connects.push(undefined));
  const errors: NodeJS.ErrnoException[] = [];
  socket.on('error', (error) => errors.push(error));
  const settled: string[] = [];
  for (const [name, size] of Object.entries({ large: 4096, small: 10 }))
    socket.send(Buffer.alloc(size), {}, (error) => settled.push(`${name} ${(error as NodeJS.ErrnoException).code}`));
  const request = socket.request('work').then(
    () => 'answered',
    (error: NodeJS.ErrnoException) => error.code,
  );
  t.is(await world.until(request), 'ERR_RSERPOOL_MESSAGE_TOO_LARGE');
  t.deepEqual(settled, ['large ERR_RSERPOOL_MESSAGE_TOO_LARGE', 'small ERR_RSERPOOL_MESSAGE_TOO_LARGE']);
  t.is(errors.length, 1);
  t.is(connects.length, 0);
  t.is(socket.retrieve().unsent.length, 3);
});

test('a request that was taken and then given up holds nothing up: neither memory nor a hand-over', async (t) => {
  const { world, elements } = await taking(2);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const error = await world.until(socket.request('work', { timeout: 300 }).catch((reason) => reason));
  t.is(error.code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  const before = world.now;
  await world.until(Promise.all([world.serving(socket, elements).server.handOver(), event(socket, 'failover')]));
  t.true(world.now - before < 1000, `${world.now - before} ms`);
});

test('a session that was not to keep the process alive does not when it is resumed', async (t) => {
  const world = await World.echo(1);
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  const element = world.serving(socket, world.elements);
  element.sockets[0]?.unref();
  const referenced = (): boolean[] =>
    [...element.process.streams]
      .filter((one) => one.localAddress.port === 7)
      .map((one) => (one as MemoryStream).isReferenced);
  await world.run(100);
  for (const stream of process.streams) if (stream.remoteAddress.port === 7) (stream as MemoryStream).sever();
  await world.until(() => element.sockets[0]?.remotePort !== undefined);
  socket.write('still here');
  await world.until(event(socket, 'data'));
  t.deepEqual(referenced(), [false]);
});
