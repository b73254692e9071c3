/** Nameservice mode for elements: services of any make in a pool, and out of it when they are sick. */

import test from 'ava';
import type { OperationalScope } from '../../lib/asap/scope.js';
import type { RserpoolError } from '../../lib/errors.js';
import { type RegisterOptions, type Registration, register } from '../../lib/net/registration.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { noHandler } from '../../lib/transport/transport.js';
import { asapMessageType, encodeAsap } from '../../lib/wire/asap.js';
import { toPoolHandle } from '../../lib/wire/pool-handle.js';
import { type TestRegistrar, World } from './world.js';

interface Setting {
  readonly world: World;
  readonly registrar: TestRegistrar;
  readonly process: MemoryProcess;
  readonly scope: OperationalScope;
  /** `register` in the process of the service, for the pool 'time'. */
  register(options?: Partial<RegisterOptions>): Promise<Registration>;
  /** The identifiers in the pool, as a registrar tells them to a user. */
  members(): readonly number[];
}

function setting(): Setting {
  const world = new World();
  const registrar = world.registrar();
  const process = world.spawn('service');
  const scope = world.scope(process);
  return {
    world,
    registrar,
    process,
    scope,
    register: (options) => register({ poolHandle: 'time', port: 37, scope, ...options }),
    members: () => {
      const { handlespace } = registrar.registrar;
      return [...handlespace.owned(registrar.registrar.serverId)].map(({ identifier }) => identifier).sort();
    },
  };
}

async function failure(world: World, promise: Promise<unknown>): Promise<RserpoolError> {
  return (await world.until(promise.catch((error: unknown) => error))) as RserpoolError;
}

test('register resolves when the registrar has accepted, and tells the instance id', async (t) => {
  const { world, scope, members, register: begin } = setting();
  const registration = await world.until(begin({ protocol: 'udp', policy: 'leastUsed', load: 0.5 }));
  t.true(registration.registered);
  t.is(registration.state, 'registered');
  t.deepEqual(registration.result, { accepted: true });
  t.is(registration.poolHandle, 'time');
  t.deepEqual(members(), [registration.identifier]);
  const { elements } = await world.until(scope.resolve('time'));
  t.like(elements[0], {
    identifier: registration.identifier,
    userTransport: { type: 'udp', port: 37, address: '10.0.0.2' },
    policy: { type: 'leastUsed', load: 0x80000000 },
  });
});

test('it stays registered: keep-alives are answered and the registration is renewed', async (t) => {
  const { world, registrar, register: begin } = setting();
  const registration = await world.until(begin({ registrationLife: 10_000 }));
  await world.run(60_000);
  t.true(registration.registered);
  t.is(registrar.registrar.handlespace.elementCount, 1);
  t.true(registrar.registrar.stats.keepAlivesSent >= 5);
});

test('deregister removes it, once and for good', async (t) => {
  const { world, members, register: begin } = setting();
  const registration = await world.until(begin());
  const done = registration.deregister();
  t.is(registration.deregister(), done);
  await world.until(done);
  t.deepEqual(members(), []);
  t.is(registration.state, 'deregistered');
  await world.run(10_000);
  t.deepEqual(members(), []);
});

