/** Nameservice mode for users: which server, and which one after it. */

import test from 'ava';
import type { OperationalScope } from '../../lib/asap/scope.js';
import type { RserpoolAggregateError, RserpoolError } from '../../lib/errors.js';
import { nameservice } from '../../lib/net/nameservice.js';
import { type RegisterOptions, type Registration, register } from '../../lib/net/registration.js';
import type { PoolServer } from '../../lib/net/select-server.js';
import { seededRandom } from '../../lib/random.js';
import { Registrar } from '../../lib/registrar/registrar.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { toPoolHandle } from '../../lib/wire/pool-handle.js';
import { type TestRegistrar, World } from './world.js';

interface Service {
  readonly process: MemoryProcess;
  readonly registration: Registration;
}

interface Pool {
  readonly world: World;
  readonly registrar: TestRegistrar;
  readonly services: readonly Service[];
  readonly user: OperationalScope;
}

/** So many services of the pool 'time', with the identifiers 1, 2, ...; each on a machine of its own. */
async function pool(elements: readonly Partial<RegisterOptions>[]): Promise<Pool> {
  const world = new World();
  const registrar = world.registrar();
  const services: Service[] = [];
  for (const [index, options] of elements.entries()) {
    const process = world.spawn('service');
    const scope = world.scope(process);
    const all = { poolHandle: 'time', port: 37, identifier: index + 1, scope, ...options };
    services.push({ process, registration: await world.until(register(all)) });
  }
  return { world, registrar, services, user: world.scope(world.spawn('user')) };
}

const priorities = (...list: number[]): Partial<RegisterOptions>[] =>
  list.map((priority) => ({ policy: { type: 'priority', priority } }));

async function failure(world: World, promise: Promise<unknown>): Promise<RserpoolError & RserpoolAggregateError> {
  return (await world.until(promise.catch((error: unknown) => error))) as RserpoolError & RserpoolAggregateError;
}

test('primaryServer gives the address, port and protocol of the first element by policy', async (t) => {
  const { world, user } = await pool([
    { protocol: 'udp', policy: { type: 'priority', priority: 1 } },
    { protocol: 'udp', policy: { type: 'priority', priority: 9 } },
  ]);
  const server = await world.until(nameservice('time', { scope: user }).primaryServer());
  t.deepEqual(server, {
    identifier: 2,
    address: '10.0.0.3',
    port: 37,
    protocol: 'udp',
    addresses: ['10.0.0.3'],
    policy: { type: 'priority', priority: 9 },
  });
  t.true(Object.isFrozen(server));
});

