/** Each repair of the package, as docs/sctp.md lists them: what would be lost, hang or go unnoticed without it. */

import test, { type ExecutionContext } from 'ava';
import { chunkType } from '../../../lib/transport/sctp/guard/chunk-type.js';
import type { PackageAssociation } from '../../../lib/transport/sctp/package/package-association.js';
import { PackageSctpStack } from '../../../lib/transport/sctp/package/package-stack.js';
import { port, SctpOwner, SctpWorld, type SctpWorldOptions } from './stack-world.js';

/** Loses the first `times` packets that begin with a chunk of this type. */
function lose(world: SctpWorld, type: number, times: number): void {
  let left = times;
  world.datagrams.intercept = (bytes) => bytes[12] !== type || left-- <= 0;
}

for (const [name, type] of [
  ['INIT', chunkType.init],
  ['INIT ACK', chunkType.initAck],
  ['COOKIE ECHO', chunkType.cookieEcho],
  ['COOKIE ACK', chunkType.cookieAck],
] as const) {
  test(`an association comes up although ${name} is lost twice`, (t) => {
    const world = new SctpWorld();
    lose(world, type, 2);
    let user: unknown;
    world.connect((result) => {
      user = result;
    });
    world.run(3000);
    t.true(user instanceof SctpOwner);
    t.is(world.accepted.length, 1);
  });
}

for (const [name, type] of [
  ['SHUTDOWN', chunkType.shutdown],
  ['SHUTDOWN ACK', chunkType.shutdownAck],
  ['SHUTDOWN COMPLETE', chunkType.shutdownComplete],
] as const) {
  test(`an association ends in order although ${name} is lost twice`, (t) => {
    const world = new SctpWorld();
    const { user, element } = world.open();
    lose(world, type, 2);
    user.send('last words');
    user.association.shutdown();
    world.run(20_000);
    t.deepEqual([user.closes, user.error, element.closes, element.error], [1, undefined, 1, undefined]);
    t.deepEqual(element.texts, ['last words']);
  });
}

test('both sides may shut down at once', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  user.send('a');
  element.send('b');
  user.association.shutdown();
  element.association.shutdown();
  world.run(5000);
  t.deepEqual([user.texts, element.texts], [['b'], ['a']]);
  t.deepEqual([user.closes, user.error, element.closes, element.error], [1, undefined, 1, undefined]);
});

test('what the far side sent before it knew of our end arrives, and both end in order', (t) => {
  const world = new SctpWorld({ latency: 20 });
  const { user, element } = world.open();
  world.run(1000);
  user.association.shutdown();
  element.send('late');
  world.run(5000);
  t.deepEqual(user.texts, ['late']);
  t.is(element.acknowledged, 1);
  t.deepEqual([user.closes, user.error, element.closes, element.error], [1, undefined, 1, undefined]);
});

test('an ended association gives back its port, its endpoint and its timers', (t) => {
  const world = new SctpWorld();
  const localPort = 5000;
  const at = { host: '10.0.0.2', port };
  let user: SctpOwner | undefined;
  const onOpen = (association: SctpOwner['association']): SctpOwner => {
    user = new SctpOwner(association);
    return user;
  };
  const onError = (error: Error): void => void t.fail(error.message);
  world.userProcess.dispatch('input', () => void world.user.connect(at, { onOpen, onError }, { localPort }));
  world.run(100);
  if (user === undefined) throw new Error('not open');
  const { endpoint } = (user.association as PackageAssociation).base;
  user.association.shutdown();
  world.run(1000);
  t.is(user.closes, 1);
  t.deepEqual(endpoint?.associations, []);
  t.is(world.userProcess.pendingTimers, 0);
  let listening = false;
  const onListening = (): void => {
    listening = true;
  };
  const onAssociation = (): never => t.fail('nobody connects') as never;
  world.userProcess.dispatch('input', () => void world.user.listen(localPort, { onListening, onAssociation, onError }));
  world.run(10);
  t.true(listening);
});

