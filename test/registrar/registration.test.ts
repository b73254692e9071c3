import test from 'ava';
import { causeCode, type PoolElement } from '../../lib/wire/parameters.js';
import { poolElement, type Scripted, World } from '../asap/world.js';

function element(world: World, address: string, facts: Partial<PoolElement> = {}, identifier = 1): Scripted {
  const far = world.scripted(address).connect('10.0.0.1');
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(identifier, address, facts) });
  world.run(10);
  return far;
}

function causes(far: Scripted): number[] {
  return far.messages('registrationResponse').flatMap(({ errors }) => errors.map(({ code }) => code));
}

test('rule 4: the registrar becomes the owner and records the address it was called from', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1', { serverId: 77 });
  const far = element(world, '10.0.0.5');
  t.like(far.messages('registrationResponse')[0], { rejected: false, peIdentifier: 1, errors: [] });
  const stored = registrar.handlespace.entry('echo', 1);
  t.is(stored?.owner, 77);
  t.deepEqual(stored?.element.asapTransport, {
    type: 'tcp',
    port: far.streams[0]?.localAddress.port ?? 0,
    address: '10.0.0.5',
  });
});

test('an advertised ASAP transport is kept, and unspecified addresses are filled in', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  element(world, '10.0.0.5', {
    userTransport: { type: 'tcp', port: 7, address: '0.0.0.0' },
    asapTransport: { type: 'tcp', port: 9, address: '::' },
    mappings: [{ mapping: 2, version: 1, transports: [{ type: 'tcp', port: 7, address: '0.0.0.0' }] }],
  });
  const stored = registrar.handlespace.entry('echo', 1)?.element;
  t.deepEqual(stored?.userTransport, { type: 'tcp', port: 7, address: '10.0.0.5' });
  t.deepEqual(stored?.asapTransport, { type: 'tcp', port: 9, address: '10.0.0.5' });
  t.deepEqual(stored?.mappings?.[0]?.transports, [{ type: 'tcp', port: 7, address: '10.0.0.5' }]);
});

for (const [what, facts, expected] of [
  [
    'a foreign user address',
    { userTransport: { type: 'tcp', port: 7, address: '10.6.6.6' } },
    causeCode.rejectedDueToSecurity,
  ],
  [
    'a foreign ASAP address',
    { asapTransport: { type: 'tcp', port: 7, address: '10.6.6.6' } },
    causeCode.rejectedDueToSecurity,
  ],
  ['a registration life of 0', { registrationLife: 0 }, causeCode.invalidValues],
  ['a registration life of -2', { registrationLife: -2 }, causeCode.invalidValues],
  ['extensions beyond maxRegistrationSize', { extensions: [extension(2_000)] }, causeCode.lackOfResources],
] as const) {
  test(`${what} is rejected with cause ${expected}`, (t) => {
    const world = new World();
    const { registrar } = world.registrar('10.0.0.1');
    const far = element(world, '10.0.0.5', facts);
    t.deepEqual(causes(far), [expected]);
    t.true(far.messages('registrationResponse')[0]?.rejected);
    t.is(registrar.handlespace.elementCount, 0);
  });
}

function extension(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, 0x8abc0000 | length);
  return bytes;
}

test('acceptForeignAddresses accepts elements behind address translation', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1', { acceptForeignAddresses: true });
  element(world, '10.0.0.5', { userTransport: { type: 'tcp', port: 7, address: '192.0.2.1' } });
  t.is(registrar.handlespace.elementCount, 1);
});

test('rule 2: another policy, transport type or use than the pool has is rejected', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  element(world, '10.0.0.5', {}, 1);
  t.deepEqual(causes(element(world, '10.0.0.6', { policy: { type: 'random' } }, 2)), [
    causeCode.inconsistentPoolPolicy,
  ]);
  const udp = { type: 'udp', port: 7, address: '10.0.0.7' } as const;
  t.deepEqual(causes(element(world, '10.0.0.7', { userTransport: udp }, 3)), [causeCode.inconsistentTransportType]);
});

