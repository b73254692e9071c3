import test from 'ava';
import { rehearse } from '../../lib/net/rehearsal.js';
import type { MemoryStream } from '../../lib/transport/memory/stream.js';
import { event, type TestElement, World } from './world.js';

const latency = 10;

/** Three elements, and a user of which a request is under way at one of them. */
async function underWay(): Promise<{
  world: World;
  serving: TestElement;
  others: TestElement[];
  answer: Promise<{ data: Uint8Array }>;
  socket: ReturnType<World['client']>;
  user: ReturnType<World['spawn']>;
}> {
  const world = new World({ latency });
  world.registrar();
  const elements = Array.from({ length: 3 }, (): TestElement => {
    const element: TestElement = world.element(() => {}, {
      onMessage: (message) =>
        new Promise<void>((resolve) => {
          const reply = (): void => {
            message.reply(message.data);
            resolve();
          };
          element.process.clock.setTimeout(reply, 100);
        }),
    });
    return element;
  });
  await world.until(() => elements.every(({ server }) => server.registered));
  const user = world.spawn('user');
  const socket = world.client({ scope: world.scope(user) });
  await world.until(event(socket, 'connect'));
  const serving = world.serving(socket, elements);
  const answer = socket.request('one');
  await world.run(50);
  return { world, serving, others: elements.filter((one) => one !== serving), answer, socket, user };
}

test('when an element dies, the next one is connected to while it is found to be dead', async (t) => {
  const { world, serving, answer, socket } = await underWay();
  const killedAt = world.now;
  serving.process.kill();
  await world.until(event(socket, 'failover'));
  // The break is on its way, the refusal and the new connection come at once, and hello is said and answered.
  t.is(world.now - killedAt, latency + 2 * latency + 2 * latency);
  t.is(Buffer.from((await world.until(answer)).data).toString(), 'one');
});

test('a connection that goes on at its element leaves no trace at the next one', async (t) => {
  const { world, serving, others, answer, socket, user } = await underWay();
  let resumed = 0;
  serving.sockets[0]?.on('resumed', () => resumed++);
  for (const stream of user.streams) (stream as MemoryStream).sever('lost');
  await world.until(answer);
  await world.run(10_000);
  t.is(resumed, 1);
  t.is(world.serving(socket, [serving]), serving);
  t.deepEqual(
    others.map(({ sockets }) => sockets.length),
    [0, 0],
  );
  t.deepEqual(
    others.map(({ process }) => [...process.streams].filter(({ localAddress }) => localAddress.port === 7).length),
    [0, 0],
  );
});

test('nothing is prepared for a session that waits for nothing', async (t) => {
  const { world, others, answer, user } = await underWay();
  await world.until(answer);
  await world.run(100);
  for (const stream of user.streams) (stream as MemoryStream).sever('lost');
  let streams = 0;
  for (let step = 0; step < 200; step++) {
    await world.run(1);
    for (const { process } of others)
      streams += [...process.streams].filter(({ localAddress }) => localAddress.port === 7).length;
  }
  t.is(streams, 0);
});

test('an element rehearses a session with itself: two answers to each of three messages', (t) => {
  t.is(rehearse(), 6);
});

test('when the next element is dead too, the one after it is connected to at once', async (t) => {
  const times: number[] = [];
  for (const other of [0, 1]) {
    const { world, serving, others, answer, socket } = await underWay();
    const killedAt = world.now;
    serving.process.kill();
    others[other]?.process.kill();
    await world.until(event(socket, 'failover'));
    times.push(world.now - killedAt);
    t.true(world.serving(socket, others) === others[1 - other]);
    t.is(Buffer.from((await world.until(answer)).data).toString(), 'one');
  }
  // A refusal more.
  t.deepEqual(
    times.sort((a, b) => a - b),
    [5 * latency, 7 * latency],
  );
});

test('who is there after a failover is known before the next one', async (t) => {
  const { world, serving, others, answer, socket } = await underWay();
  const registered = world.element(() => {}, {});
  serving.process.kill();
  await world.until(event(socket, 'failover'));
  await world.until(answer);
  for (const { process } of others) if (world.serving(socket, others).process !== process) process.kill();
  await world.until(() => registered.server.registered);
  await world.run(2000);
  const again = socket.request('two');
  await world.run(50);
  const killedAt = world.now;
  world.serving(socket, others).process.kill();
  await world.until(event(socket, 'failover'));
  t.is(world.now - killedAt, 5 * latency);
  t.is(world.serving(socket, [registered]), registered);
  again.catch(() => {});
});
