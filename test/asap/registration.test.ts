import test from 'ava';
import type { AsapMessage, Registration } from '../../lib/wire/messages.js';
import { causeCode } from '../../lib/wire/parameters.js';
import { type Scripted, World } from './world.js';

function accepted({ poolHandle, poolElement }: Registration): AsapMessage {
  return {
    type: 'registrationResponse',
    rejected: false,
    poolHandle,
    peIdentifier: poolElement.identifier,
    errors: [],
  };
}

/** Accepts every registration. */
function accepting(world: World, address: string): Scripted {
  const far = world.scripted(address).listen();
  far.onMessage = (message, channel) => void (message.type === 'registration' && channel.send(accepted(message)));
  return far;
}

for (const [life, interval] of [
  [Number.POSITIVE_INFINITY, 600_000],
  [3_600_000, 600_000],
  [300_000, 280_000],
  [60_000, 40_000],
  [40_000, 20_000],
  [30_000, 15_000],
  [3_000, 1_500],
  [300, 500],
] as const) {
  test(`T4: a registration life of ${life} ms is renewed every ${interval} ms`, (t) => {
    const world = new World(0);
    const far = accepting(world, '10.0.0.1');
    world.user('10.0.0.9').register({ registrationLife: life });
    world.run(interval * 2 + 1);
    t.deepEqual(far.instants('registration'), [0, interval, 2 * interval]);
  });
}

test('T2: without an answer for 30 s it registers again, and after MAX-REG-ATTEMPT it gives up', (t) => {
  const world = new World(0);
  const far = world.scripted('10.0.0.1').listen();
  const log = world.user('10.0.0.9').register();
  world.run(200_000);
  t.deepEqual(far.instants('registration'), [0, 30_000]);
  t.is(log.events.length, 1);
  t.like(log.events[0], { at: 60_000, type: 'failed', ended: true });
  t.is(log.events[0]?.error?.code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  t.is(log.element.state, 'ended');
});

test('without any registrar the first registration fails after T2 times MAX-REG-ATTEMPT', (t) => {
  const world = new World(0);
  const log = world.user('10.0.0.9').register();
  world.run(100_000);
  t.like(log.events[0], { at: 60_000, type: 'failed', ended: true });
  t.is(log.events[0]?.error?.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
});

test('an element that once was registered never gives up', (t) => {
  const world = new World();
  const { process } = world.registrar('10.0.0.1');
  const log = world.user('10.0.0.9').register();
  world.run(100);
  process.kill();
  world.run(600_000);
  t.is(log.element.state, 'lost');
  world.registrar('10.0.0.1');
  world.run(2_010);
  t.is(log.element.state, 'registered');
  // The owner is told once that there is no registrar, and once that there is one again.
  t.deepEqual(
    log.events.map(({ type, ended }) => [type, ended]),
    [
      ['registered', undefined],
      ['failed', false],
      ['registered', undefined],
    ],
  );
});

test('a rejection tells its cause and is never tried again unchanged', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  world.user('10.0.0.8').register({ identifier: 2, policy: { type: 'leastUsed', load: 0 } });
  world.run(100);
  const log = world.user('10.0.0.9').register({ policy: { type: 'random' } });
  world.run(100_000);
  t.is(log.events.length, 1);
  const [event] = log.events;
  t.is(event?.error?.code, 'ERR_RSERPOOL_REGISTRATION_REJECTED');
  t.regex(String(event?.error?.message), /Inconsistent Pool Policy \(0x5\)/);
  t.true(event?.ended);
  t.is(registrar.stats.registrationsRejected, 1);
});

test('a rejected change leaves the element registered as it was', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  const log = user.register({ policy: { type: 'leastUsed', load: 1 } });
  world.run(100);
  user.do(() => log.element.update({ policy: { type: 'random' } }));
  world.run(100);
  t.deepEqual(
    log.events.map(({ type }) => type),
    ['registered', 'failed', 'registered'],
  );
  t.is(log.element.state, 'registered');
  t.deepEqual(registrar.handlespace.entry('echo', 1)?.element.policy, { type: 'leastUsed', load: 1 });
});

test('an answer to superseded attributes is not taken for one to the latest', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  const log = user.register({ policy: { type: 'leastUsed', load: 1 } });
  world.run(100);
  user.do(() => {
    log.element.update({ policy: { type: 'leastUsed', load: 2 } });
    log.element.update({ policy: { type: 'random' } });
  });
  world.run(100);
  t.is(log.element.state, 'registered');
  t.is(registrar.handlespace.entry('echo', 1)?.element.policy?.type, 'leastUsed');
});

test('a change of policy is registered at once', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  const log = user.register({ policy: { type: 'leastUsed', load: 1 } });
  world.run(10);
  user.do(() => log.element.update({ policy: { type: 'leastUsed', load: 5 } }));
  world.run(1);
  t.deepEqual(registrar.handlespace.entry('echo', 1)?.element.policy, { type: 'leastUsed', load: 5 });
});

test('an element whose life ran out registers again and says so', (t) => {
  const world = new World(0);
  const far = accepting(world, '10.0.0.1');
  const log = world.user('10.0.0.9').register();
  world.run(10_000);
  far.send({ type: 'deregistrationResponse', poolHandle: 'echo', peIdentifier: 1, errors: [] });
  world.run(10);
  t.deepEqual(
    log.events.map(({ type, at }) => [type, at]),
    [
      ['registered', 0],
      ['expired', 10_000],
      ['registered', 10_000],
    ],
  );
});

