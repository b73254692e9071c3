/** Registrars that announce themselves by multicast (RFC 5352 section 3.6). */

import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import type { MulticastChannel } from '../../lib/transport/transport.js';
import { encodeAsap } from '../../lib/wire/asap.js';
import type { Transport } from '../../lib/wire/parameters.js';
import { type User, World } from './world.js';

const group = { host: '224.0.1.185', port: 3863, ttl: 1 };

/** Somebody in the group by script. */
class Announcing {
  readonly heard: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly #channel: MulticastChannel;
  readonly #run: (run: () => void) => void;

  constructor(world: World, address: string) {
    const process = world.network.spawn(address);
    this.#run = (run) => process.dispatch('input', run);
    this.#channel = process.multicast.join(group, {
      onDatagram: (bytes) => void this.heard.push({ at: world.now, bytes }),
      onError() {},
    });
  }

  send(bytes: Uint8Array): void {
    this.#run(() => this.#channel.send(bytes));
  }

  announce(serverId: number, transports: readonly Transport[]): void {
    this.send(encodeAsap({ type: 'serverAnnounce', serverId, transports }));
  }
}

function tcp(address: string, port = 3863): Transport {
  return { type: 'tcp', address, port };
}

function withoutConfiguration(world: World, address: string, facts = {}): User {
  return world.user(address, '', { registrars: undefined as never, announcements: true, ...facts });
}

test('a registrar, an element and a user find each other without any configuration', (t) => {
  const world = new World();
  const element = withoutConfiguration(world, '10.0.0.5').register({ poolHandle: 'echo', identifier: 7 });
  const user = withoutConfiguration(world, '10.0.0.9');
  const log = user.resolve('echo', { wait: 10_000 });
  world.run(3_000);
  t.deepEqual(element.events, []);
  world.registrar('10.0.0.1', { host: '10.0.0.1', announce: true });
  world.run(2_000);
  t.is(element.events[0]?.type, 'registered');
  t.is(log.resolution?.elements[0]?.identifier, 7);
  // Found as soon as it announced itself, not when a timer ran out.
  t.true((element.events[0]?.at ?? 9e9) < 3_050, `${element.events[0]?.at}`);
});

test('nobody announces or listens unless it was asked for', (t) => {
  const world = new World();
  const watcher = new Announcing(world, '10.0.0.8');
  world.registrar('10.0.0.1');
  const user = world.user('10.0.0.9', '10.0.0.2');
  user.resolve('echo', { timeout: 5_000 });
  watcher.announce(1, [tcp('10.0.0.1')]);
  world.run(5_000);
  t.is(watcher.heard.length, 1);
  t.true(user.attempts.every(({ to }) => to === '10.0.0.2'));
});

test('each of N registrars announces itself every N seconds, and at once when it starts', (t) => {
  const world = new World(0);
  const watcher = new Announcing(world, '10.0.0.8');
  const processes = [1, 2, 3].map((i) => world.registrar(`10.0.0.${i}`, { serverId: i, announce: true }).process);
  t.is(watcher.heard.length, 3);
  world.run(30_000);
  watcher.heard.length = 0;
  world.run(30_000);
  t.is(watcher.heard.length, 30);
  processes[0]?.kill();
  world.run(30_000);
  watcher.heard.length = 0;
  world.run(30_000);
  t.is(watcher.heard.length, 30);
});

test('a registrar at every address is reached where its announcement comes from; one that advertises, there', (t) => {
  const world = new World();
  const announcing = new Announcing(world, '10.0.0.1');
  const user = withoutConfiguration(world, '10.0.0.9');
  user.resolve('echo', { timeout: 5_000 });
  world.run(10);
  announcing.announce(1, [
    tcp('0.0.0.0', 4000),
    { type: 'sctp', port: 3863, use: 'dataOnly', addresses: ['10.0.0.1'] },
  ]);
  world.run(10);
  t.deepEqual(
    user.attempts.map(({ to }) => to),
    ['10.0.0.1'],
  );
  const watcher = new Announcing(world, '10.0.0.8');
  world.registrar('10.0.0.2', { announce: true, advertise: { host: '192.0.2.7', port: 99 }, serverId: 5 });
  world.run(10);
  const expected = encodeAsap({ type: 'serverAnnounce', serverId: 5, transports: [tcp('192.0.2.7', 99)] });
  t.deepEqual(watcher.heard.at(-1)?.bytes, expected);
});