test('rule 2: an SCTP element of another use than the pool has is rejected with its own cause', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const sctp = (address: string, use: 'dataOnly' | 'dataPlusControl') =>
    ({ type: 'sctp', port: 7, use, addresses: [address] }) as const;
  element(world, '10.0.0.5', { userTransport: sctp('10.0.0.5', 'dataOnly') }, 1);
  const other = element(world, '10.0.0.6', { userTransport: sctp('10.0.0.6', 'dataPlusControl') }, 2);
  t.deepEqual(causes(other), [causeCode.inconsistentDataControlConfiguration]);
  t.deepEqual(causes(element(world, '10.0.0.7', { userTransport: sctp('10.0.0.7', 'dataOnly') }, 3)), []);
});

test('one connection may have several elements in several pools; all of them go with it', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  for (const poolHandle of ['echo', 'time']) {
    for (const identifier of [1, 2, 3]) {
      far.send({ type: 'registration', poolHandle, poolElement: poolElement(identifier, '10.0.0.5') });
    }
  }
  world.run(10);
  t.deepEqual(causes(far), []);
  t.deepEqual(
    [...registrar.handlespace.pools()].map(({ poolHandle, size }) => `${poolHandle} ${size}`),
    ['echo 3', 'time 3'],
  );
  far.send({ type: 'deregistration', poolHandle: 'time', peIdentifier: 2 });
  world.run(10);
  t.is(registrar.handlespace.elementCount, 5);
  far.process.kill();
  world.run(100);
  t.is(registrar.handlespace.elementCount, 0);
});

test('an identifier that another living element holds is rejected as not unique', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  element(world, '10.0.0.5');
  t.deepEqual(causes(element(world, '10.0.0.6')), [causeCode.nonUniquePeIdentifier]);
  t.deepEqual(registrar.handlespace.entry('echo', 1)?.element.userTransport, {
    type: 'tcp',
    port: 7,
    address: '10.0.0.5',
  });
});

test('an element that comes over a new connection before the old one is known to be broken keeps its place', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const old = element(world, '10.0.0.5');
  const fresh = element(world, '10.0.0.5');
  t.deepEqual(causes(fresh), []);
  old.process.dispatch('input', () => old.channels[0]?.abort());
  world.run(1_000);
  t.is(registrar.handlespace.elementCount, 1);
});

test('more elements than a connection may register are rejected', (t) => {
  const world = new World();
  world.registrar('10.0.0.1', { limits: { maxElementsPerConnection: 1 } });
  const far = element(world, '10.0.0.5');
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(2, '10.0.0.5') });
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, '10.0.0.5') });
  world.run(10);
  t.deepEqual(causes(far), [causeCode.lackOfResources]);
});

test('an element deregisters itself; a stranger may not', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const far = element(world, '10.0.0.5');
  const stranger = world.scripted('10.0.0.6').connect('10.0.0.1');
  stranger.send({ type: 'deregistration', poolHandle: 'echo', peIdentifier: 1 });
  world.run(10);
  t.is(stranger.messages('deregistrationResponse')[0]?.errors[0]?.code, causeCode.rejectedDueToSecurity);
  t.is(registrar.handlespace.elementCount, 1);
  far.send({ type: 'deregistration', poolHandle: 'echo', peIdentifier: 1 });
  world.run(10);
  t.deepEqual(far.messages('deregistrationResponse')[0]?.errors, []);
  t.is(registrar.handlespace.elementCount, 0);
});

test('deregistering what is not registered is granted', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const far = world
    .scripted('10.0.0.5')
    .connect('10.0.0.1')
    .send({ type: 'deregistration', poolHandle: 'echo', peIdentifier: 1 });
  world.run(10);
  t.deepEqual(far.messages('deregistrationResponse')[0]?.errors, []);
});

