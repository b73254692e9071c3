import test from 'ava';
import { poolElement, World } from '../asap/world.js';

test('the status names what each server owns, and the pools their elements up to a limit', (t) => {
  const world = new World();
  const { registrar } = world.registrar('10.0.0.1');
  const far = world.scripted('10.0.0.5').connect('10.0.0.1');
  for (let i = 1; i <= 3; i++) {
    far.send({ type: 'registration', poolHandle: 'echo', poolElement: poolElement(i, '10.0.0.5') });
  }
  world.run(10);
  registrar.handlespace.replicate('other', poolElement(9, '10.0.0.7', { homeServerId: 5 }), { now: world.now });
  const { serverId, state, owners, stats, peers, claims } = registrar.status();
  t.is(serverId, registrar.serverId);
  t.is(state, 'serving');
  t.is(stats.elements, 4);
  t.deepEqual([peers, claims], [[], 0]);
  t.deepEqual(
    owners.map((owner) => [owner.serverId === registrar.serverId, owner.elements, owner.checksum]).sort(),
    [
      [false, 1, registrar.handlespace.checksum(5)],
      [true, 3, registrar.handlespace.checksum(registrar.serverId)],
    ].sort(),
  );
  t.deepEqual(
    registrar
      .pools()
      .map(({ poolHandle, size, available, elements }) => [poolHandle, size, available, elements.length]),
    [
      ['echo', 3, 3, 3],
      ['other', 1, 1, 1],
    ],
  );
  t.deepEqual(
    registrar.pools(2).map(({ size, elements }) => [size, elements.map(({ identifier }) => identifier)]),
    [
      [3, [1, 2]],
      [1, []],
    ],
  );
});
