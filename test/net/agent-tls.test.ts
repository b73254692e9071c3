import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type net from 'node:net';
import tls from 'node:tls';
import test from 'ava';
import { HttpsAgent } from '../../lib/net/agent.js';
import { type ConnectorOptions, connector } from '../../lib/net/connector.js';
import { RealPool } from './real-pool.js';

const pem = (name: string): Buffer =>
  readFileSync(new URL(`../../../test/clients/certificate/${name}.pem`, import.meta.url));
const certificate = { key: pem('key'), cert: pem('certificate') };
const ca = certificate.cert;

const service = (name: string): https.Server => https.createServer(certificate, (_, response) => response.end(name));

async function ask(agent: https.Agent, options: https.RequestOptions = {}): Promise<string> {
  const request = https.get({ agent, host: 'web.pool', ...options });
  const [response] = await once(request, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return body;
}

function open(options: ConnectorOptions, protocol: string, hostname: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    connector(options)({ protocol, hostname }, (error, socket) => (socket === null ? reject(error) : resolve(socket)));
  });
}

test('https requests go round the pool, and the certificate is checked against the pool handle', async (t) => {
  const pool = await RealPool.start(t);
  for (const name of ['a', 'b']) await pool.add(name, service(name));
  const agent = new HttpsAgent({ poolHandle: 'web', scope: pool.scope, ca });
  t.teardown(() => agent.destroy());
  const answers = [await ask(agent), await ask(agent), await ask(agent)];
  t.deepEqual(answers.slice(0, 2).sort(), ['a', 'b']);
  t.is(answers[2], answers[0]);
});

test('a certificate of another name is an error, and a name that the user gives is what counts', async (t) => {
  const pool = await RealPool.start(t);
  await pool.add('a', service('a'));
  const options = { poolHandle: 'web', scope: pool.scope, ca, connectTimeout: 1_000 };
  const strict = new HttpsAgent({ ...options, servername: 'elsewhere' });
  const named = new HttpsAgent({ ...options, servername: 'web' });
  t.teardown(() => strict.destroy());
  t.teardown(() => named.destroy());
  const error = await t.throwsAsync(ask(strict), { code: 'ERR_RSERPOOL_CONNECT_TIMEOUT' });
  const [failed] = (error as unknown as AggregateError).errors as Error[];
  t.is((failed as Error & { cause: NodeJS.ErrnoException }).cause.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  // It counts as failed for a while, in this process.
  t.is(await ask(named, { host: 'somewhere' }), 'a');
});

test('a connector opens plain and TLS connections to the element whose turn it is', async (t) => {
  const pool = await RealPool.start(t);
  const element = await pool.add('a', service('a'));
  await pool.add('refusing', service('refusing')).then((other) => other.kill());
  const plain = await open({ scope: pool.scope }, 'http:', 'web.pool');
  t.is(plain.remotePort, element.port);
  plain.destroy();
  const secure = await open({ poolHandle: 'web', scope: pool.scope, ca, servername: 'web' }, 'https:', 'anything');
  t.true(secure instanceof tls.TLSSocket && secure.authorized);
  secure.destroy();
  await t.throwsAsync(open({ scope: pool.scope }, 'http:', 'web'), { message: /does not end in \.pool/ });
});
