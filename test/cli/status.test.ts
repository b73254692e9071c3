import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { serveStatus } from '../../lib/cli/status-server.js';
import type { PoolStatus, RegistrarStatus } from '../../lib/index.js';
import { createRegistrar } from '../../lib/registrar/registrar.js';

interface Answer {
  readonly code: number | undefined;
  readonly text: string;
}

type Ask = (path: string, method?: string, headers?: Record<string, string>) => Promise<Answer>;

async function served(t: ExecutionContext): Promise<Ask> {
  const registrar = createRegistrar({ serverId: 7 });
  for (const identifier of [1, 2]) {
    const userTransport = { type: 'opaque', data: Uint8Array.of(0xab, identifier) } as const;
    const element = { identifier, homeServerId: 7, registrationLife: -1, userTransport };
    registrar.handlespace.register('echo', element, { now: 0 });
  }
  const server = serveStatus(registrar, 0);
  t.teardown(() => void server.close());
  await once(server, 'listening');
  const { port, address } = server.address() as AddressInfo;
  t.is(address, '127.0.0.1');
  return async (path, method = 'GET', headers = {}) => {
    const [response] = await once(
      request({ host: address, port, path, method, headers, agent: false }).end(),
      'response',
    );
    const chunks: Buffer[] = await response.toArray();
    return { code: response.statusCode, text: Buffer.concat(chunks).toString() };
  };
}

test('status and pools are JSON, bytes as hexadecimal digits', async (t) => {
  const ask = await served(t);
  const status = JSON.parse((await ask('/status')).text) as RegistrarStatus;
  t.is(status.serverId, 7);
  t.is(status.stats.elements, 2);
  t.deepEqual(
    status.owners.map(({ serverId, elements }) => [serverId, elements]),
    [[7, 2]],
  );
  const [pool] = JSON.parse((await ask('/pools')).text) as PoolStatus[];
  t.is(pool?.poolHandle, 'echo');
  t.deepEqual(pool?.elements[0]?.userTransport as unknown, { type: 'opaque', data: 'ab01' });
  const [cut] = JSON.parse((await ask('/pools?limit=1')).text) as PoolStatus[];
  t.is(cut?.elements.length, 1);
});

test('the numbers are there for Prometheus, counts and gauges', async (t) => {
  const ask = await served(t);
  const { text } = await ask('/metrics');
  t.regex(text, /^# TYPE rserpool_registrar_elements gauge\nrserpool_registrar_elements 2$/m);
  t.regex(text, /^# TYPE rserpool_registrar_resolutions_total counter\nrserpool_registrar_resolutions_total 0$/m);
});

test('other paths and methods are refused, and requests under the name of a stranger', async (t) => {
  const ask = await served(t);
  t.is((await ask('/')).code, 404);
  t.is((await ask('/status', 'POST')).code, 405);
  t.is((await ask('/status', 'GET', { host: 'pages.example' })).code, 403);
  t.is((await ask('/status', 'GET', { host: 'localhost:80' })).code, 200);
});
