import { once } from 'node:events';
import http from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { type Clock, systemClock } from '../../lib/clock.js';
import { Agent, type AgentOptions } from '../../lib/net/agent.js';
import type { AgentSocket } from '../../lib/net/agent-socket.js';
import { RealPool } from './real-pool.js';

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly request: http.ClientRequest;
}

async function ask(agent: http.Agent, options: http.RequestOptions & { body?: string } = {}): Promise<Answer> {
  const request = http.request({ agent, ...options });
  request.end(options.body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body, request };
}

async function pool(
  t: ExecutionContext,
  names: readonly string[],
  listener?: (name: string) => http.RequestListener,
  options: Partial<AgentOptions> = {},
): Promise<{ pool: RealPool; agent: Agent }> {
  const started = await RealPool.start(t);
  for (const name of names) await started.http(name, listener?.(name));
  const agent = new Agent({ poolHandle: 'web', scope: started.scope, ...options });
  t.teardown(() => agent.destroy());
  return { pool: started, agent };
}

async function bodies(agent: Agent, times: number, options: http.RequestOptions = {}): Promise<string[]> {
  const all: string[] = [];
  for (let at = 0; at < times; at++) all.push((await ask(agent, options)).body);
  return all;
}

test('each request takes the turn of the policy, over connections that are kept alive for each element', async (t) => {
  const { pool: web, agent } = await pool(t, ['a', 'b', 'c']);
  const answers = await bodies(agent, 30);
  t.deepEqual(answers.slice(0, 3).sort(), ['a', 'b', 'c']);
  for (let at = 3; at < 30; at++) t.is(answers[at], answers[at - 3]);
  for (const element of web.elements) t.is(element.connections.size, 1);
});

test('a host name that ends in .pool names the pool, and other hosts are reached as ever', async (t) => {
  const { pool: web } = await pool(t, ['a']);
  const agent = new Agent({ scope: web.scope });
  t.is((await ask(agent, { host: 'web.pool', port: 80 })).body, 'a');
  const outside = http.createServer((_, response) => response.end('outside')).listen(0, '127.0.0.1');
  await once(outside, 'listening');
  const { port } = outside.address() as { port: number };
  t.is((await ask(agent, { host: '127.0.0.1', port })).body, 'outside');
  agent.destroy();
  outside.close();
});

test('a request finds the next element when one refuses, whatever its method, and the refusing one is reported', async (t) => {
  const { pool: web, agent } = await pool(t, ['a', 'b', 'c']);
  await bodies(agent, 3);
  agent.destroy();
  await web.elements[0]?.kill();
  const left = web.elements.slice(1).map(({ name }) => name);
  for (let at = 0; at < 6; at++) t.true(left.includes((await ask(agent, { method: 'POST', body: 'x' })).body));
  const identifier = web.elements[0]?.registration.identifier as number;
  t.true(web.scope.endpoint.isSuspected('web' as never, identifier));
});