test('when the registration life is over the element is removed and told', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1', { timers: { keepAliveInterval: 3_600_000 } });
  const far = element(world, '10.0.0.5', { registrationLife: 2 });
  const registered = far.instants('registrationResponse')[0] ?? 0;
  world.run(10_000);
  t.is(registrar.handlespace.elementCount, 0);
  t.deepEqual(far.instants('deregistrationResponse'), [registered + 2_000]);
});

test('an element that was registered with a short life and renews it stays', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const log = world.user('10.0.0.5').register({ registrationLife: 1_000 });
  world.run(60_000);
  t.is(registrar.handlespace.elementCount, 1);
  t.false(log.events.some(({ type }) => type === 'expired'));
});

test('an element frozen for long is removed, registers again when it thaws, and says so', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.5');
  const log = user.register();
  world.run(100);
  user.process.freeze();
  world.run(9_000);
  t.is(registrar.handlespace.elementCount, 0);
  user.process.thaw();
  world.run(10);
  t.is(registrar.handlespace.elementCount, 1);
  t.deepEqual(
    log.events.map(({ type }) => type),
    ['registered', 'expired', 'registered'],
  );
});

test('an element whose connection broke is out of the answers at once and out of the pool after 50 ms', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  element(world, '10.0.0.6', {}, 2);
  const far = element(world, '10.0.0.5');
  far.process.kill();
  world.run(0);
  t.deepEqual(
    registrar.handlespace.resolve('echo')?.elements.map(({ identifier }) => identifier),
    [2],
  );
  t.is(registrar.handlespace.elementCount, 2);
  world.run(49);
  t.is(registrar.handlespace.elementCount, 2);
  world.run(1);
  t.is(registrar.handlespace.elementCount, 1);
});

test('an element that registers again within 50 ms after its connection broke was never gone for subscribers', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const far = element(world, '10.0.0.5', { asapTransport: { type: 'tcp', port: 9, address: '10.0.0.5' } });
  const subscriber = world.scripted('10.0.0.6').connect('10.0.0.1');
  subscriber.send({ type: 'handleResolution', subscribe: true, poolHandle: 'echo' });
  world.run(10);
  far.process.dispatch('input', () => far.channels[0]?.abort());
  element(world, '10.0.0.5', { asapTransport: { type: 'tcp', port: 9, address: '10.0.0.5' } });
  world.run(1_000);
  t.is(subscriber.messages('handleResolutionResponse').length, 1);
});

test('a registrar in the way of closing answers nobody and ends its connections', (t) => {
  const world = new World();
  const { registrar, process } = world.registrar('10.0.0.1');
  const far = element(world, '10.0.0.5');
  const closed: number[] = [];
  process.dispatch('input', () => void registrar.close(() => closed.push(world.now)));
  world.run(2_000);
  t.is(far.closed.length, 1);
  t.is(closed.length, 1);
});

test('an element that a peer announces as its own is no longer ours to watch or to remove', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const far = element(world, '10.0.0.5');
  const moved = registrar.handlespace.entry('echo', 1)?.element as PoolElement;
  registrar.handlespace.replicate(
    'echo',
    { ...moved, homeServerId: 99 },
    { now: world.now, owner: 99, expires: false },
  );
  far.process.kill();
  world.run(60_000);
  t.is(registrar.handlespace.entry('echo', 1)?.owner, 99);
  t.is(registrar.stats.keepAlivesSent, 0);
});

test('a registrar that was frozen reads renewals before it lets registration lives end', (t) => {
  const world = new World(0);
  const { registrar, process } = world.registrar('10.0.0.1', { timers: { keepAliveInterval: 3_600_000 } });
  const removed: string[] = [];
  registrar.on('change', ({ type, reason }) => void (type === 'removed' && removed.push(reason)));
  const far = element(world, '10.0.0.5', { registrationLife: 10 });
  process.freeze();
  world.run(8_000);
  const poolElementAgain = poolElement(1, '10.0.0.5', { registrationLife: 10 });
  far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElementAgain });
  world.run(4_000);
  process.thaw();
  world.run(9_900);
  t.deepEqual(removed, []);
  world.run(101);
  t.deepEqual(removed, ['expiry']);
});
