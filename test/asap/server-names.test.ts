/** Registrars that are configured by name. */

import test from 'ava';
import type { NameResolver, ServiceRecord } from '../../lib/transport/transport.js';
import { World } from './world.js';

class Names implements NameResolver {
  readonly hosts: Map<string, readonly string[]> = new Map();
  readonly records: Map<string, readonly ServiceRecord[]> = new Map();
  readonly asked: string[] = [];
  /** Answers wait here while it is set. */
  held: (() => void)[] | undefined;

  addresses(name: string, callback: Parameters<NameResolver['addresses']>[1]): void {
    this.#answer(name, this.hosts.get(name), callback);
  }

  services(name: string, callback: Parameters<NameResolver['services']>[1]): void {
    this.#answer(name, this.records.get(name), callback);
  }

  #answer<Item>(
    name: string,
    found: readonly Item[] | undefined,
    callback: (error: Error | undefined, found: readonly Item[]) => void,
  ): void {
    this.asked.push(name);
    const error = found === undefined ? Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' }) : undefined;
    const answer = (): void => callback(error, found ?? []);
    if (this.held === undefined) answer();
    else this.held.push(answer);
  }
}

function scene(registrars: string): { world: World; names: Names; user: ReturnType<World['user']> } {
  const world = new World();
  const names = new Names();
  return { world, names, user: world.user('10.0.0.9', registrars, { transports: { names } }) };
}

test('a name stands for all of its addresses', (t) => {
  const { world, names, user } = scene('registrars.example:4000');
  names.hosts.set('registrars.example', ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  world.registrar('10.0.0.3', { port: 4000 });
  user.resolve('echo');
  world.run(100);
  t.deepEqual(
    user.attempts.map(({ to }) => to),
    ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
  );
  const expected = { host: '10.0.0.3', port: 4000, name: 'registrars.example' };
  t.deepEqual(user.scope.endpoint.homeServer, expected, 'the name that its certificate is to show goes along');
});

test('names are looked up anew as each hunt begins, so that a registrar may move', (t) => {
  const { world, names, user } = scene('registrars.example');
  names.hosts.set('registrars.example', ['10.0.0.1']);
  const { process } = world.registrar('10.0.0.1');
  world.registrar('10.0.0.2');
  user.resolve('echo');
  world.run(100);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.1');
  t.is(names.asked.length, 1);
  names.hosts.set('registrars.example', ['10.0.0.2']);
  process.kill();
  world.run(10);
  user.resolve('echo', { fresh: true });
  world.run(100);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.2');
  t.is(names.asked.length, 2);
});

test('a service stands for the hosts and ports of its SRV records, by priority and then weight', (t) => {
  const { world, names, user } = scene('_asap-tcp._tcp.example.org');
  names.records.set('_asap-tcp._tcp.example.org', [
    { name: 'c.example', port: 4003, priority: 20, weight: 0 },
    { name: 'a.example', port: 4001, priority: 10, weight: 1_000_000_000 },
    { name: 'b.example', port: 4002, priority: 10, weight: 0 },
  ]);
  for (const [i, name] of ['a', 'b', 'c'].entries()) names.hosts.set(`${name}.example`, [`10.0.0.${i + 1}`]);
  const { registrar } = world.registrar('10.0.0.3', { port: 4003 });
  user.resolve('echo');
  world.run(100);
  t.deepEqual(
    user.attempts.map(({ to }) => to),
    ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
  );
  t.is(registrar.stats.connections, 1);
});

test('a name that cannot be looked up any more keeps what it stood for', (t) => {
  const { world, names, user } = scene('registrars.example');
  names.hosts.set('registrars.example', ['10.0.0.1']);
  const { process } = world.registrar('10.0.0.1');
  user.resolve('echo');
  world.run(100);
  names.hosts.clear();
  process.kill();
  world.registrar('10.0.0.1');
  user.resolve('echo', { fresh: true });
  world.run(1_000);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.1');
});

test('no name can be looked up: the error says so, and it is tried again until time runs out', (t) => {
  const { world, names, user } = scene('registrars.example');
  const once = user.resolve('echo', { hunt: 'once' });
  const log = user.resolve('echo', { timeout: 3_000 });
  world.run(5_000);
  t.is(once.error?.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  t.regex(once.error?.message ?? '', /registrars\.example:3863 ENOTFOUND/);
  t.is(log.error?.code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  t.true(names.asked.length >= 3);
});

test('a name server that does not answer keeps nobody from the registrars that are known by address', (t) => {
  const { world, names, user } = scene('registrars.example,10.0.0.1');
  world.registrar('10.0.0.1');
  names.held = [];
  const log = user.resolve('echo');
  world.run(1_100);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.1');
  t.is(log.error?.code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  // What comes late is of no consequence.
  names.hosts.set('registrars.example', ['10.0.0.2']);
  for (const answer of names.held) user.do(answer);
  world.run(1_000);
  t.deepEqual(
    user.attempts.map(({ to }) => to),
    ['10.0.0.1'],
  );
});
