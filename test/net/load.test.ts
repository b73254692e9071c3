/** Elements that report their load, and policies with a load in their values. */

import test from 'ava';
import { systemClock } from '../../lib/clock.js';
import type { PoolListenOptions } from '../../lib/net/listen-options.js';
import { register } from '../../lib/net/registration.js';
import { mixedLeastUsedValues, mixedPolicyType } from '../../lib/policy/mixed-least-used.js';
import { loadDegradationOf, loadOf, weightOf } from '../../lib/policy/policy-values.js';
import type { Registrar } from '../../lib/registrar/registrar.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { type TestElement, World } from './world.js';

interface Setting {
  readonly world: World;
  readonly registrar: Registrar;
  readonly element: TestElement;
  /** The instants of its registrations, the first one left out. */
  readonly registrations: number[];
  policy(): MemberSelectionPolicy;
}

async function setting(listen: Partial<PoolListenOptions>): Promise<Setting> {
  const world = new World();
  const { registrar } = world.registrar();
  const element = world.element(undefined, listen);
  await world.until(() => element.server.registered);
  const registrations: number[] = [];
  registrar.on('change', ({ type }) => void (type === 'updated' && registrations.push(world.now)));
  const policy = (): MemberSelectionPolicy =>
    registrar.handlespace.entry('echo', element.server.peIdentifier as number)?.element.policy as MemberSelectionPolicy;
  return { world, registrar, element, registrations, policy };
}

function share(policy: MemberSelectionPolicy): number {
  return loadOf(policy) / 0xffffffff;
}

test('a load by function is registered again when it has changed by 1 %, and not more often than loadInterval', async (t) => {
  let load = 0;
  let asked = 0;
  const { world, registrations, policy } = await setting({
    policy: 'leastUsed',
    loadInterval: 500,
    load: () => {
      asked++;
      return load;
    },
  });
  await world.run(5_100);
  t.is(asked, 10);
  // The first one, which was not known before.
  t.is(registrations.length, 1);
  load = 0.009;
  await world.run(2_000);
  t.is(registrations.length, 1);
  load = 0.0105;
  await world.run(2_000);
  t.is(registrations.length, 2);
  t.true(Math.abs(share(policy()) - 0.0105) < 1e-6);
  registrations.length = 0;
  for (let i = 0; i < 500; i++) {
    load = i % 2;
    await world.run(10);
  }
  t.true(registrations.length <= 10, `${registrations.length}`);
});

test("'sessions' counts the sessions as a share of maxConnections", async (t) => {
  const { world, element, policy } = await setting({ policy: 'leastUsed', load: 'sessions' });
  element.server.maxConnections = 4;
  const clients = [world.client(), world.client(), world.client()];
  for (const client of clients) client.write('x');
  await world.until(() => element.sockets.length === 3);
  await world.run(1_100);
  t.is(share(policy()), Math.round(0.75 * 0xffffffff) / 0xffffffff);
  clients[0]?.destroy();
  clients[1]?.destroy();
  await world.run(2_100);
  t.is(share(policy()), Math.round(0.25 * 0xffffffff) / 0xffffffff);
  element.server.maxConnections = 0;
  await world.run(1_100);
  t.is(share(policy()), 1);
});

test("'eventLoop' is the share of time in which the event loop is busy", async (t) => {
  const world = new World();
  const { registrar } = world.registrar();
  const process = world.spawn('element');
  let busy = 0.3;
  const clock = { ...process.clock, measureUtilization: () => () => busy };
  const scope = world.scope(process, { clock });
  const registration = await world.until(
    register({ poolHandle: 'time', port: 37, scope, policy: 'randomizedLeastUsed', load: 'eventLoop' }),
  );
  const policy = (): MemberSelectionPolicy =>
    registrar.handlespace.entry('time', registration.identifier)?.element.policy as MemberSelectionPolicy;
  await world.run(1_100);
  t.true(Math.abs(share(policy()) - 0.3) < 1e-6);
  busy = 0.8;
  await world.run(1_000);
  t.true(Math.abs(share(policy()) - 0.8) < 1e-6);
  await world.until(registration.deregister());
  busy = 0.1;
  await world.run(10_000);
  t.is(registrar.handlespace.elementCount, 0);
});

test('the system clock measures a share from 0 to 1', (t) => {
  const measure = systemClock.measureUtilization?.() as () => number;
  for (let i = 0; i < 3; i++) {
    const value = measure();
    t.true(value >= 0 && value <= 1, `${value}`);
  }
});

test('setLoad goes first into the values of the mixed policies, whose other values stay', async (t) => {
  for (const name of Object.keys(mixedPolicyType) as (keyof typeof mixedPolicyType)[]) {
    const { world, element, policy } = await setting({ policy: mixedLeastUsedValues(name, 5, 77), load: 0.5 });
    t.is(loadOf(policy()), Math.round(0.5 * 0xffffffff));
    element.server.setLoad(1);
    await world.run(100);
    t.is(loadOf(policy()), 0xffffffff);
    t.is(loadDegradationOf(policy()), 77);
  }
});

test('of a weight, what is left at that load is registered, at least 1; 0 stays 0', async (t) => {
  for (const type of ['weightedRoundRobin', 'weightedRandom'] as const) {
    const { world, element, policy } = await setting({ policy: { type, weight: 200 }, load: 0.25 });
    t.is(weightOf(policy()), 150);
    for (const [load, weight] of [
      [0, 200],
      [0.5, 100],
      [1, 1],
    ] as const) {
      element.server.setLoad(load);
      await world.run(100);
      t.is(weightOf(policy()), weight);
    }
    element.server.setPolicy({ type, weight: 0 });
    element.server.setLoad(0.5);
    await world.run(100);
    t.is(weightOf(policy()), 0);
  }
});

test('new values of a policy are those of an idle element, and the load is put in again', async (t) => {
  const { world, element, policy } = await setting({
    policy: { type: 'weightedRandom', weight: 100 },
    load: () => 0.5,
  });
  await world.run(1_100);
  t.is(weightOf(policy()), 50);
  element.server.setPolicy({ type: 'weightedRandom', weight: 10 });
  await world.run(1_100);
  t.is(weightOf(policy()), 5);
});

test('a server that is closed reports nothing any more', async (t) => {
  let asked = 0;
  const { world, element } = await setting({ policy: 'leastUsed', load: () => ++asked % 2 });
  await world.run(3_100);
  t.is(asked, 3);
  element.server.close();
  await world.run(10_000);
  t.is(asked, 3);
});

for (const [options, code] of [
  [{ load: 'much' }, 'ERR_INVALID_ARG_TYPE'],
  [{ load: -0.1 }, 'ERR_OUT_OF_RANGE'],
  [{ load: 'eventLoop', loadInterval: 0 }, 'ERR_OUT_OF_RANGE'],
  [{ load: 'eventLoop', policy: 'roundRobin' }, 'ERR_INVALID_ARG_VALUE'],
  [{ load: () => 0, policy: 'random' }, 'ERR_INVALID_ARG_VALUE'],
] as const) {
  test(`listen with ${JSON.stringify(options)} is refused with ${code}`, (t) => {
    t.throws(() => new World().element(undefined, { policy: 'leastUsed', ...(options as object) }), { code });
  });
}

test("register knows no 'sessions'", async (t) => {
  const world = new World();
  const scope = world.scope(world.spawn('element'));
  const options = { poolHandle: 'time', port: 37, scope, policy: 'leastUsed', load: 'sessions' } as const;
  await t.throwsAsync(register(options), { code: 'ERR_INVALID_ARG_VALUE' });
});
