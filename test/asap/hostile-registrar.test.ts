import test from 'ava';
import { causeCode } from '../../lib/wire/parameters.js';
import { type Scripted, type User, World } from './world.js';

function connected(world: World): { user: User; far: Scripted } {
  const far = world.scripted('10.0.0.1').listen();
  const user = world.user('10.0.0.9');
  user.resolve('echo', { timeout: 1_000_000 });
  world.run(10);
  return { user, far };
}

test('an unknown message whose type says report (01) gets ASAP_ERROR with the message in it', (t) => {
  const world = new World();
  const { far } = connected(world);
  far.sendBytes('4200 0008 00000001');
  world.run(10);
  t.deepEqual(
    far.errors.map(({ code }) => code),
    [causeCode.unrecognizedMessage],
  );
  t.is(Buffer.from(far.errors[0]?.information ?? []).toString('hex'), '4200000800000001');
  t.deepEqual(far.closed, []);
});

test('an unknown message whose type says discard (00) is dropped in silence', (t) => {
  const world = new World();
  const { far } = connected(world);
  far.sendBytes('2200 0008 00000001');
  world.run(10);
  t.deepEqual(far.errors, []);
  t.deepEqual(far.closed, []);
});

test('a malformed message gets ASAP_ERROR and ends the channel; the endpoint looks for a registrar again', (t) => {
  const world = new World();
  const { user, far } = connected(world);
  // A handle resolution response whose pool handle is longer than the message.
  far.sendBytes('0600 000c 0009 00ff 6563686f');
  world.run(10);
  t.is(far.errors[0]?.code, causeCode.invalidValues);
  t.is(far.closed.length, 1);
  world.run(100);
  t.is(user.scope.endpoint.state, 'connected');
  t.is(far.channels.length, 2);
});

test('a length below 4 ends the channel with an ASAP_ERROR', (t) => {
  const world = new World();
  const { far } = connected(world);
  far.sendBytes('0600 0003');
  world.run(10);
  t.is(far.errors.length, 1);
  t.is(far.closed.length, 1);
});

test('a malformed ASAP_ERROR is not answered with another one', (t) => {
  const world = new World();
  const { far } = connected(world);
  far.sendBytes('0e00 0008 00ff00ff');
  world.run(10);
  t.deepEqual(far.errors, []);
  t.is(far.closed.length, 1);
});

test('a message above the limit ends the channel before it is read', (t) => {
  const world = new World();
  const far = world.scripted('10.0.0.1').listen();
  const user = world.user('10.0.0.9', '10.0.0.1', { limits: { maxMessageSize: 1_024 } });
  user.resolve('echo');
  world.run(10);
  far.sendBytes('0600 ffff');
  world.run(10);
  t.is(far.errors[0]?.code, causeCode.lackOfResources);
  t.is(far.closed.length, 1);
});

test('a message that arrives byte by byte is read like any other', (t) => {
  const world = new World();
  const far = world.scripted('10.0.0.1').listen();
  const user = world.user('10.0.0.9');
  const log = user.resolve('echo');
  world.run(10);
  for (const byte of Buffer.from('06000014000900086563686f000c000800090004', 'hex')) far.sendBytes(Uint8Array.of(byte));
  world.run(10);
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
});

test('a flood of answers that nobody asked for changes nothing', (t) => {
  const world = new World();
  const { user, far } = connected(world);
  const element = {
    identifier: 1,
    homeServerId: 0,
    registrationLife: 1,
    userTransport: { type: 'tcp', port: 1, address: '10.6.6.6' },
  } as const;
  for (let i = 0; i < 2_000; i++) {
    far.send({
      type: 'handleResolutionResponse',
      accepted: true,
      poolHandle: `pool ${i}`,
      poolElements: [element],
      errors: [],
    });
    far.send({ type: 'registrationResponse', rejected: true, poolHandle: `pool ${i}`, peIdentifier: i, errors: [] });
  }
  world.run(10);
  const log = user.resolve('pool 1');
  world.run(10);
  t.is(log.at, undefined);
  t.is(far.messages('handleResolution').length, 2);
});

test('a registrar that makes us answer and does not read is cut off at maxBacklog', (t) => {
  const world = new World();
  const far = world.scripted('10.0.0.1').listen();
  const user = world.user('10.0.0.9', '10.0.0.1', { limits: { maxBacklog: 10_000 } });
  user.register();
  world.run(10);
  far.streams[0]?.pause();
  const keepAlive = { type: 'endpointKeepAlive', home: false, serverId: 5, poolHandle: 'echo' } as const;
  for (let i = 0; i < 15_000; i++) far.send(keepAlive);
  world.run(200);
  t.true(user.attempts.length > 1);
});
