import test from 'ava';
import { Server } from '../../lib/net/server.js';
import type { FailoverFacts } from '../../lib/session/session.js';
import { collect, event, type TestElement, World } from './world.js';

const code = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null | undefined)?.code;

/** Elements that answer requests after `ms` each. */
async function slow(count: number, ms: number): Promise<{ world: World; elements: TestElement[]; executed: string[] }> {
  const world = new World();
  world.registrar();
  const executed: string[] = [];
  const elements = Array.from({ length: count }, () => {
    const element: TestElement = world.element(() => {}, {
      acknowledge: 'manual',
      onMessage: (message) => {
        executed.push(`${Buffer.from(message.data)}${message.redelivered ? ' again' : ''}`);
        element.process.clock.setTimeout(() => message.reply('done'), ms);
      },
    });
    return element;
  });
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements, executed };
}

test('a user that is idle moves on at once, and hears why', async (t) => {
  const world = await World.echo(2);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, world.elements);
  const failedOver = event(socket, 'failover') as Promise<[FailoverFacts]>;
  const at = world.now;
  await world.until(first.server.handOver());
  const [facts] = await world.until(failedOver);
  t.true(world.now - at < 100);
  t.is(code(facts.cause), 'ERR_RSERPOOL_HANDED_OVER');
  t.not(world.serving(socket, world.elements), first);
});

test('who comes while an element hands over is turned away before it has connected', async (t) => {
  const { world, elements, executed } = await slow(2, 3000);
  const busy = world.client();
  const answer = busy.request('busy');
  await world.until(() => executed.length === 1);
  const first = world.serving(busy, elements);
  const second = elements.find((element) => element !== first) as TestElement;
  // These know the pool as it was, and some are on their way already.
  const scope = world.scope(world.spawn('user'));
  await world.until(scope.resolve('echo'));
  const coming = [0, 1, 2, 3].map(() => world.client({ scope }));
  const answers = coming.map((socket) => socket.request('coming'));
  const handedOver = first.server.handOver();
  await world.until(Promise.all(answers));
  t.deepEqual(new Set(coming.map((socket) => world.serving(socket, elements))), new Set([second]));
  await world.until(answer);
  await world.until(handedOver);
  t.deepEqual(executed.sort(), ['busy', 'coming', 'coming', 'coming', 'coming']);
});

test('a request that takes longer than the user waits is taken elsewhere, marked', async (t) => {
  const { world, elements, executed } = await slow(2, 15_000);
  const socket = world.client();
  const answer = socket.request('long');
  await world.until(() => executed.length === 1);
  const first = world.serving(socket, elements);
  const at = world.now;
  await world.until(first.server.handOver());
  t.true(world.now - at >= 10_000 && world.now - at < 10_100, `${world.now - at}`);
  await world.until(answer);
  t.deepEqual(executed, ['long', 'long again']);
});

test('who has not gone in time is broken off, and goes on elsewhere with what was not answered, marked', async (t) => {
  const { world, elements, executed } = await slow(2, 8000);
  const socket = world.client();
  const answer = socket.request('long');
  await world.until(() => executed.length === 1);
  const first = world.serving(socket, elements);
  const [served] = first.sockets;
  const at = world.now;
  await world.until(first.server.handOver({ timeout: 2000 }));
  t.is(Math.round(world.now - at), 2000);
  t.is(code(served?.errored), 'ERR_RSERPOOL_HANDED_OVER');
  await world.until(answer);
  t.deepEqual(executed, ['long', 'long again']);
  await t.throwsAsync((elements.find((one) => one !== first) as TestElement).server.handOver({ timeout: -1 }), {
    code: 'ERR_OUT_OF_RANGE',
  });
});

