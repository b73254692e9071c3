import test from 'ava';
import type { AsapMessage, HandleResolution } from '../../lib/wire/messages.js';
import { causeCode, type ErrorCause } from '../../lib/wire/parameters.js';
import { poolElement, type Scripted, World } from './world.js';

function positive({ poolHandle, subscribe }: HandleResolution, ...identifiers: number[]): AsapMessage {
  const poolElements = identifiers.map((identifier) => poolElement(identifier, '10.0.0.7'));
  return {
    type: 'handleResolutionResponse',
    accepted: subscribe,
    poolHandle,
    policy: { type: 'random' },
    poolElements,
    errors: [],
  };
}

const unknown: ErrorCause = { code: causeCode.unknownPoolHandle, information: new Uint8Array(0) };

function negative(poolHandle: string, errors = [unknown]): AsapMessage {
  return { type: 'handleResolutionResponse', accepted: false, poolHandle, poolElements: [], errors };
}

/** Answers every resolution with two elements. */
function answering(world: World): Scripted {
  const far = world.scripted('10.0.0.1').listen();
  far.onMessage = (message, channel) =>
    void (message.type === 'handleResolution' && channel.send(positive(message, 1, 2)));
  return far;
}

test('a resolution gives policy and elements as the registrar named them', (t) => {
  const world = new World();
  answering(world);
  const log = world.user('10.0.0.9').resolve('echo');
  world.run(100);
  t.is(log.error, undefined);
  t.deepEqual(log.resolution?.policy, { type: 'random' });
  t.deepEqual(
    log.resolution?.elements.map(({ identifier }) => identifier),
    [1, 2],
  );
  t.is(log.resolution?.source, 'server');
});

test('an unknown pool fails at once', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const log = world.user('10.0.0.9').resolve('nothing');
  world.run(100);
  t.is(log.at, 4);
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.regex(String(log.error?.message), /nothing/);
});

test('another refusal names its cause', (t) => {
  const world = new World();
  const far = world.scripted('10.0.0.1').listen();
  const errors = [{ code: causeCode.lackOfResources, information: new Uint8Array(0) }];
  far.onMessage = (_, channel) => void channel.send(negative('echo', errors));
  const log = world.user('10.0.0.9').resolve('echo');
  world.run(100);
  t.is(log.error?.code, 'ERR_RSERPOOL_RESOLUTION_REJECTED');
  t.regex(String(log.error?.message), /Lack of Resources \(0x6\)/);
  t.deepEqual(log.error?.cause, errors);
});

test('C4: within stale.cache.value the cache answers; C2: after it the registrar is asked', (t) => {
  const world = new World(0);
  const far = answering(world);
  const user = world.user('10.0.0.9', '10.0.0.1', { timers: { staleCacheValue: 5_000 } });
  user.resolve('echo');
  world.run(4_999);
  const cached = user.resolve('echo');
  world.run(0);
  t.is(cached.resolution?.source, 'cache');
  t.is(cached.resolution?.resolvedAt, 0);
  world.run(1);
  const asked = user.resolve('echo');
  world.run(1);
  t.is(asked.resolution?.source, 'server');
  t.deepEqual(far.instants('handleResolution'), [0, 5_000]);
});

test('populate asks although the cache is fresh, and purge empties it', (t) => {
  const world = new World(0);
  const far = answering(world);
  const user = world.user('10.0.0.9', '10.0.0.1', { timers: { staleCacheValue: 60_000 } });
  user.resolve('echo');
  world.run(10);
  user.resolve('echo', { fresh: true });
  world.run(10);
  user.do(() => user.scope.purge('echo'));
  user.resolve('echo');
  world.run(10);
  t.deepEqual(far.instants('handleResolution'), [0, 10, 20]);
});

test('resolutions of one pool at the same time share one request', (t) => {
  const world = new World();
  const far = answering(world);
  const user = world.user('10.0.0.9');
  const logs = [user.resolve('echo'), user.resolve('echo'), user.resolve('echo')];
  world.run(100);
  t.is(far.messages('handleResolution').length, 1);
  t.deepEqual(
    logs.map((log) => log.resolution?.elements.length),
    [2, 2, 2],
  );
});

test('one that wants more elements than were asked for is answered by a second request', (t) => {
  const world = new World();
  const far = answering(world);
  const user = world.user('10.0.0.9');
  const few = user.resolve('echo', { elementsWanted: 1 });
  const many = user.resolve('echo', { elementsWanted: 500 });
  world.run(100);
  t.deepEqual(
    far.messages('handleResolution').map((message) => message.elementsWanted),
    [1, 500],
  );
  t.is(few.at, 4);
  t.is(many.at, 6);
});

