import test from 'ava';
import type { EnrpMessage } from '../../lib/wire/messages.js';
import type { PoolElement } from '../../lib/wire/parameters.js';
import { World } from '../asap/world.js';
import { contents, ownedElement, registrar, ScriptedPeer } from './peers.js';

/** Answers like a mentor that has these elements, two a part. */
function mentor(peer: ScriptedPeer, elements: readonly PoolElement[]): ScriptedPeer {
  let sent = 0;
  peer.elements = [...elements];
  peer.onMessage = (message, channel) => {
    const envelope = { senderId: peer.serverId, receiverId: message.senderId } as const;
    if (message.type === 'listRequest') {
      channel.send({ type: 'listResponse', ...envelope, rejected: false, servers: [] });
    } else if (message.type === 'handleTableRequest' && !message.ownChildrenOnly) {
      const poolElements = elements.slice(sent, sent + 2);
      sent += 2;
      const poolEntries = poolElements.length === 0 ? [] : [{ poolHandle: 'echo', poolElements }];
      const moreToSend = sent < elements.length;
      channel.send({ type: 'handleTableResponse', ...envelope, moreToSend, rejected: false, poolEntries });
    }
  };
  return peer;
}

function requests(peer: ScriptedPeer): string[] {
  return peer.received
    .map(({ message }) => message)
    .filter(({ type }) => type === 'listRequest' || type === 'handleTableRequest')
    .map((message) => (message.type === 'handleTableRequest' ? `table W=${Number(message.ownChildrenOnly)}` : 'list'));
}

test('a server without configured peers is alone: it is ready and serves at once', (t) => {
  const world = new World(0);
  const { registrar: alone } = registrar(world, '10.0.0.1');
  world.run(1);
  t.true(alone.enrp?.ready);
  t.deepEqual(alone.address, { host: '10.0.0.1', port: 3863 });
  t.deepEqual(alone.enrp?.address, { host: '10.0.0.1', port: 9901 });
});

test('the mentor gives the peer list, then the handlespace in parts; then elements are served', (t) => {
  const world = new World(1);
  const peer = mentor(
    new ScriptedPeer(world, '10.0.0.9', 900).listen(),
    [1, 2, 3, 4, 5].map((id) => ownedElement(id, 900)),
  );
  peer.checksum = 0;
  const { registrar: fresh } = registrar(world, '10.0.0.1', { peers: ['10.0.0.9'] });
  const readyAt: number[] = [];
  fresh.on('ready', () => void readyAt.push(world.now));
  t.is(fresh.address, undefined);
  world.run(100);
  t.deepEqual(requests(peer).slice(0, 4), ['list', 'table W=0', 'table W=0', 'table W=0']);
  t.deepEqual(
    contents(fresh),
    [1, 2, 3, 4, 5].map((id) => `echo/${id}@900`),
  );
  // Connecting takes one round trip, so do the introduction, the list and each of three parts.
  t.deepEqual(readyAt, [12]);
  t.deepEqual(fresh.address, { host: '10.0.0.1', port: 3863 });
});

test('a new server introduces itself with checksum and Server Information and asks for an answer', (t) => {
  const world = new World(1);
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).listen();
  registrar(world, '10.0.0.1', { peers: ['10.0.0.9'] });
  world.run(10);
  const transport = { type: 'tcp', port: 9901, address: '10.0.0.1' };
  t.deepEqual(peer.received[0]?.message, {
    type: 'presence',
    senderId: 100,
    receiverId: 0,
    replyRequired: true,
    peChecksum: 0xffff,
    serverInformation: { serverId: 100, transport },
  } as EnrpMessage);
});

test('a mentor that refuses the list, or the table, is replaced by a backup', (t) => {
  for (const refused of ['listRequest', 'handleTableRequest'] as const) {
    const world = new World(1);
    const first = mentor(new ScriptedPeer(world, '10.0.0.8', 800).listen(), []);
    const helpful = first.onMessage;
    first.onMessage = (message, channel) => {
      const envelope = { senderId: 800, receiverId: message.senderId, rejected: true } as const;
      if (message.type !== refused) helpful(message, channel);
      else if (refused === 'listRequest') channel.send({ type: 'listResponse', ...envelope, servers: [] });
      else channel.send({ type: 'handleTableResponse', ...envelope, moreToSend: false, poolEntries: [] });
    };
    world.network.link('10.0.0.1', '10.0.0.9').latency = 3;
    mentor(new ScriptedPeer(world, '10.0.0.9', 900).listen(), [ownedElement(1, 900)]);
    const { registrar: fresh } = registrar(world, '10.0.0.1', { peers: ['10.0.0.8', '10.0.0.9'] });
    world.run(100);
    const asked = first
      .messages(refused)
      .filter((message) => !('ownChildrenOnly' in message && message.ownChildrenOnly));
    t.is(asked.length, 1);
    t.deepEqual(contents(fresh), ['echo/1@900']);
    t.true(fresh.enrp?.ready);
  }
});