test('an announcement without a transport means SCTP, which is not tried', (t) => {
  const world = new World();
  const announcing = new Announcing(world, '10.0.0.1');
  const user = withoutConfiguration(world, '10.0.0.9');
  user.resolve('echo', { timeout: 5_000 });
  announcing.announce(1, []);
  world.run(5_000);
  t.deepEqual(user.attempts, []);
});

test('T7: a registrar that announces itself no more is forgotten after five seconds', (t) => {
  const world = new World();
  const announcing = new Announcing(world, '10.0.0.1');
  const user = withoutConfiguration(world, '10.0.0.9');
  user.resolve('echo', { timeout: 60_000 });
  world.run(10);
  announcing.announce(1, [tcp('10.0.0.1')]);
  world.run(4_000);
  announcing.announce(1, [tcp('10.0.0.1')]);
  world.run(20_000);
  const last = user.attempts.at(-1)?.at ?? 0;
  t.true(user.attempts.length > 3);
  t.true(last > 7_000 && last < 9_100, `${last}`);
});

test('configured registrars come first, announced ones when those fail', (t) => {
  const world = new World();
  const user = world.user('10.0.0.9', '10.0.0.2', { announcements: true });
  user.resolve('echo', { timeout: 20_000 });
  world.registrar('10.0.0.1', { host: '10.0.0.1', announce: true });
  world.run(3_000);
  t.is(user.attempts[0]?.to, '10.0.0.2');
  t.deepEqual(user.scope.endpoint.homeServer, { host: '10.0.0.1', port: 3863 });
});

test('a flood of announcements: what is kept is bounded, nothing is answered, and known registrars stay', (t) => {
  const world = new World(0);
  world.registrar('10.0.0.1', { host: '10.0.0.1', announce: true });
  const user = withoutConfiguration(world, '10.0.0.9', { timers: { maxAnnouncedServers: 16 } });
  user.resolve('echo', { fresh: true });
  world.run(2_000);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.1');
  const attackers = [1, 2, 3, 4].map((i) => new Announcing(world, `10.0.6.${i}`));
  const heardBefore = attackers[0]?.heard.length ?? 0;
  for (let i = 0; i < 5_000; i++) {
    for (const [j, attacker] of attackers.entries())
      attacker.announce(100 + i, [tcp(`10.${7 + j}.${i >> 8}.${i & 255}`)]);
    attackers[0]?.send(Uint8Array.from({ length: i % 2_000 }, () => i));
    world.run(1);
  }
  // Nobody but the attackers themselves and the registrar, every so often, sends anything.
  t.true((attackers[1]?.heard.length ?? 0) - heardBefore <= 25_000 + 10);
  t.is(user.attempts.length, 1);
  user.attempts.length = 0;
  // The home server fails, and is still among those that are tried.
  for (const stream of [...user.process.streams]) stream.destroy();
  user.resolve('echo', { fresh: true });
  world.run(5_000);
  t.true(user.attempts.length <= 17, `${user.attempts.length}`);
  t.is(user.scope.endpoint.homeServer?.host, '10.0.0.1');
});

test('registrars that are made up do not keep a registrar from announcing itself', (t) => {
  const world = new World(0);
  world.registrar('10.0.0.1', { serverId: 1, announce: true });
  const attacker = new Announcing(world, '10.0.6.1');
  let announced = 0;
  for (let i = 0; i < 100; i++) {
    for (let j = 0; j < 50; j++) attacker.announce(1_000 + 50 * i + j, []);
    world.run(1_000);
  }
  attacker.heard.length = 0;
  world.run(66_000);
  announced = attacker.heard.length;
  t.true(announced >= 1, `${announced}`);
  world.run(200_000);
  attacker.heard.length = 0;
  world.run(10_000);
  t.is(attacker.heard.length, 10);
});

for (const [announcements, code] of [
  [5, 'ERR_INVALID_ARG_TYPE'],
  [{ group: '10.0.0.1' }, 'ERR_INVALID_ARG_VALUE'],
  [{ group: 'all' }, 'ERR_INVALID_ARG_VALUE'],
  [{ port: 0 }, 'ERR_SOCKET_BAD_PORT'],
  [{ ttl: 256 }, 'ERR_OUT_OF_RANGE'],
  [{ interface: 5 }, 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`announcements ${JSON.stringify(announcements)} are refused with ${code}`, (t) => {
    t.throws(() => new OperationalScope({ announcements: announcements as never }), { code });
  });
}
