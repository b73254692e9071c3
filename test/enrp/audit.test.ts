import test from 'ava';
import { poolElement, World } from '../asap/world.js';
import { contents, emptyChecksum, ownedElement, registrar, ScriptedPeer } from './peers.js';

function tableRequests(peer: ScriptedPeer): number {
  return peer.messages('handleTableRequest').filter(({ ownChildrenOnly }) => ownChildrenOnly).length;
}

test('a checksum that differs is followed by a request for the own elements at once; what is not listed is removed', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send(peer.addPe(1)).send(peer.addPe(2));
  world.run(1);
  peer.clear();
  peer.elements = [ownedElement(2, 900), ownedElement(3, 900)];
  peer.checksum = 0x1234;
  const removed: string[] = [];
  server.on(
    'change',
    ({ type, reason, identifier }) => void (type === 'removed' && removed.push(`${identifier} ${reason}`)),
  );
  peer.send(peer.presence());
  const at = world.now;
  world.run(1);
  t.deepEqual(peer.instants('handleTableRequest'), [at]);
  t.deepEqual(contents(server), ['echo/2@900', 'echo/3@900']);
  t.deepEqual(removed, ['1 handleTable']);
  // Silently.
  t.deepEqual(peer.messages('handleUpdate'), []);
});

test('a checksum that agrees is followed by nothing', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  // The first time, since updates may have been missed that the checksum does not show.
  t.is(tableRequests(peer), 1);
  peer.clear();
  for (let i = 0; i < 5; i++) {
    peer.send(peer.presence());
    world.run(100);
  }
  t.is(tableRequests(peer), 0);
});

test('after a broken connection attributes are compared too, which the checksum does not cover', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send(peer.addPe(1, { policy: { type: 'leastUsed', load: 1 } }));
  world.run(1);
  const checksum = server.handlespace.checksum(900);
  peer.process.dispatch('input', () => peer.channels[0]?.abort());
  world.run(10);
  peer.elements = [ownedElement(1, 900, { policy: { type: 'leastUsed', load: 2 } })];
  peer.checksum = checksum;
  peer.connect('10.0.0.1');
  t.deepEqual(server.handlespace.entry('echo', 1)?.element.policy, { type: 'leastUsed', load: 2 });
});

test('what is announced while the table is sent is not removed', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send(peer.addPe(1)).send(peer.addPe(2));
  world.run(1);
  peer.polite = false;
  peer.checksum = 1;
  peer.send(peer.presence());
  world.run(1);
  const empty = { type: 'handleTableResponse', senderId: 900, receiverId: 100, rejected: false } as const;
  peer.send({
    ...empty,
    moreToSend: true,
    poolEntries: [{ poolHandle: 'echo', poolElements: [ownedElement(3, 900)] }],
  });
  peer.send(peer.addPe(1));
  peer.send({ ...empty, moreToSend: false, poolEntries: [] });
  world.run(1);
  t.deepEqual(contents(server), ['echo/1@900', 'echo/3@900']);
});

test('a peer that refuses its table is asked again at its next presence; one that does not answer loses its connection', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { timers: { maxTimeNoResponse: 2_000 } });
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send(peer.addPe(1));
  world.run(1);
  peer.polite = false;
  peer.checksum = 1;
  const refusal = { type: 'handleTableResponse', senderId: 900, receiverId: 100, rejected: true } as const;
  for (let i = 0; i < 10; i++) {
    peer.clear();
    peer.send(peer.presence());
    world.run(1);
    t.is(tableRequests(peer), 1);
    peer.send({ ...refusal, moreToSend: false, poolEntries: [] });
    world.run(1);
  }
  t.deepEqual(contents(server), ['echo/1@900']);
  peer.send(peer.presence());
  const asked = world.now;
  world.run(3_000);
  t.is(peer.closed[0]?.at, asked + 2_000);
});

test('after a healed partition an element that both servers own stays with the one that it is connected to', (t) => {
  for (const peerId of [50, 900]) {
    const world = new World(0);
    const { registrar: server } = registrar(world, '10.0.0.1');
    const element = world.scripted('10.0.1.1').connect('10.0.0.1');
    element.onMessage = (message, channel) => {
      if (message.type !== 'endpointKeepAlive') return;
      channel.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
    };
    element.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(1, '10.0.1.1') });
    world.run(10);
    const peer = new ScriptedPeer(world, '10.0.0.9', peerId);
    peer.elements = [ownedElement(1, peerId)];
    peer.checksum = 1;
    peer.connect('10.0.0.1');
    t.deepEqual(contents(server), ['echo/1@100']);
    // The other one is told so.
    const [told] = peer.messages('handleUpdate');
    t.deepEqual([told?.action, told?.receiverId, told?.poolElement.homeServerId], ['addPe', peerId, 100]);
  }
});

test('and if neither is connected to it, with the one with the larger identifier', (t) => {
  for (const [peerId, owner] of [
    [50, 100],
    [900, 900],
  ] as const) {
    const world = new World(0);
    const { registrar: server } = registrar(world, '10.0.0.1');
    world.run(1);
    server.handlespace.register('echo', ownedElement(1, 0), { now: world.now, owner: 100 });
    const peer = new ScriptedPeer(world, '10.0.0.9', peerId);
    peer.elements = [ownedElement(1, peerId)];
    peer.checksum = 1;
    peer.connect('10.0.0.1');
    t.deepEqual(contents(server), [`echo/1@${owner}`]);
    t.deepEqual(peer.messages('handleUpdate'), []);
  }
});

test("a table lists its sender's elements only", (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900);
  peer.elements = [ownedElement(1, 900), ownedElement(2, 800), ownedElement(3, 0)];
  peer.checksum = 1;
  peer.connect('10.0.0.1');
  t.deepEqual(contents(server), ['echo/1@900', 'echo/3@900']);
  t.not(server.handlespace.checksum(900), emptyChecksum);
});
