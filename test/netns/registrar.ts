/** A registrar on a machine: `registrar.js ADDRESS PEER...`. Each line that it is given is answered with what it holds. */

import { createInterface } from 'node:readline';
import { createRegistrar } from '../../lib/index.js';

const [, , host, ...peers] = process.argv as [string, string, string, ...string[]];
const registrar = createRegistrar({
  host,
  enrp: { host, peers, timers: { heartbeatCycle: 500 } },
  timers: { keepAliveInterval: 500, keepAliveTimeout: 500 },
});
registrar.listen(() => void process.stdout.write('listens\n'));
createInterface({ input: process.stdin }).on('line', () => {
  const [pool] = registrar.pools();
  const elements = (pool?.elements ?? []).map(({ identifier, homeServerId }) => ({ identifier, homeServerId }));
  const { serverId, owners } = registrar.status();
  process.stdout.write(`${JSON.stringify({ serverId, owners, elements })}\n`);
});
