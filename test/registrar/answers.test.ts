import test from 'ava';
import { causeCode } from '../../lib/wire/parameters.js';
import { poolElement, type Scripted, World } from '../asap/world.js';

const resolution = { type: 'handleResolution', subscribe: false, poolHandle: 'echo' } as const;

function register(far: Scripted, identifier: number, address: string, load = 0): void {
  const facts = {
    policy: { type: 'leastUsed', load },
    asapTransport: { type: 'tcp', port: 9, address },
  } as const;
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(identifier, address, facts) });
}

test('an answer names the policy of the pool and its elements, as many as are wanted', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  for (let i = 1; i <= 5; i++) register(far, i, '10.0.0.5', i);
  const user = world.scripted('10.0.0.6').connect('10.0.0.1');
  user.send(resolution).send({ ...resolution, elementsWanted: 2 });
  world.run(10);
  const [all, two] = user.messages('handleResolutionResponse');
  t.is(all?.policy?.type, 'leastUsed');
  t.false(all?.accepted);
  t.is(all?.poolElements.length, 5);
  t.deepEqual(
    two?.poolElements.map(({ identifier }) => identifier),
    [1, 2],
  );
});

test('an unknown pool is answered with Unknown Pool Handle and without a subscription', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const user = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .send({ ...resolution, subscribe: true });
  world.run(10);
  const [answer] = user.messages('handleResolutionResponse');
  t.is(answer?.errors[0]?.code, causeCode.unknownPoolHandle);
  t.false(answer?.accepted);
  t.is(registrar.stats.subscriptions, 0);
});

test('a subscriber is told of additions, changes and removals, and not of renewals', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  register(far, 1, '10.0.0.5', 1);
  const user = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .send({ ...resolution, subscribe: true });
  world.run(50);
  const heard = (): string =>
    user
      .messages('handleResolutionResponse')
      .map(({ accepted, poolElements }) => `${accepted ? 'A' : '-'}${poolElements.length}`)
      .join(' ');
  t.is(heard(), 'A1');
  register(far, 1, '10.0.0.5', 1);
  world.run(50);
  t.is(heard(), 'A1');
  register(far, 1, '10.0.0.5', 9);
  world.run(50);
  t.is(heard(), 'A1 A1');
  register(far, 2, '10.0.0.5', 0);
  register(far, 3, '10.0.0.5', 0);
  world.run(50);
  t.regex(heard(), /^A1 A1 A3$/);
  for (const peIdentifier of [1, 2, 3]) far.send({ type: 'deregistration', poolHandle: 'echo', peIdentifier });
  world.run(50);
  t.true(heard().endsWith('-0'));
});

test('a resolution without the S bit ends the subscription', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  register(far, 1, '10.0.0.5');
  const user = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .send({ ...resolution, subscribe: true });
  world.run(10);
  t.is(registrar.stats.subscriptions, 1);
  user.send(resolution);
  world.run(10);
  t.is(registrar.stats.subscriptions, 0);
});

test('more subscriptions than a connection may have are answered without the A bit', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1', { limits: { maxSubscriptionsPerConnection: 1 } });
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  for (const poolHandle of ['one', 'two'])
    far.send({ type: 'registration', poolHandle, poolElement: poolElement(1, '10.0.0.5') });
  const user = world.scripted('10.0.0.6').connect('10.0.0.1');
  for (const poolHandle of ['one', 'two']) user.send({ ...resolution, poolHandle, subscribe: true });
  world.run(10);
  t.deepEqual(
    user.messages('handleResolutionResponse').map(({ accepted }) => accepted),
    [true, false],
  );
  user.process.kill();
  world.run(10);
  t.is(registrar.stats.subscriptions, 0);
});

test('an answer that would not fit one message names as many elements as fit', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  const extension = new Uint8Array(1_200);
  new DataView(extension.buffer).setUint32(0, 0x8abc0000 | 1_200);
  for (let i = 1; i <= 100; i++) {
    far.send({
      type: 'registration',
      poolHandle: 'echo',
      poolElement: poolElement(i, '10.0.0.5', { extensions: [extension] }),
    });
  }
  const user = world.scripted('10.0.0.6').connect('10.0.0.1').send(resolution);
  world.run(100);
  const [answer] = user.messages('handleResolutionResponse');
  t.true((answer?.poolElements.length ?? 0) > 45);
  t.true((answer?.poolElements.length ?? 0) < 55);
});

