import test from 'ava';
import { poolElement, World } from '../asap/world.js';
import { contents, ownedElement, registrar, ScriptedPeer } from './peers.js';

function updates(peer: ScriptedPeer): string[] {
  return peer.messages('handleUpdate').map(({ action, poolHandle, poolElement: element }) => {
    return `${action} ${poolHandle}/${element.identifier}@${element.homeServerId}`;
  });
}

test('registrations, renewals, changes and ends of our elements are announced, with all of the element', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  const element = world.scripted('10.0.1.1').connect('10.0.0.1');
  element.onMessage = (message, channel) => {
    if (message.type === 'endpointKeepAlive')
      channel.send({ ...message, type: 'endpointKeepAliveAck', peIdentifier: 1 });
  };
  const register = (load: number): void => {
    const policy = { type: 'leastUsed', load } as const;
    element.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, '10.0.1.1', { policy }) });
    world.run(1);
  };
  register(0);
  register(0);
  register(77);
  element.send({ type: 'deregistration', poolHandle: 'echo', peIdentifier: 1 });
  world.run(1);
  t.deepEqual(updates(peer), ['addPe echo/1@100', 'addPe echo/1@100', 'addPe echo/1@100', 'delPe echo/1@100']);
  const changed = peer.messages('handleUpdate')[2];
  t.deepEqual([changed?.senderId, changed?.receiverId], [100, 0]);
  t.deepEqual(changed?.poolElement.policy, { type: 'leastUsed', load: 77 });
  t.deepEqual(changed?.poolElement.userTransport, { type: 'tcp', port: 7, address: '10.0.1.1' });
});

test('an element whose connection breaks is gone from all registrars within 100 ms', (t) => {
  const world = new World(1);
  const servers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(
    (address) => registrar(world, address, { peers: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] }).registrar,
  );
  world.run(6_000);
  const element = world.scripted('10.0.1.1').connect('10.0.0.2');
  element.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, '10.0.1.1') });
  world.run(10);
  for (const server of servers) t.deepEqual(contents(server), ['echo/1@200']);
  element.process.kill();
  world.run(60);
  for (const server of servers) t.deepEqual(contents(server), []);
});

test('a peer announces its elements: added, changed, removed', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send(peer.addPe(1)).send(peer.addPe(2));
  world.run(1);
  t.deepEqual(contents(server), ['echo/1@900', 'echo/2@900']);
  peer.send(
    peer.addPe(1, { policy: { type: 'roundRobin' }, userTransport: { type: 'tcp', port: 99, address: '10.0.1.1' } }),
  );
  world.run(1);
  t.deepEqual(server.handlespace.entry('echo', 1)?.element.userTransport, {
    type: 'tcp',
    port: 99,
    address: '10.0.1.1',
  });
  peer.send(peer.update('delPe', ownedElement(1, 900))).send(peer.update('delPe', ownedElement(3, 900)));
  world.run(1);
  t.deepEqual(contents(server), ['echo/2@900']);
  // Nothing of this is announced again.
  t.deepEqual(updates(peer), []);
});

test('an element announced for another home is not taken', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send(peer.update('addPe', ownedElement(1, 800))).send(peer.update('addPe', ownedElement(2, 100)));
  peer.send(peer.update('addPe', ownedElement(3, 0)));
  world.run(1);
  t.deepEqual(contents(server), ['echo/3@900']);
});

test('a removal by another server than the owner does not count, but the owner asks the element', (t) => {
  const world = new World(0);
  const timers = { keepAliveInterval: 3_600_000, keepAliveTimeout: 1_000 };
  const { registrar: server } = registrar(world, '10.0.0.1', {}, { timers });
  const owner = new ScriptedPeer(world, '10.0.0.8', 800).connect('10.0.0.1');
  const liar = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  owner.send(owner.addPe(1));
  const element = world.scripted('10.0.1.1').connect('10.0.0.1');
  element.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(2, '10.0.1.1') });
  world.run(200);
  liar.send(liar.update('delPe', ownedElement(1, 800))).send(liar.update('delPe', ownedElement(2, 100)));
  world.run(1);
  t.deepEqual(contents(server), ['echo/1@800', 'echo/2@100']);
  t.is(element.messages('endpointKeepAlive').length, 1);
  // It does not answer.
  world.run(1_000);
  t.deepEqual(contents(server), ['echo/1@800']);
});

test("another server's element that we find unreachable is reported to its owner", (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const owner = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  owner.send(owner.addPe(1, { asapTransport: { type: 'tcp', port: 9, address: '10.0.1.1' } }));
  world.run(1);
  world
    .scripted('10.0.2.1')
    .connect('10.0.0.1')
    .send({ type: 'endpointUnreachable', poolHandle: 'echo', peIdentifier: 1 });
  world.run(10);
  t.deepEqual(contents(server), []);
  t.deepEqual(updates(owner), ['delPe echo/1@900']);
});

test('an element that registers elsewhere belongs to its new home; its old one does not remove it', (t) => {
  const world = new World(1);
  const peers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const servers = peers.map((address) => registrar(world, address, { peers }).registrar);
  world.run(6_000);
  const registration = { type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, '10.0.1.1') } as const;
  const element = world.scripted('10.0.1.1').connect('10.0.0.1').send(registration);
  world.run(10);
  element.connect('10.0.0.2').send(registration);
  element.process.dispatch('input', () => element.channels[0]?.close());
  world.run(200);
  for (const server of servers) t.deepEqual(contents(server), ['echo/1@200']);
});

test('a peer that claims an element that is at home here cannot keep it', (t) => {
  const world = new World(1);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const liar = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  const user = world.user('10.0.1.1');
  const { events } = user.register();
  world.run(3_000);
  liar.send(liar.addPe(1, { userTransport: { type: 'tcp', port: 6, address: '10.0.6.6' } }));
  // The element hears that its registration ended, and registers again at once.
  world.run(5);
  t.deepEqual(contents(server), ['echo/1@100']);
  t.deepEqual(server.handlespace.entry('echo', 1)?.element.userTransport, {
    type: 'tcp',
    port: 7,
    address: '10.0.1.1',
  });
  t.deepEqual(
    events.map(({ type }) => type),
    ['registered', 'expired', 'registered'],
  );
  t.is(updates(liar).at(-1), 'addPe echo/1@100');
});

test('a registration that arrives late over a connection given up does not tie the element to it', (t) => {
  const world = new World(1);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const registration = { type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, '10.0.1.1') } as const;
  const element = world.scripted('10.0.1.1').connect('10.0.0.1').send(registration);
  element.connect('10.0.0.1').send(registration);
  world.run(10);
  const [former] = element.channels;
  element.process.dispatch('input', () => {
    former?.send(registration);
    former?.close();
  });
  world.run(1_000);
  t.deepEqual(contents(server), ['echo/1@100']);
});

test('an element that deregisters at another server than its home is gone from all', (t) => {
  const world = new World(1);
  const peers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const servers = peers.map((address) => registrar(world, address, { peers }).registrar);
  world.run(6_000);
  const registration = { type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, '10.0.1.1') } as const;
  const element = world.scripted('10.0.1.1').connect('10.0.0.1').send(registration);
  world.run(10);
  element.connect('10.0.0.2').send({ type: 'deregistration', poolHandle: 'echo', peIdentifier: 1 });
  world.run(200);
  for (const server of servers) t.deepEqual(contents(server), []);
  world.run(5_000);
  for (const server of servers) t.deepEqual(contents(server), []);
});
