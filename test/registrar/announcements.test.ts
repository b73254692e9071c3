/** Registrars, an element and a user on one real network, with nothing configured but that they announce themselves. */

import { createServer } from 'node:net';
import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { register } from '../../lib/net/registration.js';
import { createRegistrar, type Registrar } from '../../lib/registrar/registrar.js';

/** A group of this test's own: others may announce themselves on this machine. */
const group = `239.255.77.${1 + (process.pid % 250)}`;

function started(): Registrar {
  return createRegistrar({
    port: 0,
    announce: { group },
    enrp: { port: 0, timers: { heartbeatCycle: 1_000, discoveryTime: 300 } },
  });
}

test('two registrars, an element and a user find each other over UDP', async (t) => {
  // Keeps this process alive: announcements and registrars that are looked for do not.
  const held = createServer().listen(0, '127.0.0.1');
  t.teardown(() => void held.close());
  const scopes = [1, 2].map(() => new OperationalScope({ announcements: { group } }));
  const registrars = [started(), started()];
  t.teardown(async () => {
    for (const scope of scopes) scope.close();
    for (const registrar of registrars) await registrar[Symbol.asyncDispose]();
  });
  const [first, second] = registrars as [Registrar, Registrar];
  await new Promise<void>((resolve) => void first.listen(() => resolve()));
  const registration = await register({ poolHandle: 'echo', port: 7, scope: scopes[0] as OperationalScope });
  const both = new Promise<void>((resolve) => {
    second.on('change', ({ type }) => void (type === 'added' && resolve()));
  });
  second.listen();
  await both;
  t.deepEqual(
    registrars.map((registrar) => registrar.handlespace.entry('echo', registration.identifier)?.owner),
    [first.serverId, first.serverId],
  );
  const resolution = await scopes[1]?.awaitPool('echo', { timeout: 10_000 });
  t.is(resolution?.elements[0]?.identifier, registration.identifier);
  await registration.deregister();
});