test('an idempotent request whose element dies before it answers is answered by another one', async (t) => {
  let asked: () => void = () => {};
  const { pool: web, agent } = await pool(t, ['a', 'b'], (name) => (request, response) => {
    if (request.url === '/slow' && name === victim) asked();
    else response.end(`${name} ${request.method} ${request.url}`);
  });
  let victim = '';
  for (const method of ['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
    // Whoever gets it first dies with it.
    victim = '';
    const arrived = new Promise<string>((resolve) => {
      asked = () => resolve(victim);
    });
    victim = 'a';
    const answer = ask(agent, { method, path: '/slow', ...(method === 'PUT' ? { body: 'content' } : {}) });
    const first = await Promise.race([arrived, answer]);
    if (first === 'a') for (const socket of web.elements[0]?.connections ?? []) socket.destroy();
    const { status, body } = await answer;
    t.is(status, 200);
    if (method !== 'HEAD') t.is(body, `b ${method} /slow`);
  }
});

test('a POST that was sent fails when its element dies, and one with an Idempotency-Key does not', async (t) => {
  let asked = 0;
  const { agent } = await pool(t, ['a'], () => (request, response) => {
    asked++;
    if (asked <= 2) request.socket.resetAndDestroy();
    else response.end('done');
  });
  await t.throwsAsync(ask(agent, { method: 'POST', body: 'x' }), { code: 'ECONNRESET' });
  t.is(asked, 1);
  const keyed = await ask(agent, { method: 'POST', body: 'x', headers: { 'idempotency-key': '1' } });
  t.is(keyed.body, 'done');
  t.is(asked, 3);
});

test('a frozen element is noticed by its silence; idempotent requests go elsewhere, others fail', async (t) => {
  const { pool: web, agent } = await pool(t, ['a', 'b'], undefined, { failureTimeout: 100 });
  await bodies(agent, 2);
  web.elements[0]?.freeze();
  const answers = await Promise.all([ask(agent), ask(agent), ask(agent), ask(agent)]);
  for (const { body } of answers) t.is(body, 'b');
  web.elements[1]?.freeze();
  const error = await t.throwsAsync(ask(agent, { method: 'POST' }), { code: 'ERR_RSERPOOL_ELEMENT_FAILED' });
  t.regex(error?.message ?? '', /no sign of life/);
});

test('an element that is merely slow is left to finish', async (t) => {
  let probed = 0;
  const held: http.ServerResponse[] = [];
  const { pool: web } = await pool(t, ['a'], () => (request, response) => {
    if (request.url !== '*') {
      held.push(response);
      return;
    }
    response.end();
    // Asked for a sign of life three times: it takes that long.
    if (++probed === 3) held[0]?.end('at last');
  });
  // A sign of life has all the time that a busy machine may need.
  const patient: Clock = {
    ...systemClock,
    setTimeout: (fire, delay, background) => systemClock.setTimeout(fire, delay === 30 ? 60_000 : delay, background),
  };
  const agent = new Agent({ poolHandle: 'web', scope: web.newScope({ clock: patient }), failureTimeout: 60 });
  t.is((await ask(agent, { method: 'POST', path: '/slow' })).body, 'at last');
  t.is(held.length, 1);
  agent.destroy();
});

test('an element that keeps answering errors is set aside for a while', async (t) => {
  const sick = { status: 503 };
  const { pool: web, agent } = await pool(
    t,
    ['a', 'b'],
    (name) => (_, response) => {
      response.statusCode = name === 'a' ? sick.status : 200;
      response.end(name);
    },
    { errorsUntilSetAside: 2, setAsideTime: 60_000 },
  );
  const before = await bodies(agent, 4);
  t.is(before.filter((name) => name === 'a').length, 2);
  t.deepEqual(await bodies(agent, 5), ['b', 'b', 'b', 'b', 'b']);
  // It is better than none.
  await web.elements[1]?.kill();
  t.is((await ask(agent)).body, 'a');
});

test('a pool that does not exist yet is waited for, until connectTimeout', async (t) => {
  const web = await RealPool.start(t);
  const agent = new Agent({ poolHandle: 'web', scope: web.scope });
  const answer = ask(agent);
  await web.http('late');
  t.is((await answer).body, 'late');
  const hasty = new Agent({ poolHandle: 'nothing', scope: web.scope, connectTimeout: 1_000 });
  await t.throwsAsync(ask(hasty), { code: 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE' });
});

test('a body above replayLimit is sent, but not twice', async (t) => {
  let deaths = 1;
  const { agent } = await pool(
    t,
    ['a', 'b'],
    () => async (request, response) => {
      let size = 0;
      for await (const chunk of request) size += (chunk as Buffer).length;
      if (deaths-- > 0) request.socket.resetAndDestroy();
      else response.end(String(size));
    },
    { replayLimit: 1000 },
  );
  await t.throwsAsync(ask(agent, { method: 'PUT', body: 'x'.repeat(100_000) }), { code: 'ECONNRESET' });
  deaths = 1;
  t.is((await ask(agent, { method: 'PUT', body: 'x'.repeat(500) })).body, '500');
  deaths = 0;
  t.is((await ask(agent, { method: 'PUT', body: 'x'.repeat(3_000_000) })).body, '3000000');
});

test('large answers, pauses, time-outs and upgrades are as with a connection of net', async (t) => {
  const { pool: web, agent } = await pool(t, ['a'], () => (request, response) => {
    if (request.url === '/large') response.end(Buffer.alloc(5_000_000, 'x'));
    else if (request.url === '/early') response.end('early');
  });
  web.elements[0]?.server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  t.is((await ask(agent, { path: '/large' })).body.length, 5_000_000);
  const request = http.get({ agent, path: '/never', timeout: 30 });
  await once(request, 'timeout');
  request.destroy();
  await t.throwsAsync(once(request, 'response'), { code: 'ECONNRESET' });
  const upgrade = http.get({ agent, path: '/', headers: { connection: 'Upgrade', upgrade: 'echo' } });
  const [, socket] = (await once(upgrade, 'upgrade')) as [unknown, AgentSocket];
  socket.write('hello');
  const [echoed] = (await once(socket, 'data')) as [Buffer];
  t.is(String(echoed), 'hello');
  t.is(socket.element?.identifier, web.elements[0]?.registration.identifier);
  socket.end();
  await once(socket, 'close');
});

test('without keepAlive each request has a connection of its own', async (t) => {
  const { pool: web, agent } = await pool(t, ['a'], undefined, { keepAlive: false });
  const seen: number[] = [];
  web.elements[0]?.server.on('connection', (socket) => seen.push(socket.remotePort as number));
  await bodies(agent, 3);
  t.is(new Set(seen).size, 3);
});

test('maxSockets limits the requests under way, over all elements', async (t) => {
  let most = 0;
  let now = 0;
  const { agent } = await pool(
    t,
    ['a', 'b', 'c'],
    () => (_, response) => {
      most = Math.max(most, ++now);
      setImmediate(() => {
        now--;
        response.end('done');
      });
    },
    { maxSockets: 2 },
  );
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(agent)));
  t.is(answers.length, 20);
  t.true(most <= 2);
});

test('wrong options get the errors of Node', (t) => {
  for (const [options, code] of [
    [{ poolHandle: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ poolHandle: '' }, 'ERR_INVALID_ARG_VALUE'],
    [{ failureTimeout: 1 }, 'ERR_OUT_OF_RANGE'],
    [{ replayLimit: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ isError: 500 }, 'ERR_INVALID_ARG_TYPE'],
    [{ connectTimeout: '1' }, 'ERR_INVALID_ARG_TYPE'],
  ] as const)
    t.throws(() => new Agent(options as never), { code });
});
