/** The ledger as users run it: its elements die and are replaced, and every amount is booked once. */

import test from 'ava';
import { cast } from '../processes/cast.js';
import type { TestProcess } from '../processes/process.js';

test('a ledger goes on at another element with its state: every amount is booked once', async (t) => {
  const world = await cast(t);
  world.registrar();
  const server = (): TestProcess => world.start('examples/ledger/server.js');
  const servers = [server(), server(), server()];
  await Promise.all(servers.map((one) => one.printed(/serving as/)));
  const client = world.start('examples/ledger/client.js');
  let sum = 0;
  const book = async (amount: number): Promise<void> => {
    sum += amount;
    client.write(`${amount}\n`);
    await client.printed(new RegExp(`^${amount} booked, balance ${sum}$`, 'm'));
  };
  const serving = async (): Promise<TestProcess> => {
    const [identifier] = [...client.stderr.matchAll(/(?:connected|from \d+) to (\d+)/g)].map(([, to]) => to).slice(-1);
    const names = await Promise.all(servers.map((one) => one.printed(/serving as (\d+)/)));
    return servers[names.findIndex(([, name]) => name === identifier)] as TestProcess;
  };
  for (let amount = 1; amount <= 10; amount++) await book(amount);
  (await serving()).signal('SIGKILL');
  for (let amount = 11; amount <= 20; amount++) await book(amount);
  const left = await serving();
  left.signal('SIGTERM');
  for (let amount = 21; amount <= 30; amount++) await book(amount);
  t.is(await left.exited, 0, left.stderr);
  client.child.stdin?.end();
  t.is(await client.exited, 0, client.stderr);
  t.is(sum, 465);
  t.is(client.stdout.trim().split('\n').length, 30);
});
