import test from 'ava';
import type { PoolElement } from '../../lib/wire/parameters.js';
import { poolElement, type Scripted, World } from '../asap/world.js';

/** An element that registers and acknowledges keep-alives as long as `alive` says so. */
function element(
  world: World,
  address: string,
  alive: () => boolean = () => true,
  facts: Partial<PoolElement> = {},
): Scripted {
  const far = world.scripted(address).connect('10.0.0.1');
  far.onMessage = (message, channel) => {
    if (message.type !== 'endpointKeepAlive' || !alive()) return;
    channel.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
  };
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, address, facts) });
  world.run(10);
  return far;
}

const report = { type: 'endpointUnreachable', poolHandle: 'echo', peIdentifier: 1 } as const;

test('keep-alives come every 5 s, each time 50 % more or less', (t) => {
  const world = new World(0);
  world.registrar('10.0.0.1', { serverId: 77 });
  const far = element(world, '10.0.0.5');
  world.run(100_000);
  const instants = far.instants('endpointKeepAlive');
  const waits = instants.slice(1).map((at, i) => at - (instants[i] ?? 0));
  t.true(waits.length >= 13);
  for (const wait of waits) t.true(wait >= 2_500 && wait <= 7_500, `${wait}`);
  t.is(new Set(waits).size, waits.length);
  t.deepEqual(far.messages('endpointKeepAlive')[0], {
    type: 'endpointKeepAlive',
    home: false,
    serverId: 77,
    poolHandle: 'echo',
    peIdentifier: 1,
  });
});

test('an element that goes silent is removed one second after the keep-alive that it missed', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  const removed: number[] = [];
  registrar.on(
    'change',
    ({ type, reason }) => void (type === 'removed' && reason === 'unreachable' && removed.push(world.now)),
  );
  const far = element(world, '10.0.0.5', () => world.now < 20_000);
  world.run(40_000);
  t.deepEqual(removed, [(far.instants('endpointKeepAlive').at(-1) ?? 0) + 1_000]);
  t.deepEqual(far.instants('deregistrationResponse'), removed);
});

test('a report of unreachability is followed by a keep-alive at once, and the element that answers stays', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1', { timers: { keepAliveInterval: 3_600_000 } });
  const far = element(world, '10.0.0.5');
  world.run(1_000);
  world.scripted('10.0.0.6').connect('10.0.0.1').send(report);
  const reported = world.now;
  world.run(5_000);
  t.deepEqual(far.instants('endpointKeepAlive'), [reported]);
  t.is(registrar.handlespace.elementCount, 1);
});

test('a reported element that does not answer is removed after a second', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1', { timers: { keepAliveInterval: 3_600_000 } });
  element(world, '10.0.0.5', () => false);
  world.run(1_000);
  world.scripted('10.0.0.6').connect('10.0.0.1').send(report);
  world.run(999);
  t.is(registrar.handlespace.elementCount, 1);
  world.run(1);
  t.is(registrar.handlespace.elementCount, 0);
});

test('one reporter counts once; more than MAX-BAD-PE-REPORT reporters have an element removed that answers', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  element(world, '10.0.0.5');
  const reporters = [6, 7, 8, 9].map((host) => world.scripted(`10.0.0.${host}`).connect('10.0.0.1'));
  for (let i = 0; i < 20; i++) reporters[0]?.send(report);
  reporters[1]?.send(report);
  reporters[2]?.send(report);
  world.run(1_000);
  t.is(registrar.handlespace.elementCount, 1);
  reporters[3]?.send(report);
  world.run(1);
  t.is(registrar.handlespace.elementCount, 0);
});

test('reports of long ago do not count', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  element(world, '10.0.0.5');
  for (const host of [6, 7, 8, 9]) {
    world.scripted(`10.0.0.${host}`).connect('10.0.0.1').send(report);
    world.run(30_000);
  }
  t.is(registrar.handlespace.elementCount, 1);
});

test('a flood of reports does not become a flood of keep-alives', (t) => {
  const world = new World(0);
  world.registrar('10.0.0.1', { timers: { keepAliveInterval: 3_600_000 } });
  const far = element(world, '10.0.0.5');
  world.run(1_000);
  const reporter = world.scripted('10.0.0.6').connect('10.0.0.1');
  for (let i = 0; i < 1_000; i++) {
    reporter.send(report);
    world.run(1);
  }
  t.true(far.messages('endpointKeepAlive').length <= 11, `${far.messages('endpointKeepAlive').length}`);
});

test('an element that never called this registrar is asked at its ASAP transport', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').listen(9);
  far.onMessage = (_, channel) =>
    void channel.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
  const asapTransport = { type: 'tcp', port: 9, address: '10.0.0.5' } as const;
  registrar.handlespace.replicate('echo', poolElement(1, '10.0.0.5', { asapTransport, homeServerId: 4 }), {
    now: world.now,
  });
  const reporter = world.scripted('10.0.0.6').connect('10.0.0.1').send(report);
  world.run(5_000);
  t.is(far.messages('endpointKeepAlive').length, 1);
  // The connection was for this alone.
  t.is(far.closed.length, 1);
  t.is(registrar.handlespace.elementCount, 1);
  far.process.kill();
  reporter.send(report);
  world.run(10);
  t.is(registrar.handlespace.elementCount, 0);
});

test('nobody acknowledges for another', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  element(world, '10.0.0.5', () => false);
  const stranger = world.scripted('10.0.0.6').connect('10.0.0.1');
  for (let i = 0; i < 100; i++) {
    stranger.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
    world.run(100);
  }
  t.is(registrar.handlespace.elementCount, 0);
});

test('a registrar that was frozen hears who acknowledged meanwhile before it removes anybody', (t) => {
  const world = new World(0);
  const { registrar, process } = world.registrar('10.0.0.1');
  const far = element(world, '10.0.0.5');
  const { onMessage } = far;
  far.onMessage = (message, channel) => {
    process.freeze();
    onMessage(message, channel);
  };
  world.run(10_000);
  t.is(process.state, 'frozen');
  far.onMessage = onMessage;
  process.thaw();
  world.run(10_000);
  t.deepEqual(far.instants('deregistrationResponse'), []);
  t.is(registrar.handlespace.elementCount, 1);
});

test('a registrar that was frozen while it dialled an element gives it time to acknowledge', (t) => {
  const world = new World(10);
  const { registrar, process } = world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').listen(9);
  far.onMessage = (_, channel) =>
    void channel.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
  const asapTransport = { type: 'tcp', port: 9, address: '10.0.0.5' } as const;
  registrar.handlespace.replicate('echo', poolElement(1, '10.0.0.5', { asapTransport, homeServerId: 4 }), {
    now: world.now,
  });
  const reporter = world.scripted('10.0.0.6').connect('10.0.0.1');
  world.run(20);
  reporter.send(report);
  world.run(15);
  process.freeze();
  world.run(5_000);
  process.thaw();
  world.run(5_000);
  t.is(far.messages('endpointKeepAlive').length, 1);
  t.is(registrar.handlespace.elementCount, 1);
});

test('one machine cannot have an element removed that answers, however often it connects', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  element(world, '10.0.0.5');
  for (let i = 0; i < 10; i++) world.scripted('10.0.0.6').connect('10.0.0.1').send(report);
  world.run(1_000);
  t.is(registrar.handlespace.elementCount, 1);
});
