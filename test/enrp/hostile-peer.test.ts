import test from 'ava';
import type { EnrpLimits } from '../../lib/enrp/options.js';
import type { Registrar } from '../../lib/registrar/registrar.js';
import { World } from '../asap/world.js';
import { contents, ownedElement, registrar, ScriptedPeer } from './peers.js';

const heartbeatCycle = 1_000;
const timers = { heartbeatCycle };

/** Two honest servers, each with an element that is connected to it, and a liar that is known to both. */
function scene(limits: Partial<EnrpLimits> = {}): { world: World; servers: Registrar[]; liar: ScriptedPeer } {
  const world = new World(1);
  const peers = ['10.0.0.1', '10.0.0.2'];
  const servers = peers.map((address) => registrar(world, address, { timers, peers, limits }).registrar);
  world.run(6_000);
  world.user('10.0.1.1', '10.0.0.1').register({ identifier: 1 });
  world.user('10.0.1.2', '10.0.0.2').register({ identifier: 2 });
  world.run(3_000);
  const liar = new ScriptedPeer(world, '10.0.0.9', 900);
  for (const address of peers) liar.connect(address);
  live(world, liar);
  return { world, servers, liar };
}

/** It gives signs of life on all of its connections. */
function live(world: World, liar: ScriptedPeer): void {
  const beat = (): void => {
    for (const channel of liar.channels) channel.send(liar.presence());
    liar.process.clock.setTimeout(beat, 500);
  };
  liar.process.dispatch('input', beat);
  world.run(10);
}

function toAll(liar: ScriptedPeer, message: Parameters<ScriptedPeer['send']>[0]): void {
  liar.process.dispatch('input', () => {
    for (const channel of liar.channels) channel.send(message);
  });
}

const truth = ['echo/1@100', 'echo/2@200'];

test("it claims others' elements and removes them: they are back within one heartbeat cycle and an audit", (t) => {
  const { world, servers, liar } = scene();
  for (const server of servers) t.deepEqual(contents(server), truth);
  for (const identifier of [1, 2]) {
    const userTransport = { type: 'tcp', port: 6, address: '10.0.6.6' } as const;
    toAll(liar, liar.addPe(identifier, { userTransport }));
    toAll(liar, liar.update('delPe', ownedElement(identifier, 900)));
  }
  world.run(2);
  for (const server of servers) t.deepEqual(contents(server), []);
  world.run(heartbeatCycle + 10);
  for (const server of servers) {
    t.deepEqual(contents(server), truth);
    t.deepEqual(server.handlespace.entry('echo', 1)?.element.userTransport, {
      type: 'tcp',
      port: 7,
      address: '10.0.1.1',
    });
  }
});

test("it lists others' elements as its own, and then not any more", (t) => {
  const { world, servers, liar } = scene();
  liar.elements = [ownedElement(1, 900), ownedElement(2, 900)];
  liar.checksum = 1;
  world.run(1_100);
  // Each is safe with the server that it is connected to.
  t.is(servers[0]?.handlespace.entry('echo', 1)?.owner, 100);
  t.is(servers[1]?.handlespace.entry('echo', 2)?.owner, 200);
  liar.elements = [];
  liar.checksum = 0xffff;
  world.run(2 * heartbeatCycle + 10);
  for (const server of servers) t.deepEqual(contents(server), truth);
});

test('its checksum is wrong for ever: it is asked for its table less and less often', (t) => {
  const { world, servers, liar } = scene();
  liar.checksum = 1;
  world.run(10_000);
  liar.clear();
  for (let i = 0; i < 600; i++) {
    world.run(100);
    // A flood of it, at that.
    toAll(liar, liar.presence());
  }
  const asked = liar.messages('handleTableRequest').length / 2;
  t.true(asked <= 6, `${asked} tables in 60 heartbeat cycles`);
  for (const server of servers) t.deepEqual(contents(server), truth);
});

test("it takes another's elements from us again and again, and in the middle of audits: when it stops one audit is enough", (t) => {
  // Some parts to a table.
  const { world, servers, liar } = scene({ maxTableResponseSize: 100 });
  const taken = [1, 3, 4, 5, 6];
  for (const identifier of taken.slice(1)) world.user(`10.0.1.${identifier}`, '10.0.0.1').register({ identifier });
  world.run(100);
  const all = [...taken.map((identifier) => `echo/${identifier}@100`), 'echo/2@200'].sort();
  for (const server of servers) t.deepEqual(contents(server), all);
  // Their home does not hear of it, and so does not tell us again.
  const [, second] = liar.channels;
  for (let i = 0; i < 20 * heartbeatCycle; i++) {
    liar.process.dispatch('input', () => {
      for (const identifier of taken) {
        second?.send(liar.addPe(identifier));
        second?.send(liar.update('delPe', ownedElement(identifier, 900)));
      }
    });
    world.run(1);
  }
  world.run(heartbeatCycle + 20);
  for (const server of servers) t.deepEqual(contents(server), all);
});