test('deregister without a registrar rejects with the reason', async (t) => {
  const { world, registrar, register: begin } = setting();
  const registration = await world.until(begin());
  registrar.process.kill();
  await world.run(10);
  const error = await failure(world, registration.deregister());
  t.is(error.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  t.is(registration.state, 'deregistered');
});

test('update changes the policy values; a refused policy leaves the former one', async (t) => {
  const { world, scope, register: begin } = setting();
  const registration = await world.until(begin({ policy: { type: 'weightedRoundRobin', weight: 1 } }));
  const told: string[] = [];
  registration.on('unregistered', (error) => told.push((error as RserpoolError).code));
  const policy = async (): Promise<unknown> => (await world.until(scope.populate('time'))).elements[0]?.policy;
  registration.update({ policy: { type: 'weightedRoundRobin', weight: 9 } });
  t.deepEqual(await policy(), { type: 'weightedRoundRobin', weight: 9 });
  const other = world.scope(world.spawn('other'));
  const weighed = { type: 'weightedRoundRobin', weight: 1 } as const;
  await world.until(register({ poolHandle: 'time', port: 37, scope: other, policy: weighed }));
  registration.update({ policy: 'random' });
  await world.run(1_000);
  t.deepEqual(told, ['ERR_RSERPOOL_REGISTRATION_REJECTED']);
  t.true(registration.registered);
  t.throws(() => registration.update({ policy: 'none' as never }), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('a registration that the registrar refuses rejects', async (t) => {
  const { world, members, register: begin } = setting();
  await world.until(begin({ policy: 'random' }));
  const error = await failure(world, begin({ policy: 'roundRobin' }));
  t.is(error.code, 'ERR_RSERPOOL_REGISTRATION_REJECTED');
  t.is(members().length, 1);
});

test('without a registrar register rejects after two registration time-outs', async (t) => {
  const { world, registrar, scope, register: begin } = setting();
  registrar.process.kill();
  const at = world.now;
  const error = await failure(world, begin());
  t.is(error.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  t.is(Math.round(world.now - at), scope.timers.registrationTimeout * scope.timers.maxRegistrationAttempts);
});

test('a signal gives register up', async (t) => {
  const { world, registrar, members, register: begin } = setting();
  registrar.process.freeze();
  const controller = new AbortController();
  const promise = begin({ signal: controller.signal });
  await world.run(100);
  controller.abort(new Error('changed my mind'));
  t.is((await failure(world, promise)).message, 'changed my mind');
  registrar.process.thaw();
  await world.run(5_000);
  t.deepEqual(members(), []);
  t.is((await failure(world, begin({ signal: controller.signal }))).message, 'changed my mind');
});

test('it registers again at a registrar that comes back, and says so', async (t) => {
  const { world, registrar, register: begin } = setting();
  const registration = await world.until(begin());
  const told: string[] = [];
  registration.on('unregistered', () => told.push('unregistered'));
  registration.on('registered', () => told.push('registered'));
  registrar.process.kill();
  await world.run(3_000);
  t.is(registration.state, 'lost');
  t.false(registration.result?.accepted);
  const second = world.registrar().registrar;
  await world.until(() => registration.registered);
  t.is(second.handlespace.elementCount, 1);
  t.deepEqual(told, ['unregistered', 'registered']);
});

const sicknesses: readonly [name: string, check: () => Promise<boolean>, reason: RegExp][] = [
  ['false', async () => false, /returned false/],
  ['a rejection', async () => Promise.reject(new Error('no disk')), /no disk/],
  ['silence', () => new Promise(() => {}), /longer than 1000 ms/],
];

for (const [name, sick, reason] of sicknesses) {
  test(`a sick service leaves the pool and comes back when it is well: ${name}`, async (t) => {
    const { world, members, register: begin } = setting();
    let well = true;
    const healthCheck = async (): Promise<boolean> => well || sick();
    const registration = await world.until(begin({ healthCheck, healthCheckInterval: 500 }));
    const told: string[] = [];
    registration.on('unhealthy', (error) => told.push((error as RserpoolError).code, error.message));
    registration.on('healthy', () => told.push('healthy'));
    registration.on('registered', () => told.push('registered'));
    await world.run(5_000);
    t.deepEqual(told, []);
    well = false;
    await world.run(1_600);
    t.deepEqual(members(), []);
    t.is(registration.state, 'unhealthy');
    t.is(told[0], 'ERR_RSERPOOL_ELEMENT_FAILED');
    t.regex(told[1] as string, reason);
    await world.run(5_000);
    t.is(told.length, 2);
    well = true;
    await world.until(() => registration.registered, 3_000);
    t.deepEqual(members(), [registration.identifier]);
    t.deepEqual(told.slice(2), ['healthy', 'registered']);
    await world.until(registration.deregister());
    await world.run(5_000);
    t.deepEqual(members(), []);
  });
}

test('a service joins the pool when it is well for the first time', async (t) => {
  const { world, members, register: begin } = setting();
  let ready = false;
  let resolved = false;
  const promise = begin({ healthCheck: async () => ready, healthCheckInterval: 100 });
  void promise.then(() => (resolved = true));
  await world.run(2_000);
  t.deepEqual([resolved, members()], [false, []]);
  ready = true;
  const registration = await world.until(promise, 200);
  t.deepEqual(members(), [registration.identifier]);
});

test('a check that takes too long is told to stop', async (t) => {
  const { world, register: begin } = setting();
  let aborted = false;
  let well = true;
  const healthCheck = (signal: AbortSignal): Promise<void> | undefined => {
    if (well) return undefined;
    signal.addEventListener('abort', () => (aborted = true));
    return new Promise(() => {});
  };
  await world.until(begin({ healthCheck, healthCheckInterval: 100, healthCheckTimeout: 50 }));
  well = false;
  await world.run(140);
  t.false(aborted);
  await world.run(20);
  t.true(aborted);
});

test('no check is made after deregister', async (t) => {
  const { world, register: begin } = setting();
  let checks = 0;
  const healthCheck = (): boolean => ++checks > 0;
  const registration = await world.until(begin({ healthCheck, healthCheckInterval: 100 }));
  await world.run(1_000);
  const before = checks;
  t.true(before > 5);
  await world.until(registration.deregister());
  await world.run(1_000);
  t.is(checks, before);
});

test('a service is not taken for sick because its process was frozen during a check', async (t) => {
  const { world, process, register: begin } = setting();
  const target = world.spawn('target');
  target.transport.listen(
    { host: target.address, port: 80 },
    { onListening() {}, onConnection: () => noHandler, onError: (error) => t.fail(error.message) },
  );
  let freeze = false;
  const healthCheck = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const onOpen = (): typeof noHandler => {
        resolve();
        return noHandler;
      };
      process.transport.connect({ host: target.address, port: 80 }, { onOpen, onError: reject });
      if (freeze) process.freeze();
    });
  const registration = await world.until(begin({ healthCheck, healthCheckInterval: 100 }));
  const told: Error[] = [];
  registration.on('unhealthy', (error) => told.push(error));
  freeze = true;
  await world.until(() => process.state === 'frozen');
  freeze = false;
  await world.run(5_000);
  process.thaw();
  await world.run(5_000);
  t.deepEqual(told, []);
  t.true(registration.registered);
});

test('a check of a TCP port follows the port', async (t) => {
  const { world, process, members, register: begin } = setting();
  const listen = () =>
    process.transport.listen(
      { host: '10.0.0.2', port: 37 },
      { onListening() {}, onConnection: () => noHandler, onError: (error) => t.fail(error.message) },
    );
  let listener = listen();
  const healthCheck = { host: '10.0.0.2', port: 37 };
  const registration = await world.until(begin({ healthCheck, healthCheckInterval: 200 }));
  listener.close();
  await world.run(300);
  t.deepEqual([registration.state, members()], ['unhealthy', []]);
  listener = listen();
  await world.run(300);
  t.deepEqual(members(), [registration.identifier]);
});

test('deregistering while sick waits for the deregistration that is under way', async (t) => {
  const { world, members, register: begin } = setting();
  let well = true;
  const registration = await world.until(begin({ healthCheck: async () => well, healthCheckInterval: 100 }));
  const leaving = new Promise<void>((resolve, reject) => {
    registration.on('unhealthy', () => registration.deregister().then(resolve, reject));
  });
  well = false;
  await world.until(leaving);
  t.deepEqual(members(), []);
  well = true;
  await world.run(1_000);
  t.deepEqual(members(), []);
});

test('with an ASAP port a registrar that the element did not call can look after it', async (t) => {
  const { world, registrar, scope, register: begin } = setting();
  const registration = await world.until(begin({ asapPort: 4_000 }));
  const { elements } = await world.until(scope.resolve('time'));
  t.deepEqual(elements[0]?.asapTransport, { type: 'tcp', address: '10.0.0.2', port: 4_000 });
  const acknowledged = new Promise<void>((resolve) => {
    const stranger = world.spawn('another registrar');
    const asked = stranger.transport.connect(
      { host: '10.0.0.2', port: 4_000 },
      {
        onOpen: (stream) => {
          stream.write([
            encodeAsap({
              type: 'endpointKeepAlive',
              home: false,
              serverId: 9,
              poolHandle: toPoolHandle('time'),
              peIdentifier: registration.identifier,
            }),
          ]);
          return { ...noHandler, onData: (chunk) => chunk[0] === asapMessageType.endpointKeepAliveAck && resolve() };
        },
        onError: (error) => t.fail(error.message),
      },
    );
    t.truthy(asked);
  });
  await world.until(acknowledged, 1_000);
  await world.until(registration.deregister());
  t.is(registrar.registrar.handlespace.elementCount, 0);
});

test('an ASAP port that is taken rejects with the reason of the system', async (t) => {
  const { world, members, register: begin } = setting();
  await world.until(begin({ asapPort: 4_000 }));
  const error = await failure(world, begin({ asapPort: 4_000 }));
  t.is(error.code as string, 'EADDRINUSE');
  t.is(members().length, 1);
});

test('what a listener throws does not disturb the registration', async (t) => {
  const { world, process, members, register: begin } = setting();
  const thrown: unknown[] = [];
  process.onFailure = (error) => thrown.push(error);
  let well = true;
  const registration = await world.until(begin({ healthCheck: async () => well, healthCheckInterval: 100 }));
  const mistake = new Error('a mistake');
  registration.on('unhealthy', () => {
    throw mistake;
  });
  well = false;
  await world.run(300);
  well = true;
  await world.run(300);
  t.deepEqual(thrown, [mistake]);
  t.deepEqual(members(), [registration.identifier]);
});

for (const [name, options, code] of [
  ['no port', { port: undefined as never }, 'ERR_SOCKET_BAD_PORT'],
  ['port 0', { port: 0 }, 'ERR_SOCKET_BAD_PORT'],
  ['a host name', { host: 'localhost' }, 'ERR_INVALID_ARG_VALUE'],
  ['an unknown protocol', { protocol: 'quic' as never }, 'ERR_INVALID_ARG_VALUE'],
  ['an unknown policy', { policy: 'best' as never }, 'ERR_INVALID_ARG_VALUE'],
  ['identifier 0', { identifier: 0 }, 'ERR_OUT_OF_RANGE'],
  ['a health check that is none', { healthCheck: 7 as never }, 'ERR_INVALID_ARG_TYPE'],
  ['a health check without a port', { healthCheck: {} as never }, 'ERR_SOCKET_BAD_PORT'],
  ['no time for a health check', { healthCheckTimeout: 0 }, 'ERR_OUT_OF_RANGE'],
  ['no time between health checks', { healthCheckInterval: 0 }, 'ERR_OUT_OF_RANGE'],
  ['a signal that is none', { signal: {} as never }, 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`misuse rejects with Node's error: ${name}`, async (t) => {
    const { register: begin } = setting();
    t.is((await t.throwsAsync<NodeJS.ErrnoException>(begin(options)))?.code, code);
  });
}
