import test from 'ava';
import { World } from './world.js';

const silentServers = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'];

test('three registrars at most are tried at a time; T5 doubles from 10 s to 60 s, each round with other addresses', (t) => {
  const world = new World();
  const user = world.user('10.0.0.9', silentServers.join());
  for (const server of silentServers) world.network.cut('10.0.0.9', server);
  user.resolve('echo', { timeout: 200_000 });
  world.run(195_000);
  const rounds = new Map<number, string>();
  for (const { at, to } of user.attempts) rounds.set(at, (rounds.get(at) ?? '') + to.slice(-1));
  t.deepEqual(
    [...rounds.entries()],
    [
      [0, '123'],
      [10_000, '451'],
      [30_000, '234'],
      [70_000, '512'],
      [130_000, '345'],
      [190_000, '123'],
    ],
  );
});

test('a registrar that refuses is replaced by the next one at once', (t) => {
  const world = new World();
  world.registrar('10.0.0.4');
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4');
  const log = user.resolve('echo');
  world.run(100);
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.deepEqual(user.scope.endpoint.homeServer, { host: '10.0.0.4', port: 3863 });
  // Refused after 2 ms, connected after 4, answered after 6.
  t.is(log.at, 6);
});

test('the first registrar that accepts becomes the home server and the other attempts are given up', (t) => {
  const world = new World();
  const near = world.registrar('10.0.0.2');
  const far = world.registrar('10.0.0.1');
  world.network.link('10.0.0.9', '10.0.0.1').latency = 50;
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  user.resolve('echo');
  world.run(1_000);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.2');
  t.is(near.registrar.stats.connections, 1);
  t.is(far.registrar.stats.connections, 0);
});

test('when all refuse, rounds follow after 100 ms doubling to 2 s, half of it by chance', (t) => {
  const world = new World(0);
  const user = world.user('10.0.0.9', '10.0.0.1');
  const log = user.resolve('echo', { timeout: 20_000 });
  world.run(20_000);
  const waits = user.attempts.slice(1).map(({ at }, i) => at - (user.attempts[i]?.at ?? 0));
  t.true(waits.length > 8);
  for (const [i, wait] of waits.entries()) {
    const most = Math.min(100 * 2 ** i, 2_000);
    t.true(wait >= most / 2 && wait <= most, `wait ${i} was ${wait}`);
  }
  t.is(new Set(waits).size, waits.length);
  t.is(log.at, 20_000);
});

test('no registrar by the deadline: the error names what each one failed with', (t) => {
  const world = new World();
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2:4000');
  const log = user.resolve('echo', { timeout: 5_000 });
  world.run(10_000);
  t.is(log.at, 5_000);
  t.is(log.error?.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  const cause = log.error?.cause as AggregateError;
  t.true(cause instanceof AggregateError);
  const messages = cause.errors.map((error: Error) => error.message);
  t.deepEqual(messages, ['connect ECONNREFUSED 10.0.0.1:3863', 'connect ECONNREFUSED 10.0.0.2:4000']);
});

test("a resolution that hunts 'once' fails with the first round", (t) => {
  const world = new World();
  const user = world.user('10.0.0.9');
  const log = user.resolve('echo', { hunt: 'once' });
  world.run(10_000);
  t.is(log.at, 2);
  t.is(log.error?.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  // Nobody needs a registrar any more, so nobody looks for one.
  t.is(user.attempts.length, 1);
});

test('T1: sent again after 15 s and 30 s, and given up after 45 s', (t) => {
  const world = new World(0);
  const silent = world.scripted('10.0.0.1').listen();
  const log = world.user('10.0.0.9').resolve('echo');
  world.run(60_000);
  t.is(log.at, 45_000);
  t.is(log.error?.code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  t.deepEqual(silent.instants('handleResolution'), [0, 15_000, 30_000]);
});

test('T1: a registrar that falls silent is replaced by another one while it is asked again', (t) => {
  const world = new World(0);
  const silent = world.scripted('10.0.0.1').listen();
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  const log = user.resolve('echo');
  world.run(1);
  world.registrar('10.0.0.2');
  world.run(20_000);
  t.deepEqual(silent.instants('handleResolution'), [0, 15_000]);
  t.is(log.at, 15_000);
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.2');
});

test('when the home server dies, the next one is home within milliseconds and answers what was pending', (t) => {
  const world = new World();
  const first = world.scripted('10.0.0.1').listen();
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  const log = user.resolve('echo');
  world.run(50);
  world.registrar('10.0.0.2');
  first.process.kill();
  const died = world.now;
  world.run(1_000);
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.true((log.at ?? Number.POSITIVE_INFINITY) - died <= 10);
});

test('a registrar that accepts and ends the connection without an answer is tried again after 100 ms doubling to 2 s', (t) => {
  const world = new World(0);
  world.registrar('10.0.0.1', { limits: { maxConnections: 0 } });
  const user = world.user('10.0.0.9', '10.0.0.1');
  const log = user.resolve('echo', { timeout: 20_000 });
  world.run(20_000);
  const waits = user.attempts.slice(1).map(({ at }, i) => at - (user.attempts[i]?.at ?? 0));
  t.true(waits.length > 8);
  for (const [i, wait] of waits.entries()) {
    const most = Math.min(100 * 2 ** i, 2_000);
    t.true(wait >= most / 2 && wait <= most, `wait ${i} was ${wait}`);
  }
  t.is(log.at, 20_000);
  t.is(log.error?.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  t.regex(String(log.error?.message), /10\.0\.0\.1:3863 ERR_RSERPOOL_CONNECTION_BROKEN/);
});

test('a registrar that is full is replaced by the next one at once', (t) => {
  const world = new World();
  world.registrar('10.0.0.1', { limits: { maxConnections: 0 } });
  world.registrar('10.0.0.2');
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  world.network.link('10.0.0.9', '10.0.0.2').latency = 5;
  const log = user.resolve('echo');
  world.run(50);
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.2');
});