test('its table has no end: the download is broken off at the limit, and nothing is kept beyond it', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { timers, limits: { maxElementsPerPeer: 1_000 } });
  const liar = new ScriptedPeer(world, '10.0.0.9', 900);
  liar.polite = false;
  let identifier = 0;
  liar.onMessage = (message, channel) => {
    if (message.type !== 'handleTableRequest') return;
    const poolElements = Array.from({ length: 100 }, () => ownedElement(++identifier, 900));
    const envelope = { type: 'handleTableResponse', senderId: 900, receiverId: 100, rejected: false } as const;
    channel.send({ ...envelope, moreToSend: true, poolEntries: [{ poolHandle: `p${identifier}`, poolElements }] });
  };
  liar.connect('10.0.0.1').send({ ...liar.presence(), checksum: 1 } as never);
  world.run(100);
  t.is(liar.closed.length, 1);
  t.is(server.handlespace.elementCount, 1_000);
  // Nor by announcements.
  const again = new ScriptedPeer(world, '10.0.0.8', 900).connect('10.0.0.1');
  for (let i = 0; i < 2_000; i++) again.send(again.addPe(1_000_000 + i));
  world.run(10);
  t.true(server.handlespace.elementCount <= 1_000);
});

test('its table goes on with nothing in it: the connection is broken off', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1', { timers });
  const liar = new ScriptedPeer(world, '10.0.0.9', 900);
  liar.polite = false;
  liar.onMessage = (message, channel) => {
    if (message.type !== 'handleTableRequest') return;
    const envelope = { type: 'handleTableResponse', senderId: 900, receiverId: 100, rejected: false } as const;
    channel.send({ ...envelope, moreToSend: true, poolEntries: [] });
  };
  liar.connect('10.0.0.1').send(liar.presence());
  world.run(10);
  t.is(liar.messages('handleTableRequest').length, 1);
  t.is(liar.closed.length, 1);
});

test('it takes over a living server: those who hear of that one leave it its elements', (t) => {
  const { world, servers, liar } = scene();
  for (const type of ['initTakeover', 'takeoverServer'] as const) {
    for (const targetId of [100, 200]) toAll(liar, { type, senderId: 900, receiverId: 0, targetId });
  }
  for (const identifier of [1, 2]) toAll(liar, liar.update('delPe', ownedElement(identifier, 900)));
  for (let i = 0; i < 100; i++) {
    world.run(20);
    for (const server of servers) t.deepEqual(contents(server), truth);
  }
  for (const server of servers)
    t.deepEqual(
      server.enrp?.peers.map(({ status }) => status),
      ['active', 'active'],
    );
});

test('it floods us with messages and reads nothing: what waits for it is bounded', (t) => {
  const world = new World(0);
  const limits = { maxBacklog: 100_000 };
  const { registrar: server } = registrar(world, '10.0.0.1', { timers: { heartbeatCycle: 3_600_000 }, limits });
  const liar = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  liar.process.dispatch('input', () => liar.streams[0]?.pause());
  for (let i = 0; i < 20_000; i++) liar.send(liar.presence(true));
  world.run(1_000);
  t.is(server.enrp?.stats.connections, 0);
});

test('strangers without number: peers and connections are bounded, and configured peers are let in all the same', (t) => {
  const world = new World(0);
  const limits = { maxPeers: 5, maxChannels: 8 };
  const { registrar: server } = registrar(world, '10.0.0.1', { limits, peers: ['10.0.0.9'] });
  for (let i = 1; i <= 20; i++) new ScriptedPeer(world, `10.0.6.${i}`, i).connect('10.0.0.1');
  t.is(server.enrp?.peers.length, 5);
  t.true((server.enrp?.stats.connections ?? 99) <= 8);
  new ScriptedPeer(world, '10.0.0.9', 900).listen();
  world.run(60_000);
  t.true(server.enrp?.peers.some(({ serverId, connected }) => serverId === 900 && connected));
});

test('its peer list names servers that do not exist: they are dialled within limits and forgotten', (t) => {
  const world = new World(0);
  const liar = new ScriptedPeer(world, '10.0.0.9', 900).listen();
  liar.onMessage = (message, channel) => {
    const envelope = { senderId: 900, receiverId: 100, rejected: false } as const;
    if (message.type === 'handleTableRequest') {
      channel.send({ type: 'handleTableResponse', ...envelope, moreToSend: false, poolEntries: [] });
    }
    if (message.type !== 'listRequest') return;
    const servers = Array.from({ length: 200 }, (_, i) => {
      const transport = { type: 'tcp', port: 9901, address: `10.9.0.${i + 1}` } as const;
      return { serverId: 10_000 + i, transport };
    });
    channel.send({ type: 'listResponse', ...envelope, servers });
  };
  const limits = { maxPeers: 10 };
  const { registrar: server } = registrar(world, '10.0.0.1', { peers: ['10.0.0.9'], timers, limits });
  world.run(10);
  t.is(server.enrp?.peers.length, 10);
  world.run(10_000);
  t.deepEqual(
    server.enrp?.peers.map(({ serverId }) => serverId),
    [900],
  );
});
