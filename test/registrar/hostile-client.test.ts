import test from 'ava';
import { causeCode } from '../../lib/wire/parameters.js';
import { poolElement, World } from '../asap/world.js';

test('a malformed message gets ASAP_ERROR and ends the connection, and nobody else notices', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const good = world.scripted('10.0.0.5').connect('10.0.0.1');
  const bad = world.scripted('10.0.0.6').connect('10.0.0.1').sendBytes('0500 0010 0009 00ff 6563686f 00000000');
  world.run(10);
  t.is(bad.errors[0]?.code, causeCode.invalidValues);
  t.is(bad.closed.length, 1);
  good.send({ type: 'handleResolution', subscribe: false, poolHandle: 'echo' });
  world.run(10);
  t.is(good.messages('handleResolutionResponse').length, 1);
  t.is(registrar.stats.connections, 1);
});

test('an unknown parameter is reported as its type asks, and the message is handled', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  // Handle resolution for 'echo' with a parameter of type 0xc123: skip and report.
  const far = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .sendBytes('0500 0014 0009 0008 6563686f c123 0008 deadbeef');
  world.run(10);
  t.deepEqual(
    far.errors.map(({ code }) => code),
    [causeCode.unrecognizedParameter],
  );
  t.is(Buffer.from(far.errors[0]?.information ?? []).toString('hex'), 'c1230008deadbeef');
  t.is(far.messages('handleResolutionResponse').length, 1);
});

test('the reference implementation can resolve: its captured request is answered', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const far = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .sendBytes('050000180009000c4563686f506f6f6c803f000800000001');
  world.run(10);
  t.is(far.messages('handleResolutionResponse')[0]?.poolHandle, 'EchoPool');
});

test('bytes of another protocol are an unknown message: reported by its rule, with no more than 1 KiB of it', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  // 'GET ' reads as type 0x47 (bits 01: discard and report) with a length of 0x5420.
  const far = world
    .scripted('10.0.0.6')
    .connect('10.0.0.1')
    .sendBytes(Buffer.from('GET / HTTP/1.1'.padEnd(0x5420, 'x')));
  world.run(10);
  t.deepEqual(
    far.errors.map(({ code }) => code),
    [causeCode.unrecognizedMessage],
  );
  t.true((far.errors[0]?.information.length ?? 0) <= 1_024);
});

test('who sends no whole message within firstMessageTimeout is closed, and may say nothing after it has', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const silent = world.scripted('10.0.0.5').connect('10.0.0.1');
  const endless = world.scripted('10.0.0.6').connect('10.0.0.1').sendBytes('0500 fffc 0009');
  world
    .scripted('10.0.0.7')
    .connect('10.0.0.1')
    .send({ type: 'handleResolution', subscribe: false, poolHandle: 'echo' });
  world.run(9_900);
  t.is(registrar.stats.connections, 3);
  world.run(60_000);
  t.is(registrar.stats.connections, 1);
  t.is(silent.closed.length, 1);
  t.is(endless.closed.length, 1);
});

test('one machine may have no more than maxConnectionsPerHost connections', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1', { limits: { maxConnectionsPerHost: 2 } });
  const far = [6, 6, 6, 7].map((host) => world.scripted(`10.0.0.${host}`).connect('10.0.0.1'));
  world.run(10);
  t.deepEqual(
    far.map(({ closed }) => closed.length),
    [0, 0, 1, 0],
  );
  far[0]?.process.kill();
  world.run(10);
  const next = world.scripted('10.0.0.6').connect('10.0.0.1');
  world.run(10);
  t.is(next.closed.length, 0);
  t.is(registrar.stats.connections, 3);
});

test('one connection more than maxConnections is closed', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1', { limits: { maxConnections: 2 } });
  const far = [5, 6, 7].map((host) => world.scripted(`10.0.0.${host}`).connect('10.0.0.1'));
  world.run(10);
  t.deepEqual(
    far.map(({ closed }) => closed.length),
    [0, 0, 1],
  );
  t.is(registrar.stats.connections, 2);
});

test('who asks and does not read is cut off at maxBacklog', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1', { limits: { maxBacklog: 50_000 } });
  const slow = world.scripted('10.0.0.6').connect('10.0.0.1');
  slow.streams[0]?.pause();
  for (let i = 0; i < 30_000; i++) slow.send({ type: 'handleResolution', subscribe: false, poolHandle: 'echo' });
  world.run(100);
  t.is(registrar.stats.connections, 0);
});

test('a thousand pools from one connection are bounded by maxPools', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1', { limits: { maxPools: 100 } });
  const far = world.scripted('10.0.0.6').connect('10.0.0.1');
  for (let i = 0; i < 200; i++) {
    far.send({ type: 'registration', poolHandle: `pool ${i}`, poolElement: poolElement(1, '10.0.0.6') });
  }
  world.run(100);
  t.is(registrar.stats.pools, 100);
  t.is(registrar.stats.registrationsRejected, 100);
});
