import test from 'ava';
import { World } from '../asap/world.js';
import { contents, ownedElement, registrar, ScriptedPeer } from './peers.js';

const noResponse = 500;
const timers = { heartbeatCycle: 1_000, maxTimeLastHeard: 1e9, maxTimeNoResponse: noResponse };

/** A server with identifier 500, peers with identifiers of both sides of that, and a target that owns an element. */
function scene(world: World, options: Parameters<typeof registrar>[2] = {}) {
  const { registrar: server } = registrar(world, '10.0.0.5', { timers, ...options });
  const lower = new ScriptedPeer(world, '10.0.0.3', 300).connect('10.0.0.5');
  const higher = new ScriptedPeer(world, '10.0.0.8', 800).connect('10.0.0.5');
  const target = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.5');
  const asapTransport = { type: 'tcp', port: 7, address: '10.0.1.1' } as const;
  target.elements = [ownedElement(1, 900, { asapTransport }), ownedElement(2, 900, { asapTransport })];
  for (const poolElement of target.elements) target.send(target.update('addPe', poolElement));
  world.run(10);
  return { server, lower, higher, target };
}

function takeoverMessage(
  type: 'initTakeover' | 'initTakeoverAck' | 'takeoverServer',
  from: ScriptedPeer,
  targetId = 900,
): Parameters<ScriptedPeer['send']>[0] {
  return { type, senderId: from.serverId, receiverId: 0, targetId };
}

/** The target dies, and MAX-TIME-NO-RESPONSE passes. */
function die(world: World, target: ScriptedPeer): void {
  target.process.kill();
  world.run(noResponse);
}

test('all peers are asked; when all have acknowledged the takeover is announced and done', (t) => {
  const world = new World(0);
  const { server, lower, higher, target } = scene(world);
  // The elements can be neither reached nor refuse.
  world.network.cut('10.0.0.5', '10.0.1.1');
  die(world, target);
  for (const peer of [lower, higher]) {
    t.deepEqual(peer.messages('initTakeover'), [{ type: 'initTakeover', senderId: 500, receiverId: 0, targetId: 900 }]);
  }
  lower.send(takeoverMessage('initTakeoverAck', lower));
  world.run(10);
  t.deepEqual(contents(server), ['echo/1@900', 'echo/2@900']);
  higher.send(takeoverMessage('initTakeoverAck', higher));
  world.run(0);
  t.deepEqual(contents(server), ['echo/1@500', 'echo/2@500']);
  for (const peer of [lower, higher]) {
    t.deepEqual(peer.messages('takeoverServer'), [
      { type: 'takeoverServer', senderId: 500, receiverId: 0, targetId: 900 },
    ]);
    // Who knows of the takeover needs no other news.
    t.deepEqual(
      peer.messages('handleUpdate').filter(({ action }) => action === 'addPe'),
      [],
    );
  }
  t.deepEqual(
    server.enrp?.peers.map(({ serverId }) => serverId),
    [300, 800],
  );
});

test('the elements are called with H; those that answer stay, the others are removed', (t) => {
  const world = new World(0);
  const { server, lower, higher, target } = scene(world);
  const element = world.scripted('10.0.1.1').listen(7);
  element.onMessage = (message, channel) => {
    if (message.type !== 'endpointKeepAlive' || message.peIdentifier !== 1) return;
    channel.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
  };
  die(world, target);
  for (const peer of [lower, higher]) peer.send(takeoverMessage('initTakeoverAck', peer));
  world.run(10);
  t.deepEqual(
    element.messages('endpointKeepAlive').map(({ home, serverId, peIdentifier }) => [home, serverId, peIdentifier]),
    [
      [true, 500, 1],
      [true, 500, 2],
    ],
  );
  world.run(1_000);
  t.deepEqual(contents(server), ['echo/1@500']);
  t.is(lower.messages('handleUpdate').at(-1)?.action, 'delPe');
  // It is watched over the connection by which it was called.
  element.received.length = 0;
  world.run(10_000);
  t.true(element.messages('endpointKeepAlive').length > 0);
  t.deepEqual(contents(server), ['echo/1@500']);
});

test('an element that is called adopts the new home and registers over that connection', (t) => {
  const world = new World(1);
  const { registrar: server } = registrar(world, '10.0.0.5', { timers });
  const target = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.5');
  const user = world.user('10.0.1.1', '10.0.0.9,10.0.0.5');
  const asapTransport = { type: 'tcp', port: 7, address: '10.0.1.1' } as const;
  user.do(() => {
    const onError = (error: Error): void => {
      throw error;
    };
    const onConnection = user.scope.endpoint.acceptChannel.bind(user.scope.endpoint);
    user.process.transport.listen({ host: '10.0.1.1', port: 7 }, { onListening() {}, onError, onConnection });
  });
  // Its home server is one that answers nothing any more.
  world.scripted('10.0.0.9').listen(3863);
  user.register({ asapTransport });
  target.send(target.addPe(1, { asapTransport }));
  target.elements = [ownedElement(1, 900, { asapTransport })];
  world.run(100);
  die(world, target);
  world.run(100);
  t.deepEqual(contents(server), ['echo/1@500']);
  t.is(server.stats.registrationsAccepted, 1);
  t.is(user.scope.endpoint.homeServerId, 500);
});

