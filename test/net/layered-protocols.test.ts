/**
 * Protocols that Node runs over a stream of JavaScript (TLS, http2), over failover-mode sockets: whatever both sides
 * have under way, they go on; at the same element after a break too. Their state does not move to another element.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import tls from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { Socket } from '../../lib/net/socket.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { type ClientOptions, type TestElement, World } from './world.js';

const pem = (name: string): Buffer =>
  readFileSync(new URL(`../../../test/clients/certificate/${name}.pem`, import.meta.url));
const certificate = { key: pem('key'), cert: pem('certificate') };
const trusting = { servername: 'web', ca: certificate.cert };
const tenMegabytes = 10_000_000;

/** A pool of so many elements that give their connections to `onConnection`. */
async function pool(
  elements: number,
  onConnection: (socket: Socket) => void,
): Promise<{ world: World; elements: TestElement[]; dial(options?: ClientOptions): Socket }> {
  const world = new World();
  world.registrar();
  const list = Array.from({ length: elements }, () => world.element(onConnection, {}, { allowHalfOpen: true }));
  await world.until(() => list.every(({ server }) => server.registered));
  return { world, elements: list, dial: (options) => world.client({ allowHalfOpen: true, ...options }) };
}

/** How many bytes come until the end. */
async function lengthOf(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

/** Gives this many bytes, in chunks of 64 KiB. */
function* bytes(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 'x');
}

const echoTls = (socket: Socket): void => {
  const secure = new tls.TLSSocket(socket, { isServer: true, ...certificate });
  secure.on('error', () => {});
  secure.pipe(secure);
};

for (const [what, side] of [
  ['both sides pipe what they have', (stream: Duplex) => pipeline(bytes(tenMegabytes), stream)],
  [
    'both sides write all at once',
    async (stream: Duplex) => {
      for (const chunk of bytes(tenMegabytes)) stream.write(chunk);
      stream.end();
    },
  ],
  [
    'both sides write a little each turn, and mind no backpressure',
    async (stream: Duplex) => {
      for (const chunk of bytes(tenMegabytes)) {
        stream.write(chunk);
        await nextTurn();
      }
      stream.end();
    },
  ],
  [
    'both sides write all at once, with callbacks',
    async (stream: Duplex) => {
      for (const chunk of bytes(tenMegabytes)) stream.write(chunk, () => {});
      stream.end();
    },
  ],
] as const) {
  test(`10 MB pass in each direction at once while ${what}`, async (t) => {
    let got = 0;
    const { world, dial } = await pool(1, (socket) => {
      void side(socket);
      void lengthOf(socket).then((length) => (got = length));
    });
    const socket = dial();
    void side(socket);
    t.is(await world.until(lengthOf(socket)), tenMegabytes);
    await world.until(() => got > 0);
    t.is(got, tenMegabytes);
  });
}

test('10 MB are piped there and back, and each side ends by itself', async (t) => {
  const { world, dial } = await pool(1, (socket) => void socket.pipe(socket));
  const socket = dial();
  const [, length] = await world.until(Promise.all([pipeline(bytes(tenMegabytes), socket), lengthOf(socket)]));
  t.is(length, tenMegabytes);
});

test('an http request of 10 MB is answered by 10 MB while it comes', async (t) => {
  const service = http.createServer((request, response) => request.pipe(response));
  const { world, dial } = await pool(1, (socket) => service.emit('connection', socket));
  const request = http.request({ createConnection: () => dial(), method: 'POST', host: 'web' });
  void pipeline(bytes(tenMegabytes), request);
  const [response] = (await world.until(once(request, 'response'))) as [http.IncomingMessage];
  t.is(await world.until(lengthOf(response)), tenMegabytes);
});

test('https is served over sessions', async (t) => {
  const service = https.createServer(certificate, (request, response) => request.pipe(response));
  const { world, dial } = await pool(1, (socket) => service.emit('connection', socket));
  const request = https.request({
    createConnection: () => tls.connect({ socket: dial(), ...trusting }),
    method: 'POST',
    host: 'web',
  });
  void pipeline(bytes(1_000_000), request);
  const [response] = (await world.until(once(request, 'response'))) as [http.IncomingMessage];
  t.is(await world.until(lengthOf(response)), 1_000_000);
});

async function echoedBy(t: ExecutionContext, world: World, session: http2.ClientHttp2Session): Promise<void> {
  const lengths = Array.from({ length: 20 }, async () => {
    const stream = session.request({ ':method': 'POST' });
    void pipeline(bytes(500_000), stream);
    return lengthOf(stream);
  });
  t.deepEqual(await world.until(Promise.all(lengths)), Array<number>(20).fill(500_000));
  session.close();
  await world.until(once(session, 'close'));
}

