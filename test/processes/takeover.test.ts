import test from 'ava';
import { Cluster } from '../../bench/takeover/cluster.js';

test('registrars that are killed one after the other are taken over, and no request of any user fails', async (t) => {
  const cluster = new Cluster({ elements: 12, users: 10, heartbeatCycle: 1_000 });
  t.teardown(() => cluster.stop());
  await cluster.start();
  let held = 0;
  for (const registrar of cluster.registrars) {
    const takeover = await cluster.takeOver(registrar);
    t.deepEqual(takeover.faults, []);
    held += takeover.held;
  }
  // Those that do not move by themselves have moved all the same.
  t.true(held > 0);
  for (const { requests, answered, failures } of await cluster.stopUsers()) {
    t.deepEqual(failures, []);
    t.is(answered, requests);
    t.true(requests > 0);
  }
});