test('what the package throws costs one association and no more', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  const other = world.open();
  (element.association as PackageAssociation).base.emit = () => {
    throw new Error('choked');
  };
  user.send('hard to swallow');
  other.user.send('hello');
  world.run(1000);
  t.is((element.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_PROTOCOL');
  t.is((user.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  t.deepEqual(other.element.texts, ['hello']);
  t.is(other.user.closes + other.element.closes, 0);
});

test('a cookie makes one association, however late it comes again', (t) => {
  const world = new SctpWorld();
  let again = (): void => {};
  world.datagrams.intercept = (bytes, from, to) => {
    const copy = bytes.slice();
    if (bytes[12] === chunkType.cookieEcho) again = () => world.datagrams.inject(copy, from, to);
    return true;
  };
  const { user, element } = world.open();
  user.association.shutdown();
  world.run(1000);
  t.is(element.closes, 1);
  again();
  world.run(1000);
  t.is(world.accepted.length, 1);
});

test('the first packet of a stream may be lost', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  lose(world, chunkType.data, 1);
  for (const text of ['0', '1', '2']) {
    user.send(text);
    world.run(1);
  }
  world.run(2000);
  t.deepEqual(element.texts, ['0', '1', '2']);
});

test('messages on several streams at once are all sent', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  for (let i = 0; i < 500; i++) user.send(`${i}`, i % 7);
  world.run(2000);
  t.is(element.messages.length, 500);
  t.is(user.acknowledged, 500);
});

test('loss in the middle of a burst does not stall it: far fewer than one time-out a loss', (t) => {
  const world = new SctpWorld({ latency: 10 });
  const { user, element } = world.open();
  let packet = 0;
  world.datagrams.intercept = (bytes, from) =>
    from.host !== '10.0.0.1' || bytes[12] !== chunkType.data || ++packet % 50 !== 0;
  for (let i = 0; i < 1000; i++) user.send(new Uint8Array(1300));
  const took = world.run(60_000, () => element.messages.length === 1000);
  t.is(element.messages.length, 1000);
  t.true(took < 5000, `${took} ms`);
});

/** Counts the packets with data that the user sends. */
function countData(world: SctpWorld): { count: number } {
  const counted = { count: 0 };
  world.datagrams.intercept = (bytes, from) => {
    if (from.host === '10.0.0.1' && bytes[12] === chunkType.data) counted.count++;
    return true;
  };
  return counted;
}

test('messages leave at the end of their tick, together', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  world.run(100);
  const counted = countData(world);
  for (let i = 0; i < 40; i++) user.send('ten bytes!');
  // Their tick ends without time.
  world.run(1e-3);
  t.is(counted.count, 1);
  world.run(100);
  t.is(element.messages.length, 40);
});

test('what is under way grows from little, and a loss cuts it', (t) => {
  const latency = 50;
  const world = new SctpWorld({ latency, element: { window: 100_000 } });
  const { user, element } = world.open();
  world.run(1000);
  const counted = countData(world);
  const inOneRound = (): number => {
    counted.count = 0;
    world.run(2 * latency);
    return counted.count;
  };
  const messages = 5000;
  for (let i = 0; i < messages; i++) user.send(new Uint8Array(1300));
  // RFC 9260 section 7.2.1: 4404 bytes at first.
  world.run(latency);
  t.is(counted.count, 4);
  world.run(2000);
  const before = inOneRound();
  t.true(before > 50, `${before}`);
  const { intercept } = world.datagrams;
  let lost = 0;
  world.datagrams.intercept = (bytes, from, to) =>
    intercept?.(bytes, from, to) === true && (bytes[12] !== chunkType.data || lost++ > 0);
  world.run(6 * latency);
  const after = inOneRound();
  t.true(after > 0 && after < 0.75 * before, `${before}, then ${after}`);
  world.run(60_000, () => element.messages.length === messages);
  t.is(element.messages.length, messages);
});

test('however large the window, a tick sends 16 packets', (t) => {
  const world = new SctpWorld({ latency: 20 });
  const { user, element } = world.open();
  for (let i = 0; i < 500; i++) user.send(new Uint8Array(1300));
  world.run(5000);
  t.is(element.messages.length, 500);
  const counted = countData(world);
  for (let i = 0; i < 500; i++) user.send(new Uint8Array(1300));
  world.run(1);
  t.is(counted.count, 16);
});

test('a packet lost in the middle is sent again long before the timer would', (t) => {
  const world = new SctpWorld({ latency: 10, user: { rto: { initial: 5000, min: 5000, max: 10_000 } } });
  const { user, element } = world.open();
  let packet = 0;
  world.datagrams.intercept = (bytes, from) =>
    from.host !== '10.0.0.1' || bytes[12] !== chunkType.data || ++packet !== 20;
  for (let i = 0; i < 100; i++) user.send(new Uint8Array(1300));
  world.run(1000);
  t.is(element.messages.length, 100);
});

test('TSNs and stream sequence numbers wrap', (t) => {
  const world = new SctpWorld({ latency: 0.1 });
  let first = true;
  const random = {
    ...world.network.random,
    uniform: () => 0.5,
    // The tag is the first TSN too.
    identifier: () => {
      if (!first) return world.network.random.identifier();
      first = false;
      return 0xffff_ff00;
    },
    bytes: (length: number) => world.network.random.bytes(length),
  };
  const stack = new PackageSctpStack(
    { udpPort: 0 },
    { clock: world.userProcess.clock, random, datagrams: world.datagrams.transportOf(world.userProcess) },
  );
  let user: SctpOwner | Error | undefined;
  world.connect((result) => {
    user = result;
  }, stack);
  world.run(100);
  if (!(user instanceof SctpOwner)) throw user ?? new Error('not open');
  const count = 70_000;
  for (let i = 0; i < count; i++) user.send(new Uint8Array(4));
  world.run(60_000, () => user instanceof SctpOwner && user.acknowledged === count);
  t.is(world.accepted[0]?.messages.length, count);
});