test('a user may wait less for its element to finish', async (t) => {
  const { world, elements, executed } = await slow(2, 8000);
  const socket = world.client({ handOverTimeout: 1000 });
  const answer = socket.request('long');
  await world.until(() => executed.length === 1);
  const at = world.now;
  await world.until(world.serving(socket, elements).server.handOver());
  t.true(world.now - at >= 1000 && world.now - at < 1100, `${world.now - at}`);
  await world.until(answer);
});

test('what is written while the element hands over waits for the next one, and a stream goes on whole', async (t) => {
  const world = await World.echo(2);
  const socket = world.client();
  const got = collect(socket);
  let expected = '';
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 20; i++) {
      const piece = `${round}.${i} `;
      expected += piece;
      socket.write(piece);
    }
    if (round === 2) void world.serving(socket, world.elements).server.handOver();
    await world.run(1);
  }
  socket.end();
  const [hadError] = await world.until(event(socket, 'close'));
  t.false(hadError);
  t.is(got.text, expected);
});

test('handing over twice, or after close, is handing over once', async (t) => {
  const { world, elements, executed } = await slow(2, 1000);
  const socket = world.client();
  const answer = socket.request('one');
  await world.until(() => executed.length === 1);
  const { server } = world.serving(socket, elements);
  let closes = 0;
  server.on('close', () => closes++);
  server.close();
  const both = [server.handOver(), server.handOver()];
  await world.until(Promise.all(both));
  await world.until(answer);
  t.is(closes, 1);
  t.deepEqual(executed, ['one']);
  await t.throwsAsync(server.handOver(), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
});

test('a full element turns a user away before it has connected, and is not reported', async (t) => {
  const world = await World.echo(2);
  for (const { server } of world.elements) server.maxConnections = 1;
  const users = [world.client(), world.client()];
  await world.until(() => users.every((user) => !user.connecting));
  const before = world.elements.map(({ sockets }) => sockets.length);
  const late = world.client({ connectTimeout: 2000 });
  late.write('waits');
  let connects = 0;
  late.on('connect', () => connects++);
  const [error] = (await world.until(event(late, 'error'))) as [AggregateError];
  t.is(connects, 0);
  t.true(
    error.errors.every((one) => code((one as Error).cause) === 'ERR_RSERPOOL_LIMIT'),
    `${error.errors}`,
  );
  t.deepEqual(
    world.elements.map(({ sockets }) => sockets.length),
    before,
  );
  t.is(late.retrieve().unsent.length, 1, 'what was never sent is unsent');
});

test('handOverOn listens for its signals while the server does', async (t) => {
  const world = new World();
  world.registrar();
  const counts = (): number[] => ['SIGTERM', 'SIGUSR2'].map((signal) => process.listenerCount(signal));
  const before = counts();
  const { server } = world.element(undefined, { handOverOn: ['SIGTERM', 'SIGUSR2'] });
  t.deepEqual(
    counts(),
    before.map((count) => count + 1),
  );
  const more = Array.from({ length: 20 }, () => world.element(undefined, { handOverOn: 'SIGTERM' }));
  t.deepEqual(
    counts(),
    before.map((count) => count + 1),
    'one for all servers of the process',
  );
  await world.until(() => [...more.map((element) => element.server), server].every(({ registered }) => registered));
  const close = (one: Server): Promise<void> => new Promise((resolve) => void one.close(() => resolve()));
  await world.until(close(server));
  t.deepEqual(counts(), [(before[0] as number) + 1, before[1]]);
  await world.until(Promise.all(more.map((element) => close(element.server))));
  t.deepEqual(counts(), before);
  for (const [handOverOn, expected] of [
    ['SIGKILL', 'ERR_INVALID_ARG_VALUE'],
    ['term', 'ERR_INVALID_ARG_VALUE'],
    [15, 'ERR_INVALID_ARG_TYPE'],
  ] as const) {
    const options = { poolHandle: 'echo', scope: world.scope(world.spawn('element')), handOverOn: handOverOn as never };
    t.throws(() => new Server().listen(options), { code: expected });
  }
});