test('a sole survivor needs nobody', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.5', { timers });
  const target = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.5');
  target.elements = [ownedElement(1, 900)];
  target.send(target.addPe(1));
  world.run(10);
  target.process.kill();
  world.run(noResponse - 1);
  t.deepEqual(contents(server), ['echo/1@900']);
  world.run(1);
  t.deepEqual([...server.handlespace.owned(900)], []);
  t.deepEqual(server.enrp?.peers, []);
});

test('a peer that neither acknowledges nor dies holds a takeover up for MAX-TIME-NO-RESPONSE only', (t) => {
  const world = new World(0);
  const { server, lower, target } = scene(world);
  die(world, target);
  lower.send(takeoverMessage('initTakeoverAck', lower));
  world.run(noResponse - 1);
  t.is(server.handlespace.owned(900).size, 2);
  world.run(1);
  t.is(server.handlespace.owned(900).size, 0);
});

test('a peer that dies meanwhile is not waited for', (t) => {
  const world = new World(0);
  const { server, lower, higher, target } = scene(world, { timers: { ...timers, maxTimeNoResponse: 500 } });
  target.process.kill();
  world.run(100);
  higher.process.kill();
  world.run(400);
  lower.send(takeoverMessage('initTakeoverAck', lower));
  world.run(99);
  t.is(server.handlespace.owned(900).size, 2);
  // The other one owned nothing: dead, it just leaves the list.
  world.run(1);
  t.is(server.handlespace.owned(900).size, 0);
  t.deepEqual(
    server.enrp?.peers.map(({ serverId }) => serverId),
    [300],
  );
});

for (const arbitration of ['rfc', 'lowerIdWins'] as const) {
  test(`two servers take over the same one: ${arbitration}`, (t) => {
    const world = new World(0);
    const { server, lower, higher, target } = scene(world, { arbitration });
    const [winner, loser] = arbitration === 'rfc' ? [higher, lower] : [lower, higher];
    die(world, target);
    loser.send(takeoverMessage('initTakeover', loser));
    world.run(10);
    // Ignored: ours goes on.
    t.deepEqual(loser.messages('initTakeoverAck'), []);
    t.is(server.enrp?.stats.takeovers, 1);
    winner.send(takeoverMessage('initTakeover', winner));
    world.run(10);
    t.deepEqual(winner.messages('initTakeoverAck'), [
      { type: 'initTakeoverAck', senderId: 500, receiverId: winner.serverId, targetId: 900 },
    ]);
    t.is(server.enrp?.stats.takeovers, 0);
    t.is(server.enrp?.peers.find(({ serverId }) => serverId === 900)?.status, 'inactive');
    winner.elements = target.elements.map((element) => ({ ...element, homeServerId: winner.serverId }));
    winner.send(takeoverMessage('takeoverServer', winner));
    world.run(10);
    t.deepEqual(contents(server), [`echo/1@${winner.serverId}`, `echo/2@${winner.serverId}`]);
    t.false(server.enrp?.peers.some(({ serverId }) => serverId === 900));
  });
}

test('the target is heard of: the takeover stops and the target is active', (t) => {
  const world = new World(0);
  const { server, lower, higher, target } = scene(world);
  target.process.dispatch('input', () => target.channels.at(-1)?.abort());
  target.process.freeze();
  world.run(noResponse);
  t.is(server.enrp?.stats.takeovers, 1);
  target.process.thaw();
  target.connect('10.0.0.5');
  t.is(server.enrp?.stats.takeovers, 0);
  t.is(server.enrp?.peers.find(({ serverId }) => serverId === 900)?.status, 'active');
  for (const peer of [lower, higher]) peer.send(takeoverMessage('initTakeoverAck', peer));
  world.run(2_000);
  t.deepEqual(contents(server), ['echo/1@900', 'echo/2@900']);
});

test('a server that is itself the target announces its presence to all at once', (t) => {
  const world = new World(0);
  const { lower, higher } = scene(world);
  for (const type of ['initTakeover', 'takeoverServer'] as const) {
    lower.clear();
    higher.clear();
    const at = world.now;
    lower.send(takeoverMessage(type, lower, 500));
    world.run(0);
    t.deepEqual(lower.instants('presence'), [at]);
    t.deepEqual(higher.instants('presence'), [at]);
    world.run(1);
  }
});

