/** Users that choose the element themselves. */

import test from 'ava';
import type { PoolServer } from '../../lib/net/select-server.js';
import { loadOf } from '../../lib/policy/policy-values.js';
import { event, World } from './world.js';

async function threeElements(): Promise<World & { elements: ReturnType<World['element']>[] }> {
  const world = new World();
  world.registrar();
  const elements = [5, 1, 9].map((load) => world.element(undefined, { policy: { type: 'leastUsed', load } }));
  await world.until(() => elements.every(({ server }) => server.registered));
  return Object.assign(world, { elements });
}

function mostUsed(servers: readonly PoolServer[]): PoolServer[] {
  return servers.toSorted((a, b) => loadOf(b.policy) - loadOf(a.policy));
}

test('connect takes the element that select returns, and the next one by it after a failure', async (t) => {
  const world = await threeElements();
  const seen: number[][] = [];
  const socket = world.client({
    select: (servers) => {
      seen.push(servers.map(({ policy }) => loadOf(policy)).sort());
      return mostUsed(servers);
    },
  });
  await world.until(event(socket, 'connect'));
  t.is(socket.element?.identifier, world.elements[2]?.server.peIdentifier);
  socket.write('x');
  await world.run(100);
  const failedOver = event(socket, 'failover');
  world.elements[2]?.process.kill();
  await world.until(failedOver);
  t.is(socket.element?.identifier, world.elements[0]?.server.peIdentifier);
  t.deepEqual(seen[0], [1, 5, 9]);
  // The one that failed is not offered again.
  t.deepEqual(seen[1], [1, 5]);
});

test('a select that takes none of them is asked again, until there is one that it takes', async (t) => {
  const world = await threeElements();
  let asked = 0;
  const socket = world.client({ select: (servers) => (++asked < 4 ? undefined : servers[0]) });
  await world.until(event(socket, 'connect'));
  t.is(asked, 4);
});

test('a select that takes none for good is an error when time runs out', async (t) => {
  const world = await threeElements();
  const socket = world.client({ select: () => [], connectTimeout: 2_000 });
  const [error] = (await world.until(event(socket, 'error').catch((caught: unknown) => [caught]))) as [Error];
  t.regex((error as { code?: string }).code ?? '', /^ERR_RSERPOOL_/);
});

test('select must be a function', (t) => {
  t.throws(() => new World().client({ select: 'first' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});