test('a mentor that does not answer is given up after MAX-TIME-NO-RESPONSE', (t) => {
  const world = new World(0);
  const mute = new ScriptedPeer(world, '10.0.0.8', 800).listen();
  mentor(new ScriptedPeer(world, '10.0.0.9', 900).listen(), [ownedElement(1, 900)]);
  world.network.link('10.0.0.1', '10.0.0.9').latency = 1;
  const timers = { maxTimeNoResponse: 700, discoveryTime: 5_000 };
  const { registrar: fresh } = registrar(world, '10.0.0.1', { peers: ['10.0.0.8', '10.0.0.9'], timers });
  world.run(699);
  t.is(fresh.enrp?.startUpState, 'awaitingList');
  t.deepEqual(requests(mute), ['list']);
  world.run(6);
  t.true(fresh.enrp?.ready);
  t.deepEqual(contents(fresh), ['echo/1@900']);
});

test('refused by all, a starting server asks again after mentorRetryInterval, and is alone after discoveryTime', (t) => {
  const world = new World(0);
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).listen();
  peer.onMessage = ({ type, senderId }, channel) => {
    if (type !== 'listRequest') return;
    channel.send({ type: 'listResponse', senderId: 900, receiverId: senderId, rejected: true, servers: [] });
  };
  const { registrar: fresh } = registrar(world, '10.0.0.1', { peers: ['10.0.0.9'] });
  world.run(4_999);
  t.deepEqual(peer.instants('listRequest'), [0, 1_000, 2_000, 3_000, 4_000]);
  t.false(fresh.enrp?.ready);
  world.run(1);
  t.true(fresh.enrp?.ready);
});

test('a server that finds nobody takes itself to be alone after discoveryTime; it may serve before', (t) => {
  const world = new World(0);
  const { registrar: patient } = registrar(world, '10.0.0.1', { peers: ['10.0.0.9'] });
  const { registrar: eager } = registrar(world, '10.0.0.2', { peers: ['10.0.0.9'], serveWhileStarting: true });
  world.run(4_999);
  t.is(patient.address, undefined);
  t.is(eager.address?.port, 3863);
  t.false(eager.enrp?.ready);
  world.run(1);
  t.is(patient.address?.port, 3863);
  t.true(eager.enrp?.ready);
});

test('a starting server refuses lists and tables, with nothing in them', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1', { peers: ['10.0.0.250'] });
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send({ type: 'listRequest', senderId: 900, receiverId: 100 });
  peer.send({ type: 'handleTableRequest', senderId: 900, receiverId: 100, ownChildrenOnly: true });
  world.run(10);
  t.deepEqual(peer.messages('listResponse'), [
    { type: 'listResponse', senderId: 100, receiverId: 900, rejected: true, servers: [] },
  ]);
  t.deepEqual(peer.messages('handleTableResponse'), [
    { type: 'handleTableResponse', senderId: 100, receiverId: 900, moreToSend: false, rejected: true, poolEntries: [] },
  ]);
});

