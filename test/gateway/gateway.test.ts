import { once } from 'node:events';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Gateway, type GatewayOptions } from '../../lib/gateway/gateway.js';
import { createServer } from '../../lib/net/connect.js';
import { RealPool } from '../net/real-pool.js';

async function gateway(
  t: ExecutionContext,
  pool: RealPool,
  options: Partial<GatewayOptions> = {},
): Promise<{ gateway: Gateway; port: number }> {
  const opened = new Gateway({ poolHandle: 'web', scope: pool.scope, ...options });
  t.teardown(() => opened.close({ abort: true }));
  const at = await new Promise<net.AddressInfo>((resolve) => opened.listen({ port: 0 }, resolve));
  return { gateway: opened, port: at.port };
}

function echoing(name: string): net.Server {
  return net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.write(name);
    socket.pipe(socket);
  });
}

async function everything(socket: net.Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

test('each client is led to the element whose turn it is, and bytes and ends go both ways', async (t) => {
  const pool = await RealPool.start(t);
  for (const name of ['a', 'b']) await pool.add(name, echoing(name));
  const { port } = await gateway(t, pool);
  const texts: string[] = [];
  for (let at = 0; at < 2; at++) {
    const client = net.connect(port, '127.0.0.1');
    client.end('x'.repeat(300_000));
    texts.push(await everything(client));
  }
  t.deepEqual(texts.map((text) => text[0]).sort(), ['a', 'b']);
  for (const text of texts) t.is(text.length, 300_001);
});

test('a client of a killed element is cut off, and the next one reaches another', async (t) => {
  const pool = await RealPool.start(t);
  const elements = [await pool.add('a', echoing('a')), await pool.add('b', echoing('b'))];
  const { gateway: opened, port } = await gateway(t, pool);
  const client = net.connect(port, '127.0.0.1');
  const [first] = (await once(client, 'data')) as [Buffer];
  const serving = elements.find(({ name }) => name === String(first));
  client.on('error', () => {});
  const closed = new Promise((resolve) => client.once('close', resolve));
  const ended = once(opened, 'ended');
  await serving?.kill();
  await closed;
  t.is(((await ended)[1] as NodeJS.ErrnoException).code, 'ECONNRESET');
  const next = net.connect(port, '127.0.0.1');
  const [second] = (await once(next, 'data')) as [Buffer];
  t.not(String(second), String(first));
  next.destroy();
});

test('a client whose element fails just when it has ended is cut off all the same', async (t) => {
  const pool = await RealPool.start(t);
  await pool.add(
    'a',
    net.createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end())),
  );
  const { gateway: opened, port } = await gateway(t, pool);
  const failure = new Error('the element fails');
  const closed = new Promise((resolve) => {
    opened.once('connected', (accepted: net.Socket, element: net.Socket) => {
      accepted.once('close', resolve);
      // After the gateway has passed the end on.
      process.nextTick(() => element.once('end', () => element.destroy(failure)));
    });
  });
  const ended = once(opened, 'ended');
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => {});
  client.resume();
  client.write('that is all');
  t.is((await ended)[1], failure);
  t.is(opened.connections, 0);
  await closed;
  client.destroy();
});

test('in failover mode the client of a dead element notices nothing', async (t) => {
  const pool = await RealPool.start(t);
  const servers = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (data) => socket.write(`${name}${data}`));
      });
      server.listen({ poolHandle: 'web', host: '127.0.0.1', scope: pool.newScope() });
      await once(server, 'registered');
      return { name, server };
    }),
  );
  const { gateway: opened, port } = await gateway(t, pool, { mode: 'failover' });
  const client = net.connect(port, '127.0.0.1');
  const connected = once(opened, 'connected');
  client.write('1');
  const [first] = (await once(client, 'data')) as [Buffer];
  const [, element] = await connected;
  const failedOver = once(element, 'failover');
  element.failOver();
  await failedOver;
  client.write('2');
  const [second] = (await once(client, 'data')) as [Buffer];
  t.deepEqual([String(first), String(second)].sort()[0]?.slice(0, 1), 'a');
  t.not(String(first)[0], String(second)[0]);
  t.is(String(second)[1], '2');
  client.destroy();
  await once(opened, 'ended');
  for (const { server } of servers) {
    server.close();
    await once(server, 'close');
  }
});

test('one connection too many is closed, and an idle one is closed when its time is over', async (t) => {
  const pool = await RealPool.start(t);
  await pool.add('a', echoing('a'));
  const { gateway: opened, port } = await gateway(t, pool, { maxConnections: 1, idleTimeout: 300 });
  const client = net.connect(port, '127.0.0.1');
  await once(client, 'data');
  const second = net.connect(port, '127.0.0.1');
  second.on('error', () => {});
  second.resume();
  await once(second, 'close');
  t.is(opened.connections, 1);
  client.resume();
  await once(client, 'close');
});

test('a client is cut off when no element can be reached in time', async (t) => {
  const pool = await RealPool.start(t);
  const { gateway: opened, port } = await gateway(t, pool, { connectTimeout: 50 });
  const client = net.connect(port, '127.0.0.1');
  client.on('error', () => {});
  const [, error] = (await once(opened, 'ended')) as unknown as [unknown, Error];
  t.regex(String((error as NodeJS.ErrnoException).code), /^ERR_RSERPOOL_/);
  t.is(opened.connections, 0);
});

test('wrong options get the errors of Node', (t) => {
  for (const [options, code] of [
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ poolHandle: 'a', mode: 'x' }, 'ERR_INVALID_ARG_VALUE'],
    [{ poolHandle: 'a', maxConnections: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ poolHandle: 'a', idleTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
  ] as const)
    t.throws(() => new Gateway(options as never), { code });
});
