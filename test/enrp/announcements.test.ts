/** Servers that find each other by multicast. */

import test from 'ava';
import { encodeEnrp } from '../../lib/wire/enrp.js';
import { World } from '../asap/world.js';
import { contents, registrar, ScriptedPeer } from './peers.js';

const group = { host: '224.0.1.185', port: 9901, ttl: 1 };

function announced(world: World, address: string, serverId: number): ReturnType<typeof registrar> {
  return registrar(world, address, { timers: { heartbeatCycle: 1_000 } }, { announce: true, serverId });
}

test('servers that know of nobody find each other, and hold the same', (t) => {
  const world = new World();
  const first = announced(world, '10.0.0.1', 100);
  world.run(6_000);
  world.user('10.0.1.1', '10.0.0.1').register({ identifier: 1 });
  world.run(1_000);
  const others = [2, 3].map((i) => announced(world, `10.0.0.${i}`, 100 * i));
  // Long before the next heartbeat would be heard, or the search for a mentor given up.
  world.run(500);
  for (const { registrar: server } of [first, ...others]) {
    t.true(server.enrp?.ready);
    t.deepEqual(contents(server), ['echo/1@100']);
    t.is(server.enrp?.peers.filter(({ connected }) => connected).length, 2);
  }
});

test('a server that hears nobody takes itself to be alone after discoveryTime', (t) => {
  const world = new World();
  const { registrar: server } = announced(world, '10.0.0.1', 100);
  world.run(4_900);
  t.false(server.enrp?.ready);
  world.run(200);
  t.true(server.enrp?.ready);
});

test('servers that announce themselves join again after a partition', (t) => {
  const world = new World();
  const servers = [1, 2].map((i) => announced(world, `10.0.0.${i}`, 100 * i).registrar);
  world.run(6_000);
  world.network.cut('10.0.0.1', '10.0.0.2');
  world.run(30_000);
  t.deepEqual(
    servers.map((server) => server.enrp?.peers.length),
    [0, 0],
  );
  world.network.join('10.0.0.1', '10.0.0.2');
  world.run(3_000);
  t.deepEqual(
    servers.map((server) => server.enrp?.peers.map(({ connected }) => connected)),
    [[true], [true]],
  );
});

test('a presence by multicast is a hint where to dial: it makes nobody a peer, and a flood of them is bounded', (t) => {
  const world = new World(0);
  const limits = { maxPeers: 5 };
  const { registrar: server } = registrar(
    world,
    '10.0.0.1',
    { timers: { heartbeatCycle: 1_000 }, limits },
    { announce: true },
  );
  const honest = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1', true);
  world.run(6_000);
  const attacker = world.network.spawn('10.0.6.6');
  const target = world.network.spawn('10.0.6.7');
  let dialled = 0;
  target.transport.listen(
    { host: '10.0.6.7', port: 7 },
    {
      onListening() {},
      onError() {},
      onConnection: (stream) => {
        dialled++;
        stream.destroy();
        return stream.handler;
      },
    },
  );
  const channel = attacker.multicast.join(group, { onDatagram() {}, onError() {} });
  for (let i = 0; i < 20_000; i++) {
    attacker.dispatch('input', () => {
      const serverInformation = {
        serverId: 1_000 + i,
        transport: { type: 'tcp', port: 7, address: '10.0.6.7' },
      } as const;
      const envelope = { receiverId: 0, replyRequired: true, peChecksum: 1 } as const;
      channel.send(encodeEnrp({ type: 'presence', senderId: 1_000 + i, ...envelope, serverInformation }));
    });
    world.run(1);
    if (i % 500 === 0) honest.send(honest.presence());
  }
  t.deepEqual(
    server.enrp?.peers.map(({ serverId }) => serverId),
    [900],
  );
  // In 20 s, to the one address that all of them name.
  t.true(dialled <= 50, `${dialled} connections`);
});