test('32 elements are asked for by default', (t) => {
  const world = new World();
  const far = answering(world);
  world.user('10.0.0.9').resolve('echo');
  world.run(100);
  t.is(far.messages('handleResolution')[0]?.elementsWanted, 32);
});

test('a cancelled resolution calls nobody back', (t) => {
  const world = new World();
  answering(world);
  const user = world.user('10.0.0.9');
  const log = user.resolve('echo');
  user.do(() => log.cancel());
  world.run(60_000);
  t.is(log.at, undefined);
});

test('while no registrar can be reached a stale answer is better than none', (t) => {
  const world = new World(0);
  const far = answering(world);
  const user = world.user('10.0.0.9');
  user.resolve('echo');
  world.run(10_000);
  far.process.kill();
  world.run(10);
  const log = user.resolve('echo');
  world.run(10);
  t.is(log.resolution?.source, 'staleCache');
  world.run(60_000);
  const late = user.resolve('echo', { hunt: 'once' });
  world.run(10);
  t.is(late.error?.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
});

test('awaitPool asks again after 100 ms doubling to 2 s until the pool exists', (t) => {
  const world = new World(0);
  const far = world.scripted('10.0.0.1').listen();
  let exists = false;
  far.onMessage = (message, channel) => {
    if (message.type === 'handleResolution') channel.send(exists ? positive(message, 1) : negative('echo'));
  };
  const log = world.user('10.0.0.9').resolve('echo', { wait: 60_000 });
  world.run(15_000);
  exists = true;
  world.run(2_000);
  const instants = far.instants('handleResolution');
  for (const [i, at] of instants.slice(1).entries()) {
    const most = Math.min(100 * 2 ** i, 2_000);
    const wait = at - (instants[i] ?? 0);
    t.true(wait >= most / 2 && wait <= most, `wait ${i} was ${wait}`);
  }
  t.is(log.resolution?.elements.length, 1);
});

test('awaitPool gives up at its deadline, and not before', (t) => {
  const world = new World(0);
  world.registrar('10.0.0.1');
  const log = world.user('10.0.0.9').resolve('echo', { wait: 5_000 });
  world.run(20_000);
  t.is(log.at, 5_000);
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
});

test('an element reported unreachable is reported once a second at most, suspected for 2 s, and named last meanwhile', (t) => {
  const world = new World(0);
  const far = answering(world);
  const user = world.user('10.0.0.9');
  const report = (): void => user.do(() => user.scope.endpoint.reportUnreachable('echo', 1));
  const order = (): number[] | undefined => {
    const log = user.resolve('echo');
    world.run(0);
    return log.resolution?.elements.map(({ identifier }) => identifier);
  };
  t.deepEqual(order(), [1, 2]);
  report();
  world.run(500);
  report();
  t.true(user.scope.endpoint.isSuspected('echo', 1));
  t.deepEqual(order(), [2, 1]);
  world.run(500);
  report();
  world.run(1_999);
  t.true(user.scope.endpoint.isSuspected('echo', 1));
  world.run(1);
  t.false(user.scope.endpoint.isSuspected('echo', 1));
  t.deepEqual(order(), [1, 2]);
  // What is more urgent goes before it.
  t.deepEqual(far.instants('endpointUnreachable'), [10, 1_010]);
});

test('a report waits for a home server', (t) => {
  const world = new World(0);
  const user = world.user('10.0.0.9');
  user.do(() => user.scope.endpoint.reportUnreachable('echo', 1));
  world.run(1_000);
  const far = answering(world);
  world.run(3_000);
  t.is(far.messages('endpointUnreachable').length, 1);
});

test('a subscriber hears of each change, across the death of its registrar', (t) => {
  const world = new World();
  const first = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  const heard: (number[] | undefined)[] = [];
  world.user('10.0.0.7', '10.0.0.1,10.0.0.2').register({ identifier: 1 });
  world.run(100);
  user.do(() => {
    user.scope.endpoint.subscribe('echo', (resolution) =>
      heard.push(resolution?.elements.map(({ identifier }) => identifier).sort()),
    );
  });
  world.run(100);
  world.user('10.0.0.8', '10.0.0.1,10.0.0.2').register({ identifier: 2 });
  world.run(100);
  t.deepEqual(heard, [[1], [1, 2]]);
  world.registrar('10.0.0.2');
  first.process.kill();
  world.run(1_000);
  t.deepEqual(heard.at(-1), [1, 2]);
});

test('a subscriber is told when the pool ceases to exist, and when it exists again', (t) => {
  const world = new World();
  world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  const heard: (number | undefined)[] = [];
  const element = world.user('10.0.0.7');
  element.register();
  world.run(100);
  user.do(() => void user.scope.endpoint.subscribe('echo', (resolution) => heard.push(resolution?.elements.length)));
  world.run(100);
  element.process.kill();
  world.run(100);
  t.deepEqual(heard.slice(0, 2), [1, undefined]);
  world.user('10.0.0.6').register({ identifier: 6 });
  world.run(3_000);
  t.is(heard.at(-1), 1);
});

test('a subscribed pool is answered from the cache for ever, but not after the subscription or the registrar has ended', (t) => {
  const world = new World(0);
  const far = answering(world);
  const user = world.user('10.0.0.9');
  const cancel: (() => void)[] = [];
  const source = (): string | undefined => {
    const log = user.resolve('echo');
    world.run(0);
    return log.resolution?.source;
  };
  user.do(() => {
    const subscription = user.scope.endpoint.subscribe('echo', () => {});
    cancel.push(() => subscription.cancel());
  });
  world.run(100_000);
  t.is(source(), 'cache');
  far.process.kill();
  world.run(10_000);
  t.is(source(), undefined);
  answering(world);
  world.run(10_000);
  t.is(source(), 'cache');
  user.do(() => cancel[0]?.());
  t.is(source(), 'server');
});

test('what was pending when the scope closes fails with ERR_RSERPOOL_SESSION_CLOSED, and later calls too', (t) => {
  const world = new World();
  const user = world.user('10.0.0.9');
  const pending = user.resolve('echo');
  user.do(() => user.scope.close());
  const late = user.resolve('echo');
  world.run(100);
  t.is(pending.error?.code, 'ERR_RSERPOOL_SESSION_CLOSED');
  t.is(late.error?.code, 'ERR_RSERPOOL_SESSION_CLOSED');
});

test('a pool handle that is too long fails by itself and does not cost the home connection', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  user.register();
  world.run(100);
  const long = user.resolve('x'.repeat(1_025));
  const longest = user.resolve('x'.repeat(1_024));
  world.run(100);
  t.is(long.error?.code, 'ERR_INVALID_ARG_VALUE');
  t.is(longest.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.is(user.attempts.length, 1);
  t.is(registrar.stats.registrationsAccepted, 1);
});

test('a registrar that takes no subscription, as the reference implementation, is asked every 1 to 2 s', (t) => {
  const world = new World(0);
  const far = world.scripted('10.0.0.1').listen();
  let identifiers = [1];
  far.onMessage = (message, channel) => {
    if (message.type === 'handleResolution')
      channel.send({ ...positive(message, ...identifiers), accepted: false } as never);
  };
  const user = world.user('10.0.0.9');
  const heard: (number | undefined)[] = [];
  user.do(() => void user.scope.endpoint.subscribe('echo', (resolution) => heard.push(resolution?.elements.length)));
  world.run(10_000);
  const instants = far.instants('handleResolution');
  for (const [i, at] of instants.slice(1).entries()) {
    const wait = at - (instants[i] ?? 0);
    t.true(wait >= 1_000 && wait <= 2_000, `wait ${i} was ${wait}`);
  }
  identifiers = [1, 2];
  world.run(2_000);
  t.is(heard[0], 1);
  t.is(heard.at(-1), 2);
});

test('when the last listener is gone the registrar is told, and only then', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  world.user('10.0.0.7').register();
  const user = world.user('10.0.0.9');
  const cancel: (() => void)[] = [];
  user.do(() => {
    for (let i = 0; i < 2; i++) {
      const subscription = user.scope.endpoint.subscribe('echo', () => {});
      cancel.push(() => subscription.cancel());
    }
  });
  world.run(100);
  t.is(registrar.stats.subscriptions, 1);
  user.do(() => cancel[0]?.());
  world.run(100);
  t.is(registrar.stats.subscriptions, 1);
  user.do(() => cancel[1]?.());
  world.run(100);
  t.is(registrar.stats.subscriptions, 0);
});

test('T1 holds for subscriptions too: a registrar that leaves one unanswered is replaced', (t) => {
  const world = new World(0);
  const silent = world.scripted('10.0.0.1').listen();
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  const heard: (number | undefined)[] = [];
  user.do(() => void user.scope.endpoint.subscribe('echo', (resolution) => heard.push(resolution?.elements.length)));
  world.run(1);
  world.registrar('10.0.0.2');
  world.user('10.0.0.7', '10.0.0.2').register();
  world.run(20_000);
  t.deepEqual(silent.instants('handleResolution'), [0, 15_000]);
  t.deepEqual(heard, [1]);
});
