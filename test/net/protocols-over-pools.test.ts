/** Protocols of Node's own over pool connections: what takes any Duplex takes ours. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import tls from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { connect, createServer } from '../../lib/net/connect.js';
import type { Socket } from '../../lib/net/socket.js';
import { RealPool } from './real-pool.js';

const pem = (name: string): Buffer =>
  readFileSync(new URL(`../../../test/clients/certificate/${name}.pem`, import.meta.url));
const certificate = { key: pem('key'), cert: pem('certificate') };

/** A pool with one element in both modes, which gives its connections to `onConnection`. */
async function pool(
  t: ExecutionContext,
  onConnection: (socket: Socket) => void,
): Promise<{ dial(mode: 'failover' | 'nameservice'): Socket }> {
  const started = await RealPool.start(t);
  const server = createServer({ allowHalfOpen: true }, onConnection);
  server.listen({ poolHandle: 'web', host: '127.0.0.1', scope: started.newScope() });
  await once(server, 'registered');
  t.teardown(() => void server.close());
  return { dial: (mode) => connect({ poolHandle: 'web', scope: started.scope, mode, allowHalfOpen: true }) };
}

for (const mode of ['failover', 'nameservice'] as const) {
  test(`http requests are served over pool connections in ${mode} mode`, async (t) => {
    const service = http.createServer((request, response) => {
      request.pipe(response);
    });
    const web = await pool(t, (socket) => service.emit('connection', socket));
    const request = http.request({ createConnection: () => web.dial(mode), method: 'POST', host: 'web' });
    request.end('x'.repeat(200_000));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of response) text += chunk;
    t.is(text.length, 200_000);
  });
}

for (const mode of ['failover', 'nameservice'] as const) {
  test(`an http agent keeps a pool connection alive over chunked requests and trailers in ${mode} mode`, async (t) => {
    let connections = 0;
    const service = http.createServer((request, response) => {
      response.writeHead(200, { trailer: 'x-length' });
      let length = 0;
      request.on('data', (chunk: Buffer) => {
        length += chunk.length;
        response.write(chunk);
      });
      request.on('end', () => {
        response.addTrailers({ 'x-length': `${length} ${request.headers['transfer-encoding']}` });
        response.end();
      });
    });
    const web = await pool(t, (socket) => {
      connections++;
      service.emit('connection', socket);
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    Object.assign(agent, { createConnection: () => web.dial(mode) });
    t.teardown(() => agent.destroy());
    for (let round = 0; round < 3; round++) {
      const request = http.request({ agent, method: 'POST', host: 'web' });
      for (const piece of ['one ', 'two ', 'three']) request.write(piece);
      request.end();
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response) text += chunk;
      t.is(text, 'one two three');
      t.is(response.trailers['x-length'], '13 chunked');
      t.is(request.reusedSocket, round > 0);
    }
    t.is(connections, 1);
  });
}

for (const mode of ['failover', 'nameservice'] as const) {
  test(`http2 streams run over pool connections in ${mode} mode`, async (t) => {
    const service = http2.createServer();
    service.on('stream', (stream) => stream.pipe(stream));
    const web = await pool(t, (socket) => service.emit('connection', socket));
    const session = http2.connect('http://web', { createConnection: () => web.dial(mode) });
    const texts = await Promise.all(
      ['a', 'b', 'c'].map(async (letter) => {
        const stream = session.request({ ':method': 'POST' });
        stream.end(letter.repeat(100_000));
        let text = '';
        for await (const chunk of stream) text += chunk;
        return text;
      }),
    );
    for (const text of texts) t.is(text.length, 100_000);
    session.close();
    await once(session, 'close');
  });

  test(`TLS runs over pool connections in ${mode} mode`, async (t) => {
    const web = await pool(t, (socket) => {
      const secure = new tls.TLSSocket(socket, { isServer: true, ...certificate });
      secure.pipe(secure);
    });
    const secure = tls.connect({ socket: web.dial(mode), servername: 'web', ca: certificate.cert });
    await once(secure, 'secureConnect');
    t.true(secure.authorized);
    secure.end('secret');
    let text = '';
    for await (const chunk of secure) text += chunk;
    t.is(text, 'secret');
  });
}
