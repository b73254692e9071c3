/** Pools over TLS, in both modes, over real connections. */

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { connect, createServer } from '../../lib/net/connect.js';
import type { PoolListenOptions } from '../../lib/net/listen-options.js';
import { Server } from '../../lib/net/server.js';
import { Socket } from '../../lib/net/socket.js';
import { host, loopback } from '../drop-in/loopback.js';
import { certificateFor } from './certificate.js';

const poolHandle = 'secure.pool';
const certificate = certificateFor(poolHandle);
const ca = certificate.cert;

async function elements(
  t: ExecutionContext,
  count: number,
  listen: Partial<PoolListenOptions> = {},
): Promise<{ scope: PoolListenOptions['scope'] & object; servers: Server[] }> {
  const { scope, close } = await loopback();
  t.teardown(close);
  const servers = Array.from({ length: count }, () =>
    new Server((socket) => void socket.on('error', () => {}).pipe(socket)).listen({
      poolHandle,
      scope,
      host,
      tls: certificate,
      ...listen,
    }),
  );
  t.teardown(() => {
    for (const server of servers) server.close();
  });
  await Promise.all(servers.map((server) => once(server, 'registered')));
  return { scope, servers };
}

async function text(socket: net.Socket): Promise<string> {
  let got = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    got += chunk;
  });
  await once(socket, 'close');
  return got;
}

test('a session goes over TLS to an element whose certificate is for the pool, and on at another', async (t) => {
  const { scope, servers } = await elements(t, 2);
  const socket = connect({ poolHandle, scope, tls: { ca } });
  await once(socket, 'connect');
  const data = once(socket, 'data');
  socket.write('first ');
  const [first] = (await data) as [Buffer];
  const before = socket.element?.identifier;
  socket.failOver();
  const [facts] = (await once(socket, 'failover')) as [{ to: { identifier: number } }];
  t.not(facts.to.identifier, before);
  socket.end('second');
  t.is(first.toString() + (await text(socket)), 'first second');
  t.is(servers.length, 2);
});

test('a certificate for another name, or of an unknown authority, keeps the session away', async (t) => {
  const { scope } = await elements(t, 1);
  const refused = async (options: { readonly ca?: string; readonly servername?: string }): Promise<string> => {
    const socket = connect({ poolHandle, scope, tls: options, connectTimeout: 2000 });
    const [error] = (await once(socket, 'error')) as [AggregateError];
    return String(error.errors.map((one: Error) => (one.cause as NodeJS.ErrnoException | undefined)?.code));
  };
  t.regex(await refused({ ca, servername: 'other.pool' }), /ERR_TLS_CERT_ALTNAME_INVALID/);
  t.regex(await refused({}), /DEPTH_ZERO_SELF_SIGNED_CERT/);
});

test('a user without TLS does not get a session of an element with TLS', async (t) => {
  const { scope, servers } = await elements(t, 1);
  let connections = 0;
  servers[0]?.on('connection', () => connections++);
  const socket = connect({ poolHandle, scope, connectTimeout: 300, failureTimeout: 100 });
  await once(socket, 'error');
  t.is(connections, 0);
});

test('where the element asks for certificates, only users who have one are served', async (t) => {
  const { scope } = await elements(t, 1, { tls: { ...certificate, ca } });
  const known = connect({ poolHandle, scope, tls: { ...certificate, ca } });
  known.end('known');
  t.is(await text(known), 'known');
  const unknown = connect({ poolHandle, scope, tls: { ca }, connectTimeout: 300 });
  const [error] = await once(unknown, 'error');
  t.true(error instanceof Error);
});

test('a name that the user gives is what the certificate must be for', async (t) => {
  const named = certificateFor('own.name');
  const { scope } = await elements(t, 1, { tls: named });
  const socket = connect({ poolHandle, scope, tls: { ca: named.cert, servername: 'own.name' } });
  socket.end('named');
  t.is(await text(socket), 'named');
});

for (const mode of ['nameservice', undefined] as const) {
  const server = mode === undefined ? 'a server of both modes' : 'a server of nameservice mode alone';
  test(`nameservice mode over TLS gives a TLSSocket, from ${server}`, async (t) => {
    const { scope, servers } = await elements(t, 1, mode === undefined ? {} : { mode });
    const accepted: unknown[] = [];
    servers[0]?.on('connection', (socket) => accepted.push(socket));
    let secure = 0;
    const socket = connect({ poolHandle, scope, mode: 'nameservice', tls: { ca } }, () => secure++);
    t.true(socket instanceof tls.TLSSocket);
    socket.end('plainly secure');
    t.is(await text(socket), 'plainly secure');
    t.is(secure, 1);
    t.true(accepted[0] instanceof tls.TLSSocket);
  });
}

test('nameservice mode over TLS fails with the error of the connection, or of the certificate', async (t) => {
  const { scope } = await elements(t, 1);
  const wrong = connect({ poolHandle, scope, mode: 'nameservice', tls: { ca, servername: 'other.pool' } });
  const [error] = (await once(wrong, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  const nobody = connect({ poolHandle: 'nobody', scope, mode: 'nameservice', tls: true, connectTimeout: 100 });
  const [unknown] = (await once(nobody, 'error')) as [NodeJS.ErrnoException];
  t.regex(unknown.code ?? '', /^ERR_RSERPOOL_/);
  t.throws(() => new Socket().connect({ poolHandle, scope, mode: 'nameservice', tls: true }), {
    code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE',
  });
  t.throws(() => connect({ poolHandle, scope, tls: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => new Server().listen({ poolHandle, scope, tls: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.true(net.isIPv4(host));
});

test('createServer takes tls for every listen for a pool, which may say otherwise, and listens for nobody else', async (t) => {
  const { scope, close } = await loopback();
  t.teardown(close);
  for (const mode of ['failover', 'nameservice'] as const) {
    const server = createServer({ tls: certificate }, (socket) => void socket.end('secure'));
    server.listen({ poolHandle: `${mode}.pool`, scope, host, mode });
    t.teardown(() => void server.close());
    await once(server, 'registered');
    const socket = connect({ poolHandle: `${mode}.pool`, scope, mode, tls: { ca, servername: poolHandle } });
    t.is(await text(socket), 'secure');
  }
  const other = certificateFor('other.pool');
  const server = createServer({ tls: certificate }, (socket) => void socket.end('other'));
  server.listen({ poolHandle: 'other.pool', scope, host, tls: other });
  t.teardown(() => void server.close());
  await once(server, 'registered');
  t.is(await text(connect({ poolHandle: 'other.pool', scope, tls: { ca: other.cert } })), 'other');
  t.throws(() => createServer({ tls: certificate }).listen(0, host), { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
  t.throws(() => createServer({ tls: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});