test('a registrar that expires a registration again and again is asked less and less often', (t) => {
  const world = new World(0);
  const far = world.scripted('10.0.0.1').listen();
  far.onMessage = (message, channel) => {
    if (message.type !== 'registration') return;
    channel.send(accepted(message));
    channel.send({ type: 'deregistrationResponse', poolHandle: 'echo', peIdentifier: 1, errors: [] });
  };
  const log = world.user('10.0.0.9').register();
  world.run(10_000);
  t.true(log.events.some(({ type }) => type === 'expired'));
  t.true(far.messages('registration').length < 12, `${far.messages('registration').length} registrations`);
});

test('when its registrar dies an element is registered at the other one within 10 ms', (t) => {
  const world = new World();
  const first = world.registrar('10.0.0.1');
  const second = world.registrar('10.0.0.2');
  const user = world.user('10.0.0.9', '10.0.0.1,10.0.0.2');
  const log = user.register();
  world.run(100);
  const [home, other] = user.scope.endpoint.homeServer?.host === '10.0.0.1' ? [first, second] : [second, first];
  home.process.kill();
  world.run(10);
  t.is(other.registrar.handlespace.elementCount, 1);
  t.is(log.element.state, 'registered');
});

test('deregistration is confirmed by the registrar', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  const { element } = user.register();
  world.run(100);
  const results: (Error | undefined)[] = [];
  user.do(() => element.deregister((error) => void results.push(error)));
  world.run(100);
  t.deepEqual(results, [undefined]);
  t.is(registrar.handlespace.elementCount, 0);
  t.is(user.scope.endpoint.elements.size, 0);
});

test('T3: a deregistration without an answer is sent again after 30 s and given up after 60 s', (t) => {
  const world = new World(0);
  const far = accepting(world, '10.0.0.1');
  const user = world.user('10.0.0.9');
  const { element } = user.register();
  world.run(1_000);
  const results: unknown[] = [];
  user.do(() => element.deregister((error) => void results.push((error as { code?: unknown }).code, world.now)));
  world.run(100_000);
  t.deepEqual(results, ['ERR_RSERPOOL_REQUEST_TIMEOUT', 61_000]);
  t.deepEqual(far.instants('deregistration'), [1_000, 31_000]);
});

test('a deregistration ends at once when no registrar is left to tell', (t) => {
  const world = new World();
  const { process } = world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  const { element } = user.register();
  world.run(100);
  process.kill();
  const results: unknown[] = [];
  user.do(() => element.deregister((error) => void results.push((error as { code?: unknown }).code)));
  world.run(10);
  t.deepEqual(results, ['ERR_RSERPOOL_NO_ENRP_SERVER']);
});

test('a refused deregistration tells why', (t) => {
  const world = new World(0);
  const far = accepting(world, '10.0.0.1');
  const accept = far.onMessage;
  far.onMessage = (message, channel) => {
    accept(message, channel);
    if (message.type !== 'deregistration') return;
    const errors = [{ code: causeCode.rejectedDueToSecurity, information: new Uint8Array(0) }];
    channel.send({ type: 'deregistrationResponse', poolHandle: 'echo', peIdentifier: 1, errors });
  };
  const user = world.user('10.0.0.9');
  const { element } = user.register();
  world.run(100);
  const refusals: (Error | undefined)[] = [];
  user.do(() => element.deregister((refusal) => void refusals.push(refusal)));
  world.run(100);
  t.is((refusals[0] as { code?: unknown }).code, 'ERR_RSERPOOL_DEREGISTRATION_REJECTED');
  t.regex(String(refusals[0]?.message), /Security/);
});

test('attributes that the wire cannot carry throw at the caller, with a registrar and without one', (t) => {
  const world = new World(0);
  const user = world.user('10.0.0.9');
  const attributes = [
    { userTransport: { type: 'tcp', port: 7, address: 'example.org' } },
    { userTransport: { type: 'tcp', port: 70_000, address: '10.0.0.9' } },
    { policy: { type: 'leastUsed', load: 1.5 } },
    { registrationLife: -1_500 },
    { registrationLife: Number.NaN },
    { poolHandle: 'x'.repeat(1_025) },
  ] as const;
  for (const one of attributes) t.throws(() => user.register(one), { instanceOf: Error }, JSON.stringify(one));
  world.run(100_000);
  t.is(user.scope.endpoint.elements.size, 0);
  world.registrar('10.0.0.1');
  const log = user.register({});
  world.run(3_000);
  t.throws(() => user.do(() => log.element.update({ policy: { type: 'leastUsed', load: -1 } })), {
    instanceOf: RangeError,
  });
  t.is(log.element.state, 'registered');
  world.run(600_000);
  t.deepEqual(
    log.events.filter(({ type }) => type !== 'registered'),
    [],
  );
});

test('whoever asks for a deregistration that is under way hears how it ends', (t) => {
  const world = new World(1);
  world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9');
  const log = user.register({});
  world.run(100);
  const ended: string[] = [];
  user.do(() => {
    log.element.deregister(() => ended.push(`first at ${world.now}`));
    log.element.deregister(() => ended.push(`second at ${world.now}`));
  });
  world.run(1_000);
  t.deepEqual(ended, ['first at 102', 'second at 102']);
});
