import test from 'ava';
import type { MemoryStream } from '../../lib/transport/memory/stream.js';
import { collect, event, World } from './world.js';

/** Breaks every connection of a process that goes to the elements' port. */
function sever(streams: Iterable<unknown>, underway?: 'lost'): void {
  for (const stream of streams as Iterable<MemoryStream>) if (stream.remoteAddress.port === 7) stream.sever(underway);
}

test('a stream goes on at the same element when its connection breaks: nobody sees it but the element’s socket', async (t) => {
  const world = await World.echo(2);
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  const got = collect(socket);
  let failovers = 0;
  socket.on('failover', () => failovers++);
  await world.until(event(socket, 'connect'));
  const element = world.serving(socket, world.elements);
  let resumed = 0;
  element.sockets[0]?.on('resumed', () => resumed++);
  t.true(socket.features?.resume);
  let sent = '';
  for (let i = 0; i < 40; i++) {
    const text = `${i},`.repeat(200);
    sent += text;
    socket.write(text);
    await world.run(i % 7);
    if (i % 4 === 3) sever(process.streams);
  }
  await world.until(() => got.text.length === sent.length);
  t.is(got.text, sent);
  t.true(resumed >= 5, `${resumed}`);
  socket.end();
  await world.until(event(socket, 'close'));
  await world.run(10_000);
  t.is(failovers, 0);
  t.is(element.sockets.length, 1);
  t.true(element.sockets[0]?.closed);
  t.is(
    world.elements.reduce((sum, one) => sum + one.sockets.length, 0),
    1,
  );
});

test('requests are answered once, and executed once, over broken connections', async (t) => {
  const world = new World();
  world.registrar();
  const executed: string[] = [];
  const element = world.element(() => {}, {
    onMessage: async (message) => {
      const text = Buffer.from(message.data).toString();
      executed.push(text);
      await new Promise<void>((resolve) => void element.process.clock.setTimeout(resolve, 8));
      message.reply(`answer to ${text}`);
    },
  });
  await world.until(() => element.server.registered);
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  const answers: Promise<string>[] = [];
  for (let i = 0; i < 60; i++) {
    answers.push(socket.request(`${i}`, { streamId: i % 3 }).then(({ data }) => Buffer.from(data).toString()));
    await world.run(3);
    if (i % 5 === 4) sever(process.streams);
  }
  t.deepEqual(
    await world.until(Promise.all(answers)),
    answers.map((_, i) => `answer to ${i}`),
  );
  t.is(executed.length, 60);
  t.is(new Set(executed).size, 60);
});

test('a user that does not want it, or an element that keeps nothing, has no resume', async (t) => {
  for (const [user, listen] of [
    [{ reconnectTimeout: 0 }, {}],
    [{}, { resumeTimeout: 0 }],
  ] as const) {
    const world = await World.echo(2, listen);
    const process = world.spawn('user');
    const socket = world.client({ scope: world.scope(process), ...user });
    await world.until(event(socket, 'connect'));
    t.false(socket.features?.resume);
    const failover = event(socket, 'failover');
    sever(process.streams);
    await world.until(failover);
    t.pass();
  }
});

test('an element waits for the users whose connections broke, but not when it closes: they could not come back', async (t) => {
  const world = await World.echo(1);
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  process.kill();
  await world.run(4000);
  const [element] = world.elements;
  t.is(element?.sockets[0]?.destroyed, false);
  const closed = event(element!.server, 'close');
  element!.server.close();
  await world.until(closed, 100);
  t.true(element?.sockets[0]?.destroyed);
});

test('a connection that breaks while both sides end is no error to either, wherever in that it breaks', async (t) => {
  for (let delay = 0; delay < 4; delay += 0.125) {
    const world = await World.echo(1);
    const process = world.spawn('user');
    const socket = world.client({ scope: world.scope(process) });
    const got = collect(socket);
    await world.until(event(socket, 'connect'));
    socket.write('last words');
    await world.run(20);
    const [at] = world.elements[0]?.sockets ?? [];
    const closed = event(socket, 'close');
    const closedThere = event(at!, 'close');
    socket.end();
    await world.run(delay);
    sever(process.streams, 'lost');
    t.deepEqual(await world.until(closed), [false]);
    t.deepEqual(await world.until(closedThere), [false]);
    t.is(got.text, 'last words');
    t.is(world.elements[0]?.sockets.length, 1);
  }
});