test('a message larger than the receive window arrives', (t) => {
  const world = new SctpWorld({ element: { window: 10_000 } });
  const { user, element } = world.open();
  user.send(new Uint8Array(500_000).fill(7));
  world.run(60_000, () => element.messages.length > 0);
  t.is(element.messages[0]?.data.length, 500_000);
});

test('a message above the limit ends the association with an error on both sides', (t) => {
  const world = new SctpWorld({ element: { longestMessage: 10_000 } });
  const { user, element } = world.open();
  user.send(new Uint8Array(10_001));
  world.run(1000);
  t.is((element.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_LIMIT');
  t.is((user.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

function noticed(t: ExecutionContext, fail: (world: SctpWorld) => void, options: SctpWorldOptions = {}): void {
  const world = new SctpWorld({ ...options, user: { heartbeat: { interval: 200, timeout: 600 } } });
  const { user } = world.open();
  fail(world);
  const took = world.run(10_000, () => user.closes > 0);
  t.is((user.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
  t.true(took <= 610, `${took} ms`);
}

test('a killed peer is noticed within three heartbeats', (t) => noticed(t, (world) => world.elementProcess.kill()));
test('a frozen peer is noticed within three heartbeats', (t) => noticed(t, (world) => world.elementProcess.freeze()));
test('a peer that is cut off is noticed within three heartbeats', (t) =>
  noticed(t, (world) => world.network.cut('10.0.0.1', '10.0.0.2')));

test('an idle association lives on, and its round trips are measured', (t) => {
  const world = new SctpWorld({ latency: 15 });
  const { user, element } = world.open();
  world.run(60_000);
  t.is(user.closes + element.closes, 0);
  t.true(user.association.rtt !== undefined && Math.abs(user.association.rtt - 30) < 2);
  t.true((user.association.rto ?? 0) >= 300);
});

test('who was frozen asks again before giving the peer up', (t) => {
  const world = new SctpWorld({ element: { heartbeat: { interval: 50_000, timeout: 100_000 } } });
  const { user, element } = world.open();
  world.userProcess.freeze();
  world.run(30_000);
  world.userProcess.thaw();
  world.run(10_000);
  element.send('still here');
  world.run(100);
  t.deepEqual(user.texts, ['still here']);
});

test('a peer whose process is gone and whose port is served again says so at once', (t) => {
  const world = new SctpWorld();
  const { user } = world.open();
  world.elementProcess.kill();
  const restarted = world.network.spawn('10.0.0.2');
  world.listen(restarted, world.stack(restarted));
  user.send('are you there?');
  world.run(100);
  t.is((user.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

test('a peer that restarts at the same ports takes the place of its old association', (t) => {
  const world = new SctpWorld();
  const fixed = (seed: number) => ({
    uniform: () => 0.25,
    identifier: () => 1000 + seed++,
    bytes: (length: number) => new Uint8Array(length),
  });
  const start = (seed: number): PackageSctpStack => {
    const process = world.network.spawn('10.0.0.1');
    const datagrams = world.datagrams.transportOf(process);
    const stack = new PackageSctpStack({ udpPort: 5555 }, { clock: process.clock, random: fixed(seed), datagrams });
    process.dispatch('input', () => {
      const onOpen = (association: never) => new SctpOwner(association);
      stack.connect({ host: '10.0.0.2', port }, { onOpen: onOpen as never, onError() {} });
    });
    world.run(100);
    process.kill();
    return stack;
  };
  start(1);
  t.is(world.accepted[0]?.closes, 0);
  start(5000);
  t.is(world.accepted.length, 2);
  const [old] = world.accepted;
  t.is((old?.error as NodeJS.ErrnoException | undefined)?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  t.is(world.accepted[1]?.closes, 0);
});

test('answers follow a peer whose UDP port changes', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  const address = element.association.remoteAddress;
  // As a NAT does it that has forgotten: the same packets come from another port.
  let moved: ((bytes: Uint8Array) => void) | undefined;
  const process = world.network.spawn('10.0.0.1');
  const nat = world.datagrams
    .transportOf(process)
    .bind({ host: '10.0.0.1', port: 6666 }, { onListening() {}, onDatagram: (bytes) => moved?.(bytes), onError() {} });
  world.run(1);
  let back = 0;
  moved = () => back++;
  world.datagrams.intercept = (bytes, from, to) => {
    if (from.host === '10.0.0.1' && from.port !== 6666) {
      nat.send(bytes, to);
      return false;
    }
    return true;
  };
  user.send('from elsewhere');
  world.run(100);
  t.deepEqual(element.texts, ['from elsewhere']);
  t.deepEqual(element.notifications, [{ type: 'peerAddressChange', address: { ...address, encapsulationPort: 6666 } }]);
  t.true(back > 0);
});