test('elements that grow as their addresses are filled in do not make an answer too large', (t) => {
  const world = new World();
  const { registrar } = world.registrar('fd00::1');
  const far = world.scripted('fd00::5').connect('fd00::1');
  // 80 addresses of 16 bytes, each of which becomes an IPv6 address of 28.
  const transports = Array.from({ length: 20 }, (_, i) => ({ type: 'tcp', port: i, address: '0.0.0.0' }) as const);
  const mappings = [2, 2, 2, 2].map((mapping) => ({ mapping, version: 1, transports }));
  for (let i = 1; i <= 41; i++) {
    far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(i, '0.0.0.0', { mappings }) });
  }
  const user = world.scripted('fd00::6').connect('fd00::1').send(resolution);
  world.run(100);
  t.is(registrar.handlespace.elementCount, 41);
  const [answer] = user.messages('handleResolutionResponse');
  t.true((answer?.poolElements.length ?? 0) > 20);
  t.true((answer?.poolElements.length ?? 0) < 41);
});

test('an element of a peer that fills a message by itself is answered with Lack of Resources', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const extension = new Uint8Array(65_000);
  new DataView(extension.buffer).setUint32(0, 0x8abc0000 | 65_000);
  const facts = { extensions: [extension] };
  const poolHandle = 'echo'.repeat(200);
  registrar.handlespace.replicate(poolHandle, poolElement(1, '10.0.0.5', facts), { now: world.now });
  const user = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .send({ ...resolution, poolHandle });
  world.run(100);
  t.is(user.messages('handleResolutionResponse')[0]?.errors[0]?.code, causeCode.lackOfResources);
});

test('a subscriber who was told of a pool while an element had lost its connection hears when it is back', (t) => {
  const world = new World(0);
  world.registrar('10.0.0.1', { timers: { removalDelay: 1_000 } });
  const first = world.scripted('10.0.0.5').connect('10.0.0.1');
  register(first, 1, '10.0.0.5');
  const second = world.scripted('10.0.0.7').connect('10.0.0.1');
  const user = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .send({ ...resolution, subscribe: true });
  world.run(10);
  first.process.kill();
  world.run(10);
  register(second, 2, '10.0.0.7');
  world.run(50);
  register(world.scripted('10.0.0.5').connect('10.0.0.1'), 1, '10.0.0.5');
  world.run(100);
  const answers = user.messages('handleResolutionResponse').map(({ poolElements }) => poolElements.length);
  t.deepEqual(answers, [1, 1, 2]);
});

test('subscribers who want more than an answer may hold share one push', (t) => {
  const world = new World();
  world.registrar('10.0.0.1', { limits: { maxElementsPerAnswer: 2 } });
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  for (const identifier of [1, 2, 3]) {
    far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(identifier, '10.0.0.5') });
  }
  const wishes = [{}, { elementsWanted: 0 }, { elementsWanted: 3 }, { elementsWanted: 0xffffffff }];
  const users = wishes.map((wish, i) =>
    world
      .scripted(`10.0.1.${i}`)
      .connect('10.0.0.1')
      .send({ ...resolution, ...wish, subscribe: true }),
  );
  world.run(10);
  far.send({ type: 'deregistration', poolHandle: 'echo', peIdentifier: 3 });
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(4, '10.0.0.5') });
  world.run(10);
  const pushes = users.map((user) =>
    (user.messages('handleResolutionResponse').at(-1)?.poolElements ?? []).map(({ identifier }) => identifier),
  );
  t.is(pushes[0]?.length, 2);
  for (const push of pushes) t.deepEqual(push, pushes[0]);
});

test('an element that changes without end is pushed at once, then every 20 ms at most, its latest state last', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  register(far, 1, '10.0.0.5', 0);
  const user = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .send({ ...resolution, subscribe: true });
  world.run(10);
  const start = world.now;
  for (let load = 1; load <= 100; load++) {
    register(far, 1, '10.0.0.5', load);
    world.run(1);
  }
  world.run(20);
  const instants = user.instants('handleResolutionResponse').slice(1);
  t.deepEqual(
    instants.map((at) => at - start),
    [0, 20, 40, 60, 80, 100],
  );
  t.deepEqual(user.messages('handleResolutionResponse').at(-1)?.poolElements[0]?.policy, {
    type: 'leastUsed',
    load: 100,
  });
  t.is(registrar.stats.pushes, 6);
});
