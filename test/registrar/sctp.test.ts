/** Registrars, elements and users over SCTP beside TCP, in virtual time. */

import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { seededRandom } from '../../lib/random.js';
import type { RegistrarOptions } from '../../lib/registrar/options.js';
import { Registrar } from '../../lib/registrar/registrar.js';
import { MemoryDatagrams } from '../../lib/transport/memory/datagrams.js';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import { PackageSctpStack } from '../../lib/transport/sctp/package/package-stack.js';

class SctpWorld {
  readonly network = new MemoryNetwork({ random: seededRandom(5), latency: 1 });
  readonly datagrams = new MemoryDatagrams(this.network);

  around(process: MemoryProcess) {
    const { clock, transport, multicast } = process;
    const { random } = this.network;
    const datagrams = this.datagrams.transportOf(process);
    const sctp = new PackageSctpStack({}, { clock, random, datagrams });
    return { clock, random, transports: { stream: transport, multicast, sctp } };
  }

  registrar(address: string, options: RegistrarOptions = {}): { registrar: Registrar; process: MemoryProcess } {
    const process = this.network.spawn(address);
    const registrar = new Registrar({ host: address, ...this.around(process), ...options });
    process.dispatch('input', () => registrar.listen());
    return { registrar, process };
  }

  scope(address: string, registrars: string): { scope: OperationalScope; process: MemoryProcess } {
    const process = this.network.spawn(address);
    return { scope: new OperationalScope({ registrars, ...this.around(process) }), process };
  }

  run(duration: number): void {
    const { time } = this.network;
    const until = time.now + duration;
    while (time.now < until) if (!time.step(until)) time.advanceTo(until);
  }
}

/** Registers an SCTP element from a process of its own. */
function element(world: SctpWorld, address: string, identifier: number, registrars: string) {
  const { scope, process } = world.scope(address, registrars);
  const told: string[] = [];
  process.dispatch('input', () => {
    scope.endpoint.register(
      {
        poolHandle: 'echo' as never,
        identifier,
        userTransport: { type: 'sctp', port: 7777, use: 'dataPlusControl', addresses: [address] },
      },
      {
        onRegistered: () => told.push('registered'),
        onFailed: (error) => told.push(error.message),
        onExpired: () => told.push('expired'),
      },
    );
  });
  return { scope, process, told };
}

function resolved(world: SctpWorld, address: string, registrars: string): readonly number[] {
  const { scope, process } = world.scope(address, registrars);
  let found: readonly number[] = [];
  process.dispatch('input', () => {
    scope.endpoint.resolve('echo' as never, {}, (_error, resolution) => {
      found = resolution?.elements.map(({ identifier }) => identifier) ?? [];
    });
  });
  world.run(500);
  return found;
}

test('a registrar serves elements over SCTP and users over TCP and SCTP, and notices an element that dies', (t) => {
  const world = new SctpWorld();
  const { registrar } = world.registrar('10.0.0.1');
  world.run(10);
  t.deepEqual(registrar.sctpAddress, { host: '10.0.0.1', port: 3863, protocol: 'sctp', encapsulationPort: 9899 });
  const { told, process } = element(world, '10.0.0.5', 77, 'sctp:10.0.0.1');
  world.run(100);
  t.deepEqual(told, ['registered']);
  t.deepEqual(resolved(world, '10.0.0.6', '10.0.0.1'), [77]);
  t.deepEqual(resolved(world, '10.0.0.7', 'sctp:10.0.0.1:3863/udp:9899'), [77]);
  const stored = registrar.handlespace.entry('echo' as never, 77)?.element;
  t.is(stored?.asapTransport?.type, 'sctp');
  world.run(20_000);
  t.true(registrar.stats.keepAlivesSent > 0);
  t.is(registrar.stats.elements, 1);
  process.kill();
  world.run(5000);
  t.is(registrar.stats.elements, 0);
});

test('registrars are peers over SCTP, one of them over TCP too, and share their elements', (t) => {
  const world = new SctpWorld();
  const timers = { heartbeatCycle: 1000 };
  const first = world.registrar('10.0.0.1', { enrp: { host: '10.0.0.1', timers } });
  const second = world.registrar('10.0.0.2', { enrp: { host: '10.0.0.2', timers, peers: ['sctp:10.0.0.1'] } });
  const third = world.registrar('10.0.0.3', { enrp: { host: '10.0.0.3', timers, peers: ['10.0.0.1'] } });
  world.run(6000);
  element(world, '10.0.0.5', 77, 'sctp:10.0.0.2');
  world.run(3000);
  for (const { registrar } of [first, second, third]) {
    t.is(registrar.stats.elements, 1);
    t.is(registrar.enrp?.peers.filter(({ connected }) => connected).length, 2);
  }
  second.process.kill();
  world.run(15_000);
  t.is(first.registrar.enrp?.peers.filter(({ connected }) => connected).length, 1);
  const owners = [first, third].map(({ registrar }) => registrar.handlespace.entry('echo' as never, 77)?.owner);
  t.is(owners[0], owners[1]);
});

test('without SCTP an address that wants it fails, and says so', (t) => {
  const network = new MemoryNetwork();
  const process = network.spawn('10.0.0.6');
  const { clock, transport: stream, multicast } = process;
  const scope = new OperationalScope({
    registrars: 'sctp:10.0.0.1',
    sctp: false,
    clock,
    transports: { stream, multicast },
  });
  let message = '';
  process.dispatch('input', () => {
    scope.endpoint.resolve('echo' as never, { hunt: 'once', timeout: 500 }, (error) => {
      message = `${error?.message} ${(error as Error | undefined)?.cause}`;
    });
  });
  while (network.time.now < 1000) if (!network.time.step(1000)) network.time.advanceTo(1000);
  t.regex(message, /SCTP is not switched on|No ENRP server/);
});

test('compatibility with the reference implementation counts registration life in milliseconds', (t) => {
  const world = new SctpWorld();
  const { registrar } = world.registrar('10.0.0.1', { compatibility: 'rsplib' });
  const process = world.network.spawn('10.0.0.5');
  const around = world.around(process);
  const scope = new OperationalScope({ registrars: 'sctp:10.0.0.1', compatibility: 'rsplib', ...around });
  process.dispatch('input', () => {
    scope.endpoint.register(
      {
        poolHandle: 'echo' as never,
        identifier: 1,
        registrationLife: 90_000,
        userTransport: { type: 'tcp', port: 7, address: '10.0.0.5' },
      },
      { onRegistered() {}, onFailed() {}, onExpired() {} },
    );
  });
  world.run(100);
  t.is(registrar.handlespace.entry('echo' as never, 1)?.element.registrationLife, 90_000);
  t.throws(() => new OperationalScope({ compatibility: 'rsplid' as never }), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(() => new Registrar({ compatibility: 1 as never }), { code: 'ERR_INVALID_ARG_VALUE' });
});