test('a mentor sends its peer list and its table in parts, and frees the session when nobody asks on', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', {
    limits: { maxTableResponseSize: 200, maxTableSessions: 1 },
    timers: { maxTimeNoResponse: 3_000 },
  });
  world.run(1);
  for (let id = 1; id <= 10; id++) server.handlespace.register('echo', ownedElement(id, 0), { now: 0, owner: 100 });
  new ScriptedPeer(world, '10.0.0.8', 800).listen().connect('10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  const other = new ScriptedPeer(world, '10.0.0.7', 700).connect('10.0.0.1');
  peer.send({ type: 'listRequest', senderId: 900, receiverId: 100 });
  const request = { type: 'handleTableRequest', receiverId: 100, ownChildrenOnly: false } as const;
  peer.send({ ...request, senderId: 900 });
  world.run(10);
  t.deepEqual(
    peer
      .messages('listResponse')[0]
      ?.servers.map(({ serverId }) => serverId)
      .sort(),
    [700, 800],
  );
  const [part] = peer.messages('handleTableResponse');
  t.true(part?.moreToSend);
  t.true((part?.poolEntries[0]?.poolElements.length ?? 0) < 5);
  t.is(server.enrp?.stats.tableSessions, 1);
  other.send({ ...request, senderId: 700 });
  world.run(10);
  t.true(other.messages('handleTableResponse')[0]?.rejected);
  world.run(2_990);
  t.is(server.enrp?.stats.tableSessions, 0);
  // Asked again it begins anew, and goes on to the end.
  peer.clear();
  peer.onMessage = (message) =>
    void (message.type === 'handleTableResponse' && message.moreToSend && peer.send({ ...request, senderId: 900 }));
  peer.send({ ...request, senderId: 900 });
  world.run(10);
  const listed = peer
    .messages('handleTableResponse')
    .flatMap(({ poolEntries }) => poolEntries.flatMap((entry) => entry.poolElements));
  t.deepEqual(
    listed.map(({ identifier }) => identifier),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  t.is(server.enrp?.stats.tableSessions, 0);
});

test('what is removed or added while its table is sent is not listed, or is', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { limits: { maxTableResponseSize: 80 } });
  world.run(1);
  for (let id = 1; id <= 4; id++) server.handlespace.register('echo', ownedElement(id, 0), { now: 0, owner: 100 });
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  const request = { type: 'handleTableRequest', senderId: 900, receiverId: 100, ownChildrenOnly: true } as const;
  peer.send(request);
  world.run(1);
  server.handlespace.remove('echo', 2, 'deregistration');
  server.handlespace.remove('echo', 4, 'deregistration');
  server.handlespace.register('echo', ownedElement(5, 0), { now: 0, owner: 100 });
  for (let i = 0; i < 5; i++) peer.send(request);
  world.run(10);
  const listed = peer
    .messages('handleTableResponse')
    .map(({ poolEntries }) => poolEntries[0]?.poolElements[0]?.identifier);
  t.deepEqual(listed.slice(0, 3), [1, 3, 5]);
});

test('servers of the list join the peer list and are dialled', (t) => {
  const world = new World(1);
  const known = new ScriptedPeer(world, '10.0.0.9', 900).listen();
  const listed = new ScriptedPeer(world, '10.0.0.8', 800).listen();
  const helpful = mentor(known, []).onMessage;
  known.onMessage = (message, channel) => {
    if (message.type !== 'listRequest') return helpful(message, channel);
    const transport = { type: 'tcp', port: 9901, address: '10.0.0.8' } as const;
    const servers = [{ serverId: 800, transport }];
    channel.send({ type: 'listResponse', senderId: 900, receiverId: 100, rejected: false, servers });
  };
  const { registrar: fresh } = registrar(world, '10.0.0.1', { peers: ['10.0.0.9'] });
  world.run(20);
  t.deepEqual(
    fresh.enrp?.peers.map(({ serverId, connected }) => [serverId, connected]),
    [
      [900, true],
      [800, true],
    ],
  );
  t.is(listed.messages('presence')[0]?.receiverId, 800);
});

test('a server that starts again with its identifier gets its elements back and calls them', (t) => {
  const world = new World(1);
  const asapTransport = { type: 'tcp', port: 7, address: '10.0.1.1' } as const;
  mentor(new ScriptedPeer(world, '10.0.0.9', 900).listen(), [
    ownedElement(1, 100, { asapTransport }),
    ownedElement(2, 100, { asapTransport: { ...asapTransport, port: 8 } }),
  ]);
  const element = world.scripted('10.0.1.1').listen(7);
  element.onMessage = (message, channel) => {
    if (message.type !== 'endpointKeepAlive') return;
    channel.send({ type: 'endpointKeepAliveAck', poolHandle: 'echo', peIdentifier: 1 });
  };
  const { registrar: again } = registrar(world, '10.0.0.1', { peers: ['10.0.0.9'] });
  world.run(100);
  t.deepEqual(
    element.messages('endpointKeepAlive').map(({ home, serverId }) => [home, serverId]),
    [[true, 100]],
  );
  // The other one does not answer.
  t.deepEqual(contents(again), ['echo/1@100']);
});