test('nextServer goes through the pool in the order of the policy, and then says that none is left', async (t) => {
  const { world, user } = await pool(priorities(5, 7, 6));
  const names = nameservice('time', { scope: user });
  const order = [(await world.until(names.primaryServer())).identifier];
  for (let i = 0; i < 2; i++) order.push((await world.until(names.nextServer())).identifier);
  t.deepEqual(order, [2, 3, 1]);
  const error = await failure(world, names.nextServer());
  t.true(error instanceof AggregateError);
  t.is(error.code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.is(error.poolHandle, 'time');
  t.deepEqual(
    (error.errors as RserpoolError[]).map(({ code, element }) => [code, element]),
    [2, 3, 1].map((identifier) => ['ERR_RSERPOOL_ELEMENT_FAILED', identifier]),
  );
});

test('nextServer reports the server that was handed out, and nothing else', async (t) => {
  const { world, services, user } = await pool(priorities(3, 2, 1));
  const handle = toPoolHandle('time');
  const suspected = (): number[] => [1, 2, 3].filter((identifier) => user.endpoint.isSuspected(handle, identifier));
  // An element that was heard of a moment ago is not asked again.
  await world.run(200);
  const names = nameservice('time', { scope: user });
  t.is((await world.until(names.nextServer())).identifier, 1);
  t.deepEqual(suspected(), []);
  services[0]?.process.freeze();
  t.is((await world.until(names.nextServer())).identifier, 2);
  t.deepEqual(suspected(), [1]);
  // The registrar asks the element at once, and it does not answer.
  await world.run(1_500);
  const left = await world.until(user.populate('time'));
  t.deepEqual(
    left.elements.map(({ identifier }) => identifier),
    [2, 3],
  );
});

test('a server is reported once, even if no next one could be found then', async (t) => {
  const { world, registrar, user } = await pool(priorities(2, 1));
  const names = nameservice('time', { scope: user, timeout: 500 });
  await world.until(names.primaryServer());
  registrar.process.freeze();
  t.is((await failure(world, names.nextServer({ refresh: true }))).code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  await world.run(user.timers.suspicionTime);
  t.is((await world.until(names.nextServer())).identifier, 2);
  t.false(user.endpoint.isSuspected(toPoolHandle('time'), 1));
});

test('a server that is reported although it lives stays in the pool', async (t) => {
  const { world, user } = await pool(priorities(2, 1));
  const names = nameservice('time', { scope: user });
  await world.until(names.primaryServer());
  await world.until(names.nextServer());
  await world.run(1_500);
  t.is((await world.until(user.populate('time'))).elements.length, 2);
});

test('refresh asks the registrar although the last answer is fresh', async (t) => {
  const { world, user } = await pool(priorities(1));
  const names = nameservice('time', { scope: user });
  await world.until(names.primaryServer());
  const scope = world.scope(world.spawn('late'));
  const policy = { type: 'priority', priority: 5 } as const;
  await world.until(register({ poolHandle: 'time', port: 38, identifier: 7, scope, policy }));
  t.is((await failure(world, names.nextServer())).code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.is((await world.until(names.nextServer({ refresh: true }))).identifier, 7);
});

test('primaryServer forgets what failed, but prefers others as long as the failure is fresh', async (t) => {
  const { world, user } = await pool(priorities(2, 1));
  const names = nameservice('time', { scope: user });
  t.is((await world.until(names.primaryServer())).identifier, 1);
  t.is((await world.until(names.nextServer())).identifier, 2);
  t.is((await world.until(names.primaryServer())).identifier, 2);
  await world.run(user.timers.suspicionTime);
  t.is((await world.until(names.primaryServer())).identifier, 1);
});

test('users of one scope take turns', async (t) => {
  const { world, user } = await pool([{}, {}, {}]);
  const taken: number[] = [];
  for (let i = 0; i < 6; i++)
    taken.push((await world.until(nameservice('time', { scope: user }).primaryServer())).identifier);
  t.deepEqual(taken.slice(0, 3).sort(), [1, 2, 3]);
  t.deepEqual(taken.slice(3), taken.slice(0, 3));
});

for (const death of ['kill', 'freeze'] as const) {
  test(`nextServer goes on with what is known when the registrar has failed too: ${death}`, async (t) => {
    const { world, registrar, user } = await pool(priorities(2, 1));
    const names = nameservice('time', { scope: user });
    await world.until(names.primaryServer());
    await world.run(user.timers.staleCacheValue);
    registrar.process[death]();
    const at = world.now;
    t.is((await world.until(names.nextServer())).identifier, 2);
    t.true(world.now - at <= 300, `${world.now - at}`);
  });
}

test('nextServer goes on with what is known when a new registrar knows no such pool yet', async (t) => {
  const { world, registrar, services, user } = await pool(priorities(2, 1));
  const names = nameservice('time', { scope: user });
  await world.until(names.primaryServer());
  for (const { process } of services) process.freeze();
  registrar.process.kill();
  world.registrar();
  await world.run(user.timers.staleCacheValue);
  t.is((await world.until(names.nextServer())).identifier, 2);
  t.is((await failure(world, names.nextServer({ refresh: true }))).code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
});

test('select gets the elements that are left with their policy values, and chooses', async (t) => {
  const { world, user } = await pool(priorities(5, 9, 7));
  const seen: (readonly PoolServer[])[] = [];
  const lowest = (servers: readonly PoolServer[]): PoolServer[] => {
    seen.push(servers);
    return [...servers].sort((a, b) => a.identifier - b.identifier);
  };
  const names = nameservice('time', { scope: user, select: lowest });
  t.is((await world.until(names.primaryServer())).identifier, 1);
  t.is((await world.until(names.nextServer())).identifier, 2);
  t.deepEqual(
    seen.map((servers) => servers.map(({ policy }) => ('priority' in policy ? policy.priority : undefined))),
    [
      [9, 7, 5],
      [9, 7],
    ],
  );
  const last = nameservice('time', { scope: user, select: (servers) => servers.at(-1) });
  t.is((await world.until(last.primaryServer())).identifier, 3);
});

test('a select that takes none or makes one up, or throws, is answered with an error', async (t) => {
  const { world, user } = await pool([{}]);
  const codeOf = async (
    select: (servers: readonly PoolServer[]) => PoolServer | PoolServer[] | undefined,
  ): Promise<string> => (await failure(world, nameservice('time', { scope: user, select }).primaryServer())).code;
  t.is(await codeOf(() => undefined), 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.is(await codeOf(() => []), 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.is(await codeOf(([server]) => ({ ...(server as PoolServer) })), 'ERR_INVALID_ARG_VALUE');
  const error = await failure(
    world,
    nameservice('time', {
      scope: user,
      select: () => {
        throw new Error('thrown by select');
      },
    }).primaryServer(),
  );
  t.is(error.message, 'thrown by select');
});

test('an unknown pool, and no registrar, are errors at once', async (t) => {
  const { world, registrar, user } = await pool([]);
  const names = nameservice('nowhere', { scope: user });
  const unknown = await failure(world, names.primaryServer());
  t.is(unknown.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.is(unknown.poolHandle, 'nowhere');
  registrar.process.kill();
  t.is((await failure(world, names.primaryServer())).code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
});

test('a silent registrar is an error after the time-out', async (t) => {
  const { world, registrar, user } = await pool([{}]);
  registrar.process.freeze();
  const at = world.now;
  const error = await failure(world, nameservice('time', { scope: user, timeout: 700 }).primaryServer());
  t.is(error.code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  t.true(world.now - at >= 700 && world.now - at < 710, `${world.now - at}`);
});

test('a pool whose elements have no address is an error', async (t) => {
  const { world, user } = await pool([]);
  const opaque = (poolHandle: string): void =>
    void user.endpoint.register(
      { poolHandle: toPoolHandle(poolHandle), userTransport: { type: 'opaque', data: Uint8Array.of(1) } },
      { onRegistered() {}, onFailed() {}, onExpired() {} },
    );
  opaque('strange');
  await world.run(100);
  const error = await failure(world, nameservice('strange', { scope: user }).primaryServer());
  t.is(error.code, 'ERR_RSERPOOL_MAPPING_NOT_AVAILABLE');
});

test('an SCTP element is given with all its addresses', async (t) => {
  const world = new World();
  const process = world.network.spawn('127.0.0.1', 'everything');
  // Over loopback an element may name any address of its machine.
  const clock = process.clock;
  const registrar = new Registrar({ clock, transports: { stream: process.transport }, random: seededRandom(1) });
  registrar.listen();
  const user = world.scope(process, { registrars: '127.0.0.1' });
  const addresses = ['10.0.0.77', '10.0.1.77'];
  user.endpoint.register(
    { poolHandle: toPoolHandle('wide'), userTransport: { type: 'sctp', port: 9, use: 'dataOnly', addresses } },
    { onRegistered() {}, onFailed() {}, onExpired() {} },
  );
  await world.run(100);
  const server = await world.until(nameservice('wide', { scope: user }).primaryServer());
  t.is(server.protocol, 'sctp');
  t.is(server.address, '10.0.0.77');
  t.deepEqual(server.addresses, addresses);
});

for (const [name, call, code] of [
  ['no pool handle', () => nameservice(undefined as never), 'ERR_INVALID_ARG_TYPE'],
  ['an empty pool handle', () => nameservice(''), 'ERR_INVALID_ARG_VALUE'],
  ['a select that is no function', () => nameservice('a', { select: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
  ['a negative timeout', () => nameservice('a', { timeout: -1 }), 'ERR_OUT_OF_RANGE'],
  ['a scope that is none', () => nameservice('a', { scope: {} as never }), 'ERR_INVALID_ARG_VALUE'],
] as const) {
  test(`misuse throws Node's error: ${name}`, (t) => {
    t.is((t.throws(call) as NodeJS.ErrnoException).code, code);
  });
}