test('twenty http2 streams echo large bodies at once', async (t) => {
  const service = http2.createServer();
  service.on('stream', (stream) => void stream.pipe(stream));
  const { world, dial } = await pool(1, (socket) => service.emit('connection', socket));
  await echoedBy(t, world, http2.connect('http://web', { createConnection: () => dial() }));
});

test('http2 over TLS over a session', async (t) => {
  const service = http2.createSecureServer(certificate);
  service.on('stream', (stream) => void stream.pipe(stream));
  const { world, dial } = await pool(1, (socket) => service.emit('connection', socket));
  const createConnection = (): Duplex => tls.connect({ socket: dial(), ALPNProtocols: ['h2'], ...trusting });
  await echoedBy(t, world, http2.connect('https://web', { createConnection }));
});

test('10 MB are echoed through TLS', async (t) => {
  const { world, dial } = await pool(1, echoTls);
  const secure = tls.connect({ socket: dial(), ...trusting });
  void pipeline(bytes(tenMegabytes), secure);
  t.is(await world.until(lengthOf(secure)), tenMegabytes);
});

test('TLS starts on a connection that has been used without it', async (t) => {
  const { world, dial } = await pool(1, (socket) => {
    socket.once('data', (data) => socket.write(data, () => echoTls(socket)));
  });
  const socket = dial();
  socket.write('STARTTLS');
  await world.until(once(socket, 'data'));
  const secure = tls.connect({ socket, ...trusting });
  secure.end('secret');
  t.is(await world.until(lengthOf(secure)), 6);
});

/** Breaks every connection of a process to the elements' port. */
function sever(process: MemoryProcess): void {
  for (const stream of process.streams) if (stream.remoteAddress.port === 7) stream.sever();
}

test('TLS goes on at the same element when the connection breaks', async (t) => {
  const { world, dial, elements } = await pool(2, echoTls);
  const process = world.spawn('user');
  const socket = dial({ scope: world.scope(process) });
  const secure = tls.connect({ socket, ...trusting });
  await world.until(once(secure, 'secureConnect'));
  let resumed = 0;
  world.serving(socket, elements).sockets[0]?.on('resumed', () => resumed++);
  let text = '';
  secure.on('data', (data: Buffer) => {
    text += data.toString();
  });
  let sent = '';
  for (let i = 0; i < 20; i++) {
    const line = `${i},`.repeat(3000);
    sent += line;
    secure.write(line);
    await world.run(i % 5);
    if (i % 4 === 3) sever(process);
  }
  await world.until(() => text.length === sent.length);
  t.is(text, sent);
  t.true(resumed >= 3, `${resumed}`);
});

test('TLS does not go on at another element: the connection ends with an error, whatever waits', async (t) => {
  for (const written of ['before', 'after'] as const) {
    const { world, dial, elements } = await pool(2, echoTls);
    const socket = dial();
    const secure = tls.connect({ socket, ...trusting });
    await world.until(once(secure, 'secureConnect'));
    await world.run(1000);
    const failed = once(secure, 'error');
    if (written === 'before') secure.write('who are you?');
    world.serving(socket, elements).process.kill();
    if (written === 'after') await world.until(once(socket, 'failover'));
    if (written === 'after') secure.write('who are you?');
    const [error] = (await world.until(failed)) as [NodeJS.ErrnoException];
    t.truthy(error.code, written);
  }
});

test('with maxFailovers 0 the connection ends with its element, and the next one is to another', async (t) => {
  const { world, dial, elements } = await pool(2, echoTls);
  const socket = dial({ maxFailovers: 0 });
  const secure = tls.connect({ socket, ...trusting });
  await world.until(once(secure, 'secureConnect'));
  let failovers = 0;
  socket.on('failover', () => failovers++);
  const failed = once(secure, 'error');
  world.serving(socket, elements).process.kill();
  const [error] = (await world.until(failed)) as [NodeJS.ErrnoException];
  t.is(error.code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.is(failovers, 0);
  const next = tls.connect({ socket: dial({ maxFailovers: 0 }), ...trusting });
  next.end('secret');
  t.is(await world.until(lengthOf(next)), 6);
});

test('http2 ends with its element too, and the next session is with another', async (t) => {
  const service = http2.createServer();
  service.on('stream', (stream) => void stream.pipe(stream));
  service.on('sessionError', () => {});
  const { world, dial, elements } = await pool(2, (socket) => service.emit('connection', socket));
  const socket = dial({ maxFailovers: 0 });
  const session = http2.connect('http://web', { createConnection: () => socket });
  await world.until(once(session, 'remoteSettings'));
  const stream = session.request({ ':method': 'POST' });
  stream.write('unanswered');
  const failed = Promise.all([once(session, 'error'), once(stream, 'error')]);
  world.serving(socket, elements).process.kill();
  const [[error]] = (await world.until(failed)) as [[NodeJS.ErrnoException], unknown];
  t.is(error.code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  await echoedBy(t, world, http2.connect('http://web', { createConnection: () => dial({ maxFailovers: 0 }) }));
});
