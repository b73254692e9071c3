import test from 'ava';
import type { RserpoolError } from '../../lib/errors.js';
import { collect, event, type TestElement, World } from './world.js';

const identifierOf = ({ server }: TestElement): number => server.peIdentifier as number;

/** Three elements, each of which tells whoever connects who it is. */
async function telling(): Promise<{ world: World; elements: TestElement[] }> {
  const world = new World();
  world.registrar();
  const elements = [1, 2, 3].map((peIdentifier) => tellingElement(world, peIdentifier));
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements };
}

function tellingElement(world: World, peIdentifier: number): TestElement {
  return world.element(() => {}, { peIdentifier, onMessage: (message) => void message.reply(`from ${peIdentifier}`) });
}

test('a user that names an element gets that one, however often it connects', async (t) => {
  const { world } = await telling();
  for (let i = 0; i < 5; i++) {
    const socket = world.client({ element: 2 });
    const { data } = await world.until(socket.request('who'));
    t.is(Buffer.from(data).toString(), 'from 2');
    t.is(socket.element?.identifier, 2);
  }
});

test('when it fails its user waits for it, goes nowhere else, and goes on where it comes back', async (t) => {
  const { world, elements } = await telling();
  const socket = world.client({ element: 2 });
  await world.until(socket.request('who'));
  const [first, second, third] = elements as [TestElement, TestElement, TestElement];
  const known = await world.until(world.scope(world.spawn('reader')).resolve('echo'));
  second.server.setBusinessCard(known.elements.filter(({ identifier }) => identifier !== 2));
  await world.run(100);
  second.process.kill();
  const answer = socket.request('who');
  await world.run(3000);
  t.is(first.sockets.length + third.sockets.length, 0);
  const back = tellingElement(world, 2);
  const { data } = await world.until(answer);
  t.is(Buffer.from(data).toString(), 'from 2');
  t.is(back.sockets.length, 1);
  t.is(first.sockets.length + third.sockets.length, 0);
  socket.failOver();
  await world.until(event(socket, 'failover'));
  t.is(socket.element?.identifier, 2);
});

test('an element that is gone is an error that says so, and what was not delivered is handed back', async (t) => {
  const { world, elements } = await telling();
  const socket = world.client({ element: 2, failoverTimeout: 3000 });
  await world.until(socket.request('who'));
  const second = elements.find((element) => identifierOf(element) === 2) as TestElement;
  await world.until(second.server.handOver());
  const errors = event(socket, 'error') as Promise<[AggregateError & { code: string }]>;
  socket.send('kept');
  const [error] = await world.until(errors);
  t.is(error.code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.true(
    error.errors.some(({ code }: RserpoolError) => code === 'ERR_RSERPOOL_UNKNOWN_ELEMENT'),
    `${error.errors}`,
  );
  t.is(Buffer.from(socket.retrieve().unsent[0]?.data ?? []).toString(), 'kept');
});

test('an element that never was is waited for until the time runs out, or the rounds', async (t) => {
  const { world } = await telling();
  for (const [options, least, most] of [
    [{ connectTimeout: 2000 }, 2000, 2001],
    [{ maxRounds: 1 }, 0, 100],
    [{ maxRounds: 3 }, 100, 1000],
  ] as const) {
    const at = world.now;
    const [error] = (await world.until(event(world.client({ element: 77, ...options }), 'error'))) as [RserpoolError];
    t.is(error.code, 'ERR_RSERPOOL_UNKNOWN_ELEMENT');
    t.is(error.element, 77);
    t.true(world.now - at >= least && world.now - at <= most, `${JSON.stringify(options)}: ${world.now - at} ms`);
  }
  t.throws(() => world.client({ element: 0 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => world.client({ maxRounds: 0 }), { code: 'ERR_OUT_OF_RANGE' });
});

test('with rounds to count, a pool of dead elements is given up before its time', async (t) => {
  const { world, elements } = await telling();
  const scope = world.scope(world.spawn('user'));
  await world.until(scope.resolve('echo'));
  for (const { process } of elements) process.kill();
  const at = world.now;
  const [error] = await world.until(event(world.client({ scope, maxRounds: 2 }), 'error'));
  t.true(error instanceof AggregateError || (error as RserpoolError).code === 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.true(world.now - at < 5000, `${world.now - at} ms`);
});

test('one process can be in several pools, by several scopes, as element and as user', async (t) => {
  const world = new World();
  world.registrar();
  const process = world.spawn('both');
  const scopes = [world.scope(process), world.scope(process)] as const;
  const name = (pool: string) => (socket: NodeJS.WritableStream) => void socket.write(`from ${pool}`);
  const here = [
    world.element(name('a'), { poolHandle: 'a', scope: scopes[0], port: 101 }),
    world.element(name('b'), { poolHandle: 'b', scope: scopes[0], port: 102 }),
    world.element(name('c'), { poolHandle: 'c', scope: scopes[1], port: 103 }),
  ];
  await world.until(() => here.every(({ server }) => server.registered));
  const users = scopes.flatMap((scope) =>
    ['a', 'b', 'c'].map((poolHandle) => collect(world.client({ poolHandle, scope }))),
  );
  await world.until(() => users.every(({ text }) => text !== ''));
  t.deepEqual(
    users.map(({ text }) => text),
    ['from a', 'from b', 'from c', 'from a', 'from b', 'from c'],
  );
  scopes[0].close();
  const late = collect(world.client({ poolHandle: 'c', scope: scopes[1] }));
  await world.until(() => late.text === 'from c');
});
