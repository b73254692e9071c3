/** What counts as one machine. */

import test from 'ava';
import { machineOf } from '../../lib/registrar/element-addresses.js';
import { World } from '../asap/world.js';

for (const [host, machine] of [
  ['10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8::', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1:2:3::8', '1:2:3:0::/64'],
  ['fe80::1', 'fe80::1'],
] as const) {
  test(`${host} counts as ${machine}`, (t) => {
    t.is(machineOf(host), machine);
  });
}

test('all addresses of one IPv6 /64 together may have maxConnectionsPerHost connections', (t) => {
  const world = new World();
  world.registrar('10.0.0.1', { limits: { maxConnectionsPerHost: 2 } });
  const hosts = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::3'];
  const far = hosts.map((host) => world.scripted(host).connect('10.0.0.1'));
  world.run(10);
  t.deepEqual(
    far.map(({ closed }) => closed.length),
    [0, 0, 1, 0],
  );
});

test('all addresses of one IPv6 /64 together are one reporter', (t) => {
  const world = new World(0);
  const { registrar } = world.registrar('10.0.0.1');
  world.user('10.0.0.5').register();
  world.run(100);
  const report = (host: string): void =>
    void world
      .scripted(host)
      .connect('10.0.0.1')
      .send({ type: 'endpointUnreachable', poolHandle: 'echo', peIdentifier: 1 });
  for (let i = 1; i <= 10; i++) report(`2001:db8::${i}`);
  world.run(100);
  t.is(registrar.handlespace.elementCount, 1);
  for (let i = 1; i <= 3; i++) report(`2001:db8:0:${i}::1`);
  world.run(500);
  // It was removed and told, and came back.
  t.is(registrar.stats.registrationsAccepted, 2);
});
