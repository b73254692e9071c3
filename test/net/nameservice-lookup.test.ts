/** `lookup` in the hands of net, http and dgram on loopback, with a registrar in this process; and its rules in virtual time. */

import dgram from 'node:dgram';
import type dns from 'node:dns';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { createLookup, type Lookup, lookup as sharedLookup } from '../../lib/net/lookup.js';
import { type RegisterOptions, register } from '../../lib/net/registration.js';
import { seededRandom } from '../../lib/random.js';
import { Registrar } from '../../lib/registrar/registrar.js';
import { World } from './world.js';

interface Loopback {
  readonly scope: OperationalScope;
  readonly lookup: Lookup;
  join(options: Omit<RegisterOptions, 'scope'>): Promise<void>;
}

/** Runs `use` with a real registrar, and closes everything. */
async function onLoopback(use: (loopback: Loopback) => Promise<void>): Promise<void> {
  const registrar = new Registrar({ port: 0 });
  registrar.listen();
  await once(registrar, 'listening');
  const scope = new OperationalScope({ registrars: [registrar.address as { host: string; port: number }] });
  const joined: { deregister(): Promise<void> }[] = [];
  try {
    await use({
      scope,
      lookup: createLookup({ scope }),
      async join(options) {
        joined.push(await register({ ...options, scope }));
      },
    });
  } finally {
    await Promise.all(joined.map((registration) => registration.deregister()));
    scope.close();
    await new Promise<void>((resolve) => void registrar.close(resolve));
  }
}

for (const [form, options] of [
  ['all addresses', { autoSelectFamily: true }],
  ['one address', { autoSelectFamily: false }],
  ['IPv4', { family: 4 }],
] as const) {
  test(`net.connect reaches a pool: ${form}`, async (t) => {
    await onLoopback(async ({ lookup, join }) => {
      const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await join({ poolHandle: 'greeter', port });
      const socket = net.connect({ host: 'greeter.pool', port, lookup, ...options } as net.NetConnectOpts);
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      t.is(chunk.toString(), 'hello');
      t.is(socket.remotePort, port);
      socket.destroy();
      server.close();
      await once(server, 'close');
    });
  });
}

