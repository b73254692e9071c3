import test from 'ava';
import { World } from '../asap/world.js';
import { contents, registrar, ScriptedPeer } from './peers.js';

test('two servers that know each other, started at any moment, end with one connection', (t) => {
  for (const delay of [0, 0.5, 1, 1.5, 2, 3, 10]) {
    const world = new World(1);
    const peers = ['10.0.0.1', '10.0.0.2'];
    const servers = [registrar(world, '10.0.0.1', { peers }).registrar];
    world.run(delay);
    servers.push(registrar(world, '10.0.0.2', { peers }).registrar);
    world.run(2_000);
    for (const server of servers) {
      t.is(server.enrp?.stats.connections, 1, `after ${delay} ms`);
      t.deepEqual(
        server.enrp?.peers.map(({ connected }) => connected),
        [true],
      );
    }
  }
});

test('of two connections that were dialled at once, that of the server with the larger identifier stays', (t) => {
  for (const [peerId, survivor] of [
    [50, 0],
    [900, 1],
  ] as const) {
    const world = new World(1);
    const peer = new ScriptedPeer(world, '10.0.0.9', peerId).listen();
    registrar(world, '10.0.0.1', { peers: ['10.0.0.9'] });
    peer.process.dispatch('input', () => void peer.connect('10.0.0.1'));
    world.run(100);
    t.is(peer.channels.length, 2);
    // The first is the one that the registrar dialled.
    t.deepEqual(
      peer.channels.map(({ open }) => open),
      [survivor === 0, survivor === 1],
    );
  }
});

test('a connection that comes later replaces the one before: its dialler has lost that', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 50).connect('10.0.0.1');
  world.run(10_000);
  peer.connect('10.0.0.1');
  t.deepEqual(
    peer.channels.map(({ open }) => open),
    [false, true],
  );
  t.is(server.enrp?.stats.connections, 1);
  t.is(server.enrp?.peers[0]?.status, 'active');
});

test('a server that finds itself among the configured peers lets it be', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { peers: ['10.0.0.1'] });
  world.run(10_000);
  t.deepEqual(server.enrp?.peers, []);
  t.is(server.enrp?.stats.connections, 0);
  t.true(server.enrp?.ready);
});

test('a connection carries the messages of one server only', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.send({ ...peer.addPe(1), senderId: 800 });
  world.run(1);
  t.deepEqual(
    peer.messages('enrpError')[0]?.errors.map(({ code }) => code),
    [0xa],
  );
  t.is(peer.closed.length, 1);
  t.is(server.handlespace.elementCount, 0);
  t.deepEqual(
    server.enrp?.peers.map(({ serverId }) => serverId),
    [900],
  );
});

test('a connection over which nobody says who he is, or says 0, is ended', (t) => {
  const world = new World(0);
  const { registrar: server } = registrar(world, '10.0.0.1', { timers: { maxTimeNoResponse: 700 } });
  const silent = new ScriptedPeer(world, '10.0.0.8', 800);
  silent.polite = false;
  silent.connect('10.0.0.1');
  const nobody = new ScriptedPeer(world, '10.0.0.9', 0).connect('10.0.0.1');
  t.deepEqual(
    nobody.messages('enrpError')[0]?.errors.map(({ code }) => code),
    [0x3],
  );
  t.is(nobody.closed.length, 1);
  world.run(680);
  t.deepEqual(
    silent.closed.map(({ at }) => at),
    [700],
  );
  t.is(server.enrp?.stats.connections, 0);
});

test('what is malformed or unknown is answered with ENRP_ERROR, as RFC 5354 says', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  // Type 0x41: bits 01, dropped and reported.
  peer.sendBytes('41 00 0004');
  world.run(1);
  t.deepEqual(
    peer.messages('enrpError').map(({ senderId, errors }) => [senderId, errors.map(({ code }) => code)]),
    [[100, [0x2]]],
  );
  t.is(peer.closed.length, 0);
  // Type 0x1f: bits 00, dropped in silence.
  peer.sendBytes('1f 00 0004');
  world.run(1);
  t.is(peer.messages('enrpError').length, 1);
  // An ENRP_HANDLE_UPDATE that ends too early: the stream is of no use any more.
  peer.sendBytes('04 00 000c 00000384 00000000');
  world.run(1);
  t.is(peer.messages('enrpError').length, 2);
  t.is(peer.closed.length, 1);
});

test('an error is not answered with another one', (t) => {
  const world = new World(0);
  registrar(world, '10.0.0.1');
  const peer = new ScriptedPeer(world, '10.0.0.9', 900).connect('10.0.0.1');
  peer.sendBytes('0a 00 000c 00000384 00000000');
  world.run(1);
  t.deepEqual(peer.messages('enrpError'), []);
});

test('partitioned servers find each other again, though one of them was not configured', (t) => {
  const world = new World(1);
  const timers = { heartbeatCycle: 1_000 };
  const { registrar: one } = registrar(world, '10.0.0.1', { timers });
  // It knows of the second only what that one tells.
  const { registrar: two } = registrar(world, '10.0.0.2', { timers, peers: ['10.0.0.1'] });
  const { registrar: three } = registrar(world, '10.0.0.3', { timers, peers: ['10.0.0.1'] });
  world.run(5_000);
  world.network.cut('10.0.0.2', '10.0.0.3');
  world.network.cut('10.0.0.1', '10.0.0.3');
  world.run(20_000);
  for (const server of [one, two]) t.is(server.enrp?.peers.length, 1);
  t.deepEqual(three.enrp?.peers, []);
  world.network.join('10.0.0.2', '10.0.0.3');
  world.network.join('10.0.0.1', '10.0.0.3');
  world.run(3_000);
  for (const server of [one, two, three]) {
    t.deepEqual(
      server.enrp?.peers.map(({ connected }) => connected),
      [true, true],
    );
    t.deepEqual(contents(server), []);
  }
});

test('a registrar that closes ends its connections, ports and timers', (t) => {
  const world = new World(1);
  const { registrar: one } = registrar(world, '10.0.0.1');
  const { registrar: two } = registrar(world, '10.0.0.2', { peers: ['10.0.0.1'] });
  world.run(1_000);
  let closed = false;
  two.close(() => {
    closed = true;
  });
  world.run(10);
  t.true(closed);
  world.run(10_000);
  t.deepEqual(one.enrp?.peers, []);
  one.close();
  world.run(3_600_000);
  t.is(world.network.time.next, undefined);
});
