import test from 'ava';
import type { Message } from '../../lib/session/message.js';
import { event, World } from './world.js';

interface Taken {
  readonly text: string;
  readonly streamId: number;
  readonly unordered: boolean;
  readonly redelivered: boolean;
  readonly element: number;
}

/** Elements that take messages of any size; what each has taken, in order. */
async function elementsAndUser(count: number): Promise<{
  world: World;
  taken: Taken[];
  elements: ReturnType<World['element']>[];
}> {
  const world = new World();
  world.registrar();
  const taken: Taken[] = [];
  const elements = Array.from({ length: count }, (_, element) =>
    world.element(() => {}, {
      onMessage: ({ data, streamId, unordered, redelivered }: Message) => {
        const text = Buffer.from(data.subarray(0, 10)).toString();
        taken.push({ text, streamId, unordered, redelivered, element });
      },
    }),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, taken, elements };
}

test('send() on another stream, or unordered, does not wait for a large message', async (t) => {
  const { world, taken, elements } = await elementsAndUser(1);
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  t.true(socket.features?.streams);
  t.true(socket.features?.unordered);
  world.network.link(process.address, elements[0]!.process.address).bandwidth = 1000;
  const settled: string[] = [];
  const send = (text: string, size: number, options: { streamId?: number; unordered?: boolean }): void => {
    socket.send(Buffer.alloc(size, text), options, () => settled.push(text));
  };
  send('large00000', 4_000_000, {});
  send('behind0000', 10, {});
  send('beside0000', 10, { streamId: 1 });
  send('overtaking', 10, { unordered: true });
  await world.run(1500);
  t.deepEqual(
    taken.map(({ text, streamId, unordered }) => [text, streamId, unordered]),
    [
      ['beside0000', 1, false],
      ['overtaking', 0, true],
    ],
  );
  t.deepEqual(settled, ['beside0000', 'overtaking']);
  t.deepEqual(
    [...socket.retrieve().unsent, ...socket.retrieve().unacknowledged].map(({ sequence }) => sequence),
    [1, 2],
  );
  await world.until(() => settled.length === 4);
  t.deepEqual(settled.slice(2), ['large00000', 'behind0000']);
  socket.end();
  await world.until(event(socket, 'close'));
});

test('at a failover only what was not acknowledged is sent again, in the order of sending', async (t) => {
  const { world, taken, elements } = await elementsAndUser(2);
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  const serving = world.serving(socket, elements);
  world.network.link(process.address, serving.process.address).bandwidth = 1000;
  socket.send(Buffer.alloc(4_000_000, 'large00000'), { streamId: 2 });
  socket.send(Buffer.alloc(10, 'behind0000'), { streamId: 2 });
  socket.send(Buffer.alloc(10, 'beside0000'), { streamId: 1 });
  await world.run(1500);
  t.is(taken.length, 1);
  const failover = event(socket, 'failover');
  serving.process.kill();
  const [facts] = (await world.until(failover)) as [{ unsent: unknown[]; unacknowledged: unknown[] }];
  t.is(facts.unsent.length, 2);
  t.is(facts.unacknowledged.length, 0);
  await world.until(() => taken.length === 3);
  await world.run(1000);
  t.deepEqual(
    taken.slice(1).map(({ text, redelivered }) => [text, redelivered]),
    [
      ['large00000', false],
      ['behind0000', false],
    ],
  );
});

test('answers on another stream are not held up either', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element(() => {}, {
    onMessage: (message) => {
      const size = message.streamId === 0 ? 4_000_000 : 10;
      message.reply(Buffer.alloc(size), { streamId: message.streamId });
    },
  });
  await world.until(() => element.server.registered);
  const process = world.spawn('user');
  const socket = world.client({ scope: world.scope(process) });
  await world.until(event(socket, 'connect'));
  world.network.link(element.process.address, process.address).bandwidth = 1000;
  const large = socket.request('large');
  const begun = world.now;
  const small = socket.request('small', { streamId: 1 });
  t.is((await world.until(small)).data.length, 10);
  t.true(world.now - begun < 1500, `${world.now - begun}`);
  t.is((await world.until(large)).data.length, 4_000_000);
});

test('what is no stream, or no truth value, is refused', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  t.throws(() => socket.send('x', { streamId: 65_536 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => socket.send('x', { unordered: 1 as unknown as boolean }), { code: 'ERR_INVALID_ARG_TYPE' });
  socket.destroy();
});
