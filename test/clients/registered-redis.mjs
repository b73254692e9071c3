/** A Redis that knows nothing of pools, registered by `rserpool register` and its own health check: found, killed, gone, back. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Redis from 'ioredis';
import { createRegistrar, nameservice, OperationalScope } from '../../dist/lib/index.js';
import { kill, redis } from './processes.mjs';

const command = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url));

/** Promises the step that failed, if any. */
export async function registeredRedis() {
  const registrar = createRegistrar({ port: 0 });
  const [{ host, port: at }] = await once(registrar.listen(), 'listening');
  const registrars = `${host}:${at}`;
  let server = await redis.start();
  const { port } = server;
  const check = `command:redis-cli -p ${port} ping`;
  const words = ['--host', '127.0.0.1', '--check', check, '--check-interval', '200', '--registrars', registrars];
  const child = spawn(process.execPath, [command, 'register', 'cache', '--port', String(port), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async (word) => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`'rserpool register' ended before it said '${word}'`);
      if (value.startsWith(word)) return;
    }
  };
  const scope = new OperationalScope({ registrars });
  const find = () => nameservice('cache', { scope }).primaryServer();
  const use = async () => {
    const found = await find();
    const client = new Redis({ host: found.address, port: found.port });
    const answer = await client.ping();
    client.disconnect();
    if (answer !== 'PONG') throw new Error(`it answered ${answer}`);
  };
  try {
    await said('registered');
    await use();
    await kill(server.child);
    await said('unhealthy');
    scope.purge('cache');
    const left = await find().catch((error) => error.code);
    if (left !== 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE') throw new Error('it is in the pool still');
    server = await redis.start(port);
    await said('registered');
    await use();
    child.kill('SIGTERM');
    await said('deregistered');
  } finally {
    child.kill('SIGKILL');
    await kill(server.child);
    scope.close();
    await new Promise((resolve) => registrar.close(resolve));
  }
}