test('a takeover that its initiator does not complete is ours to begin anew', (t) => {
  const world = new World(0);
  const { server, lower, higher, target } = scene(world);
  target.process.kill();
  world.run(100);
  higher.send(takeoverMessage('initTakeover', higher));
  world.run(10);
  t.is(higher.messages('initTakeoverAck').length, 1);
  const acknowledged = world.now - 10;
  lower.clear();
  // takeoverExpiry is twice MAX-TIME-NO-RESPONSE, then the target is asked once more.
  world.run(2_000);
  t.deepEqual(lower.instants('initTakeover'), [acknowledged + 1_000 + noResponse]);
  t.is(server.handlespace.owned(900).size, 0);
});

test('a living server is not taken from us: who hears of it leaves it its elements', (t) => {
  const world = new World(0);
  const { server, lower, target } = scene(world);
  target.clear();
  lower.send(takeoverMessage('initTakeover', lower));
  lower.send(takeoverMessage('takeoverServer', lower));
  world.run(10);
  t.deepEqual(contents(server), ['echo/1@900', 'echo/2@900']);
  t.is(server.enrp?.peers.find(({ serverId }) => serverId === 900)?.status, 'active');
  // It was asked whether it lives.
  t.true(target.messages('presence').some(({ replyRequired }) => replyRequired));
});

test('a server that was frozen while it called elements hears who answered meanwhile before it removes anybody', (t) => {
  const world = new World(1);
  const { registrar: server, process } = registrar(world, '10.0.0.5', { timers });
  const target = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.5');
  const asapTransport = { type: 'tcp', port: 7, address: '10.0.1.1' } as const;
  target.send(target.update('addPe', ownedElement(1, 900, { asapTransport })));
  const element = world.scripted('10.0.1.1').listen(7);
  element.onMessage = (message, channel) => {
    if (message.type !== 'endpointKeepAlive') return;
    channel.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
    if (element.messages('endpointKeepAlive').length === 1) process.freeze();
  };
  world.run(100);
  die(world, target);
  world.run(5_000);
  t.is(process.state, 'frozen');
  process.thaw();
  world.run(100);
  t.deepEqual(contents(server), ['echo/1@500']);
});

test('elements that a liar made up before it left do not keep those of another failed server waiting', (t) => {
  const world = new World(1);
  const { registrar: server } = registrar(world, '10.0.0.5', { timers }, { limits: { maxDialledProbes: 4 } });
  const liar = new ScriptedPeer(world, '10.0.0.8', 800).listen().connect('10.0.0.5');
  const honest = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.5');
  for (let i = 0; i < 1_000; i++) {
    const asapTransport = { type: 'tcp', port: 7, address: `10.66.${i >> 8}.${i & 255}` } as const;
    world.network.cut('10.0.0.5', asapTransport.address);
    liar.send(liar.update('addPe', ownedElement(i + 1, 800, { asapTransport })));
  }
  const asapTransport = { type: 'tcp', port: 7, address: '10.0.1.1' } as const;
  for (let i = 0; i < 5; i++) honest.send(honest.update('addPe', ownedElement(5_001 + i, 900, { asapTransport })));
  const called: number[] = [];
  const element = world.scripted('10.0.1.1').listen(7);
  element.onMessage = (message, channel) => {
    if (message.type !== 'endpointKeepAlive') return;
    const { poolHandle, peIdentifier = 0, home } = message;
    if (home) called.push(peIdentifier);
    channel.send({ type: 'endpointKeepAliveAck', poolHandle, peIdentifier });
  };
  world.run(100);
  liar.process.kill();
  honest.process.kill();
  world.run(10_000);
  t.is(called.length, 5);
  t.is([...server.handlespace.owned(500)].filter(({ identifier }) => identifier > 5_000).length, 5);
});

test('many elements are called a few at a time, and all of them', (t) => {
  const world = new World(1);
  const { registrar: server } = registrar(world, '10.0.0.5', { timers }, { limits: { maxDialledProbes: 3 } });
  const target = new ScriptedPeer(world, '10.0.0.9', 900).listen().connect('10.0.0.5');
  const asapTransport = { type: 'tcp', port: 7, address: '10.0.1.1' } as const;
  const identifiers = Array.from({ length: 20 }, (_, i) => i + 1);
  target.elements = identifiers.map((identifier) => ownedElement(identifier, 900, { asapTransport }));
  for (const element of target.elements) target.send(target.update('addPe', element));
  const elements = world.scripted('10.0.1.1').listen(7);
  let unanswered = 0;
  let most = 0;
  elements.onMessage = (message, channel) => {
    if (message.type !== 'endpointKeepAlive') return;
    most = Math.max(most, ++unanswered);
    const { poolHandle, peIdentifier = 0 } = message;
    elements.process.clock.setTimeout(() => {
      unanswered--;
      channel.send({ type: 'endpointKeepAliveAck', poolHandle, peIdentifier });
    }, 10);
  };
  world.run(100);
  die(world, target);
  world.run(200);
  t.deepEqual(contents(server), identifiers.map((identifier) => `echo/${identifier}@500`).sort());
  t.is(elements.messages('endpointKeepAlive').filter(({ home }) => home).length, 20);
  t.is(most, 3);
});
