/** Several handlespaces (draft-tuexen-rserpool-reqts section 4). */

import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { nameservice } from '../../lib/net/nameservice.js';
import { event, World as NetWorld } from '../net/world.js';
import { World } from './world.js';

/** Two handlespaces with a pool of the same name, each with an element of its own. */
function scene(): World {
  const world = new World();
  for (const i of [1, 2]) {
    world.registrar(`10.0.0.${i}`);
    world.user(`10.0.1.${i}`, `10.0.0.${i}`).register({ identifier: i });
  }
  world.run(100);
  return world;
}

async function identifiers(world: World, scope: OperationalScope, name: string): Promise<number[]> {
  let found: number[] | undefined;
  const { scope: at, poolHandle } = scope.locate(name);
  at.endpoint.resolve(poolHandle, {}, (_, resolution) => {
    found = resolution?.elements.map(({ identifier }) => identifier) ?? [];
  });
  world.run(100);
  return found ?? [];
}

test("'pool@scope' is the pool of a handlespace that one does not belong to", async (t) => {
  const world = scene();
  const { scope } = world.user('10.0.0.9', '10.0.0.1', { scopes: { branch: '10.0.0.2' } });
  t.deepEqual(await identifiers(world, scope, 'echo'), [1]);
  t.deepEqual(await identifiers(world, scope, 'echo@branch'), [2]);
  // The same scope each time, and this one for other names.
  t.is(scope.locate('echo@branch').scope, scope.locate('log@branch').scope);
  t.deepEqual(scope.locate('echo@elsewhere'), { scope, poolHandle: 'echo@elsewhere' });
  t.deepEqual(scope.locate('@branch'), { scope, poolHandle: '@branch' });
  t.is(scope.locate('a@b@branch').poolHandle, 'a@b');
});

test('a scope may be given as such; with the one that names it, those end that it made, and no others', (t) => {
  const world = scene();
  const { scope: other } = world.user('10.0.0.8', '10.0.0.2');
  const { scope } = world.user('10.0.0.9', '10.0.0.1', { scopes: { other, branch: '10.0.0.2' } });
  t.is(scope.locate('echo@other').scope, other);
  const made = scope.locate('echo@branch').scope;
  scope.close();
  const errors: unknown[] = [];
  for (const closed of [made, other])
    closed.endpoint.resolve('echo', {}, (error) => void errors.push((error as { code?: unknown } | undefined)?.code));
  world.run(100);
  t.deepEqual(errors, ['ERR_RSERPOOL_SESSION_CLOSED', undefined]);
});

test('several registrars in one process hold several handlespaces, and an element may be in both', (t) => {
  const world = new World();
  const options = { host: '10.0.0.1' };
  const first = world.registrar('10.0.0.1', { ...options, port: 4001 }).registrar;
  const second = world.registrar('10.0.0.1', { ...options, port: 4002 }).registrar;
  world.user('10.0.1.1', '10.0.0.1:4001').register({ identifier: 1 });
  world.user('10.0.1.1', '10.0.0.1:4002').register({ identifier: 1 });
  world.user('10.0.1.2', '10.0.0.1:4002').register({ identifier: 2 });
  world.run(100);
  t.is(first.handlespace.pool('echo')?.size, 1);
  t.is(second.handlespace.pool('echo')?.size, 2);
});

test('connect, listen and nameservice take such names', async (t) => {
  const world = new NetWorld();
  world.registrar();
  const scope = world.scope(world.spawn('both'), { scopes: { branch: '10.0.0.1' }, registrars: '10.0.99.99' });
  const element = world.element(undefined, { poolHandle: 'echo@branch', scope });
  await world.until(() => element.server.registered);
  const socket = world.client({ poolHandle: 'echo@branch', scope });
  await world.until(event(socket, 'connect'));
  t.is<unknown, unknown>(socket.element?.identifier, element.server.peIdentifier);
  t.is(socket.poolHandle, 'echo@branch');
  const server = await world.until(nameservice('echo@branch', { scope }).primaryServer());
  t.is<unknown, unknown>(server.identifier, element.server.peIdentifier);
});

test('scopes are refused whose names or registrars are none', (t) => {
  t.throws(() => new OperationalScope({ scopes: { 'a@b': '10.0.0.1' } }), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(() => new OperationalScope({ scopes: { branch: '' } }), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(() => new OperationalScope({ scopes: { branch: 5 as never } }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => new OperationalScope({ scopes: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});

test.serial('the environment names scopes', (t) => {
  process.env.RSERPOOL_SCOPES = 'branch=10.1.0.1,10.1.0.2:4000; lab=10.2.0.1';
  t.teardown(() => void delete process.env.RSERPOOL_SCOPES);
  const scope = new OperationalScope({ registrars: '10.0.0.1' });
  t.deepEqual(scope.locate('echo@branch').scope.registrars, [
    { host: '10.1.0.1', port: 3863 },
    { host: '10.1.0.2', port: 4000 },
  ]);
  t.deepEqual(scope.locate('echo@lab').scope.registrars, [{ host: '10.2.0.1', port: 3863 }]);
});
