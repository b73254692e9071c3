import test from 'ava';
import { World } from '../asap/world.js';
import { ownedElement, registrar, ScriptedPeer } from './peers.js';

test('presence is announced every 30 s, to no server in particular, without asking for an answer', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1');
  world.run(1_000);
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.onMessage = () => void (peer.received.length < 20 && world.now > 2_000 && peer.send(peer.presence()));
  peer.clear();
  world.run(119_000);
  t.deepEqual(peer.instants('presence'), [30_000, 60_000, 90_000, 120_000]);
  for (const message of peer.messages('presence')) {
    t.is(message.receiverId, 0);
    t.false(message.replyRequired);
    t.is(message.peChecksum, 0xffff);
    t.is(message.serverInformation?.serverId, 100);
  }
});

test('the heartbeat cycle can be a second or less', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1', { timers: { heartbeatCycle: 200, maxTimeLastHeard: 1e9 } });
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.clear();
  world.run(980);
  t.deepEqual(peer.instants('presence'), [200, 400, 600, 800, 1_000]);
});

test('a message of any type makes its unknown sender a peer, who is asked for its Server Information', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900);
  peer.polite = false;
  peer.connect('10.0.0.1').send(peer.addPe(1));
  world.run(1);
  t.deepEqual(server.enrp?.peers, [{ serverId: 900, status: 'active', connected: true, elements: 1 }]);
  const [asked] = peer.messages('presence');
  t.true(asked?.replyRequired);
  t.is(asked?.receiverId, 900);
});

test('"reply required" is answered with Server Information', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.clear();
  peer.send(peer.presence(true, 100));
  world.run(1);
  const [answer] = peer.messages('presence');
  t.is(answer?.receiverId, 900);
  t.false(answer?.replyRequired);
  t.deepEqual(answer?.serverInformation, {
    serverId: 100,
    transport: { type: 'tcp', port: 9901, address: '10.0.0.1' },
  });
});

test('a peer that is silent is asked after 61 s, is dead after 5 s more, and its takeover begins', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1');
  const witness = new ScriptedPeer(world, '10.0.0.8', 800).connect('10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send(peer.addPe(1));
  world.run(1);
  const last = world.now - 1;
  peer.polite = false;
  peer.clear();
  const live = (): void => {
    witness.send(witness.presence());
    witness.process.clock.setTimeout(live, 10_000);
  };
  live();
  world.run(100_000);
  const asked = peer.received.filter(({ message }) => message.type === 'presence' && message.replyRequired);
  t.deepEqual(
    asked.map(({ at }) => at),
    [last + 61_000],
  );
  t.deepEqual(witness.instants('initTakeover'), [last + 66_000]);
  // The target is asked to object, like everybody.
  t.deepEqual(peer.instants('initTakeover'), [last + 66_000]);
});

test('a peer that answers in time stays', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.elements = [ownedElement(1, 900)];
  peer.send(peer.addPe(1));
  world.run(1_000_000);
  t.deepEqual(server.enrp?.peers, [{ serverId: 900, status: 'active', connected: true, elements: 1 }]);
  t.is(peer.messages('initTakeover').length, 0);
});

test('a peer whose connection breaks is dialled at once and dead after MAX-TIME-NO-RESPONSE', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { timers: { heartbeatCycle: 1_000 } });
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.1');
  peer.send(peer.addPe(1));
  world.run(100);
  const died = world.now;
  peer.process.kill();
  world.run(499);
  t.is(server.enrp?.peers[0]?.status, 'suspect');
  t.deepEqual([...server.handlespace.owned(900)].length, 1);
  world.run(1);
  t.is(world.now, died + 500);
  t.deepEqual(server.enrp?.peers, []);
  t.is(server.handlespace.owned(900).size, 0);
});

test('a peer that comes back before that is the same as before', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.1');
  peer.elements = [ownedElement(1, 900)];
  peer.send(peer.addPe(1));
  world.run(100);
  peer.process.dispatch('input', () => peer.channels[0]?.abort());
  world.run(200);
  t.deepEqual(server.enrp?.peers, [{ serverId: 900, status: 'active', connected: true, elements: 1 }]);
});

test('a server that is found at the address of another one was started again: the other one is dead', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { timers: { maxTimeNoResponse: 4_000 } });
  const before = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.1');
  before.send(before.addPe(1));
  world.run(100);
  before.process.kill();
  const after = new ScriptedPeer(world, '10.0.0.9', 901).listen();
  after.onMessage = (message, channel) => {
    if (message.type !== 'initTakeover') return;
    channel.send({ type: 'initTakeoverAck', senderId: 901, receiverId: 100, targetId: message.targetId });
  };
  // The first dial follows within redialDelay, 100 ms.
  world.run(110);
  t.deepEqual(
    server.enrp?.peers.map(({ serverId }) => serverId),
    [901],
  );
  t.is(server.handlespace.owned(900).size, 0);
  t.is(after.messages('takeoverServer')[0]?.targetId, 900);
});

test('a message for another server is not acted on, but shows that its sender lives', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send({ ...peer.addPe(1), receiverId: 4711 });
  world.run(10);
  t.is(server.handlespace.elementCount, 0);
  t.is(server.enrp?.peers.length, 1);
});