test('http reaches a pool, and a host that is no pool as ever', async (t) => {
  await onLoopback(async ({ lookup, join }) => {
    const server = http.createServer((request, response) => response.end(request.headers.host)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await join({ poolHandle: 'web', port });
    for (const host of ['web.pool', 'localhost']) {
      const body = await new Promise((resolve, reject) => {
        http
          .get({ host, port, lookup, agent: false, family: 4 }, (response) => response.on('data', resolve))
          .on('error', reject);
      });
      t.is(String(body), `${host}:${port}`);
    }
    server.close();
    await once(server, 'close');
  });
});

test('dgram reaches a pool', async (t) => {
  await onLoopback(async ({ lookup, join }) => {
    const service = dgram.createSocket('udp4', (message, from) => service.send(`${message}!`, from.port, from.address));
    service.bind(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address();
    await join({ poolHandle: 'shout', port, protocol: 'udp' });
    const socket = dgram.createSocket({ type: 'udp4', lookup });
    socket.send('hey', port, 'shout.pool');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    t.is(answer.toString(), 'hey!');
    socket.close();
    service.close();
  });
});

test("a pool that does not exist is the socket's error", async (t) => {
  await onLoopback(async ({ lookup }) => {
    const socket = net.connect({ host: 'nowhere.pool', port: 7, lookup });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  });
});

test('what is no pool is left to dns.lookup, in each call form', async (t) => {
  const answers: unknown[][] = [];
  const call = (run: (callback: (...args: unknown[]) => void) => void): Promise<void> =>
    new Promise((resolve) =>
      run((...args) => {
        answers.push(args);
        resolve();
      }),
    );
  // Addresses are answered without the DNS.
  await call((callback) => sharedLookup('127.0.0.1', callback));
  await call((callback) => sharedLookup('127.0.0.1', 4, callback));
  await call((callback) => sharedLookup('127.0.0.1', { all: true }, callback));
  t.deepEqual(answers, [
    [null, '127.0.0.1', 4],
    [null, '127.0.0.1', 4],
    [null, [{ address: '127.0.0.1', family: 4 }]],
  ]);
  t.throws(() => sharedLookup(7 as never, () => {}), { code: 'ERR_INVALID_ARG_TYPE' });
});

/** A pool 'time' of elements at these addresses of one machine, and look-ups in it. */
async function inMemory(addresses: readonly string[], policy: (index: number) => RegisterOptions['policy']) {
  const world = new World();
  const { clock, transport } = world.network.spawn('127.0.0.1', 'everything');
  const surroundings = { clock, random: seededRandom(5), transports: { stream: transport } };
  new Registrar(surroundings).listen();
  const scope = new OperationalScope({ registrars: '127.0.0.1', ...surroundings });
  for (const [index, host] of addresses.entries()) {
    const chosen = policy(index) ?? 'roundRobin';
    await world.until(register({ poolHandle: 'time', port: 37, identifier: index + 1, host, scope, policy: chosen }));
  }
  const lookup = createLookup({ scope, pools: ['time'] });
  const ask = (hostname: string, options: dns.LookupOptions | number): Promise<unknown[]> =>
    world.until(
      new Promise<unknown[]>((resolve) => lookup(hostname, options as dns.LookupOptions, (...args) => resolve(args))),
    );
  return { world, scope, lookup, ask };
}

test('look-ups take turns over the elements; all gives every address, first the one whose turn it is', async (t) => {
  const { ask } = await inMemory(['10.0.0.1', '10.0.0.2', '10.0.0.3'], () => 'roundRobin');
  const one: unknown[] = [];
  for (let i = 0; i < 6; i++) one.push((await ask('time.pool', {}))[1]);
  t.deepEqual([...one.slice(0, 3)].sort(), ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  t.deepEqual(one.slice(3), one.slice(0, 3));
  const first: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const [error, all] = (await ask('time.pool', { all: true })) as [null, dns.LookupAddress[]];
    t.is(error, null);
    t.is(all.length, 3);
    first.push(all[0]?.address);
  }
  t.deepEqual(first, one.slice(0, 3));
});

test('the order is that of the policy, and suspected elements come last', async (t) => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const { scope, ask } = await inMemory(addresses, (index) => ({ type: 'priority', priority: index }));
  const order = async (): Promise<string[]> => {
    const [, all] = (await ask('time.pool', { all: true })) as [null, dns.LookupAddress[]];
    return all.map(({ address }) => address);
  };
  t.deepEqual(await order(), ['10.0.0.3', '10.0.0.2', '10.0.0.1']);
  scope.endpoint.reportUnreachable('time', 3);
  t.deepEqual(await order(), ['10.0.0.2', '10.0.0.1', '10.0.0.3']);
});

test('the family is honoured', async (t) => {
  const { ask } = await inMemory(['10.0.0.1', '2001:db8::1'], () => ({ type: 'priority', priority: 1 }));
  const six = [null, '2001:db8::1', 6];
  t.deepEqual(await ask('time.pool', { family: 6 }), six);
  t.deepEqual(await ask('time.pool', 6), six);
  t.deepEqual(await ask('time.pool', { family: 'IPv6' }), six);
  t.deepEqual(await ask('time.pool', { family: 'IPv4' }), [null, '10.0.0.1', 4]);
  const [, both] = (await ask('time.pool', { all: true, family: 0 })) as [null, dns.LookupAddress[]];
  t.deepEqual(both.map(({ family }) => family).sort(), [4, 6]);
});

test('a pool without an address of the family is an error', async (t) => {
  const { ask, lookup } = await inMemory(['10.0.0.1'], () => 'roundRobin');
  const [error] = (await ask('time.pool', { family: 6, all: true })) as [NodeJS.ErrnoException];
  t.is(error.code, 'ERR_RSERPOOL_MAPPING_NOT_AVAILABLE');
  t.throws(() => lookup('time.pool', 5, () => {}), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('two elements at one address give it once', async (t) => {
  const { ask } = await inMemory(['10.0.0.1', '10.0.0.1'], () => 'roundRobin');
  t.deepEqual(await ask('time.pool', { all: true }), [null, [{ address: '10.0.0.1', family: 4 }]]);
});

test('pools may have names without a suffix, or a suffix of their own, in upper or lower case', async (t) => {
  const { world, scope, ask } = await inMemory(['10.0.0.1'], () => 'roundRobin');
  const found = [null, '10.0.0.1', 4];
  t.deepEqual(await ask('time', {}), found);
  t.deepEqual(await ask('time.POOL', {}), found);
  const lookup = createLookup({ scope, suffix: '.rserpool' });
  const answer = new Promise<unknown[]>((resolve) => lookup('time.rserpool', (...args) => resolve(args)));
  t.deepEqual(await world.until(answer), found);
});

test('what the callback throws does not disturb the scope', async (t) => {
  const world = new World();
  world.registrar();
  const process = world.spawn('user');
  const scope = world.scope(process);
  const thrown: unknown[] = [];
  process.onFailure = (error) => thrown.push(error);
  const mistake = new Error('a mistake');
  createLookup({ scope })('nowhere.pool', () => {
    throw mistake;
  });
  await world.run(1_000);
  t.deepEqual(thrown, [mistake]);
  const refused = scope.resolve('nowhere').catch((error: NodeJS.ErrnoException) => error.code);
  t.is(await world.until(refused), 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
});

for (const [name, options, code] of [
  ['a suffix that is no text', { suffix: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
  ['pools that are no list', { pools: 'a' as never }, 'ERR_INVALID_ARG_TYPE'],
  ['a pool that is no text', { pools: [1 as never] }, 'ERR_INVALID_ARG_TYPE'],
  ['a negative timeout', { timeout: -1 }, 'ERR_OUT_OF_RANGE'],
  ['a scope that is none', { scope: {} as never }, 'ERR_INVALID_ARG_VALUE'],
] as const) {
  test(`misuse of createLookup throws Node's error: ${name}`, (t) => {
    t.is((t.throws(() => createLookup(options)) as NodeJS.ErrnoException).code, code);
  });
}
