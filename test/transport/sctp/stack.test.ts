/** What the stack promises, in virtual time: two machines, datagrams that may be lost, late, twice or out of order. */

import test from 'ava';
import { seededRandom } from '../../../lib/random.js';
import { PackageSctpStack } from '../../../lib/transport/sctp/package/package-stack.js';
import { port, SctpOwner, SctpWorld } from './stack-world.js';

test('messages keep their boundaries, streams, protocol identifiers and bytes', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  const random = seededRandom(2);
  const sizes = [1, 2, 3, 100, 1335, 1336, 1337, 1340, 65_536, 300_001];
  const sent = sizes.map((size) => random.bytes(size));
  for (const [i, data] of sent.entries()) user.send(data, i % 3, 100 + i);
  world.run(2000);
  t.deepEqual(
    element.messages.map(({ data, streamId, ppid }) => [data.length, streamId, ppid]).toSorted((a, b) => a[2]! - b[2]!),
    sizes.map((size, i) => [size, i % 3, 100 + i]),
  );
  t.true(element.messages.every(({ data, ppid }) => Buffer.compare(data, sent[ppid - 100]!) === 0));
  t.is(user.acknowledged, sizes.length);
  t.is(user.association.bufferedBytes, 0);
});

test('an unordered message overtakes what is lost, and those after it stay in order', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  world.datagrams.intercept = (bytes, from) => {
    const lost = from.host === '10.0.0.1' && Buffer.from(bytes).includes('first');
    if (lost) world.datagrams.intercept = undefined;
    return !lost;
  };
  user.send('first');
  world.run(1);
  user.send('second');
  user.send('urgent', 0, 0, true);
  user.send('third');
  world.run(50);
  t.deepEqual(element.texts, ['urgent']);
  world.run(2000);
  t.deepEqual(element.texts, ['urgent', 'first', 'second', 'third']);
});

test('a lost packet of one stream holds up no other', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  world.datagrams.intercept = (bytes) => {
    const lost = Buffer.from(bytes).includes('lost');
    if (lost) world.datagrams.intercept = undefined;
    return !lost;
  };
  user.send('lost', 1);
  world.run(1);
  user.send('other', 2);
  world.run(20);
  t.deepEqual(element.texts, ['other']);
  world.run(2000);
  t.deepEqual(element.texts, ['other', 'lost']);
});

test('what the API does not take it refuses at once', (t) => {
  const { user } = new SctpWorld().open();
  t.throws(() => user.send(''), { instanceOf: RangeError });
  t.throws(() => user.send('x', user.association.outboundStreams), { instanceOf: RangeError });
  t.throws(() => user.send('x', -1), { instanceOf: RangeError });
});

for (const [loss, duplication, reordering] of [
  [0.05, 0, 0],
  [0, 0.2, 0.2],
  [0.1, 0.1, 0.1],
] as const) {
  test(`both directions arrive whole, in order, once, with loss ${loss}, duplicates ${duplication}, disorder ${reordering}`, (t) => {
    for (let seed = 1; seed <= 5; seed++) {
      const world = new SctpWorld({ seed, latency: 5, loss, duplication, reordering });
      let user: SctpOwner | Error | undefined;
      world.connect((result) => {
        user = result;
      });
      world.run(9000, () => user !== undefined && world.accepted.length > 0);
      if (!(user instanceof SctpOwner)) throw user ?? new Error('not open');
      const element = world.accepted[0]!;
      const sizes = Array.from({ length: 200 }, (_, i) => 1 + ((i * i * 37) % 9000));
      for (const owner of [user, element]) {
        for (const [i, size] of sizes.entries()) {
          const data = new Uint8Array(4 + size);
          new DataView(data.buffer).setUint32(0, i);
          owner.send(data);
        }
      }
      const { acknowledged } = user;
      t.is(acknowledged, 0);
      world.run(120_000, () => user instanceof SctpOwner && user.messages.length + element.messages.length === 400);
      for (const owner of [user, element]) {
        t.deepEqual(
          owner.messages.map(({ data }) => [new DataView(data.buffer, data.byteOffset).getUint32(0), data.length - 4]),
          sizes.map((size, i) => [i, size]),
        );
        t.is(owner.closes, 0);
      }
    }
  });
}

test('an orderly close delivers all that was sent, on either side, whatever is lost', (t) => {
  for (const loss of [0, 0.01, 0.05, 0.2]) {
    const world = new SctpWorld({ seed: 3, loss, latency: 10 });
    let user: SctpOwner | Error | undefined;
    world.connect((result) => {
      user = result;
    });
    world.run(9000, () => user !== undefined && world.accepted.length > 0);
    if (!(user instanceof SctpOwner)) throw user ?? new Error('not open');
    const element = world.accepted[0]!;
    for (let i = 0; i < 300; i++) user.send(`${i} ${'x'.repeat(i * 7)}`);
    user.association.shutdown();
    const { closes } = element;
    t.is(closes, 0);
    world.run(300_000, () => element.closes > 0 && (user as SctpOwner).closes > 0);
    t.is(element.messages.length, 300);
    t.deepEqual([user.closes, user.error, element.closes, element.error], [1, undefined, 1, undefined]);
    t.is(world.userProcess.pendingTimers + world.elementProcess.pendingTimers, 0);
  }
});

test('300 connects all come up with 5 % loss and 20 ms of delay', (t) => {
  const world = new SctpWorld({ seed: 5, loss: 0.05, latency: 20 });
  const results: (SctpOwner | Error)[] = [];
  for (let i = 0; i < 300; i++) world.connect((result) => results.push(result));
  world.run(10_000, () => results.length === 300);
  t.is(results.filter((result) => result instanceof SctpOwner).length, 300);
});

test('a refusal is ECONNREFUSED at once, silence a time-out, a cancelled attempt nothing', (t) => {
  const world = new SctpWorld({ user: { connectTimeout: 2000 } });
  const errors: Error[] = [];
  const callbacks = {
    onOpen: () => {
      throw new Error('opened');
    },
    onError: (error: Error) => errors.push(error),
  };
  world.userProcess.dispatch('input', () => world.user.connect({ host: '10.0.0.2', port: 1 }, callbacks));
  world.run(100);
  t.is((errors[0] as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  world.userProcess.dispatch('input', () => world.user.connect({ host: '10.0.0.9', port }, callbacks));
  world.run(1900);
  t.is(errors.length, 1);
  world.run(200);
  t.is((errors[1] as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_CONNECT_TIMEOUT');
  world.userProcess.dispatch('input', () => world.user.connect({ host: '10.0.0.9', port }, callbacks).cancel());
  world.run(5000);
  t.is(errors.length, 2);
});

test('a taken UDP port is told to all who wait, a taken SCTP port to its listener', (t) => {
  const world = new SctpWorld();
  const second = world.stack(world.elementProcess);
  const errors: unknown[] = [];
  const onError = (error: Error): void => void errors.push((error as NodeJS.ErrnoException).code);
  const never = (): never => {
    throw new Error('it works');
  };
  second.connect({ host: '10.0.0.1', port }, { onOpen: never, onError });
  second.listen(0, { onListening: never, onAssociation: never, onError });
  world.element.listen(port, { onListening: never, onAssociation: never, onError });
  world.run(10);
  t.deepEqual(errors, ['EADDRINUSE', 'EADDRINUSE', 'EADDRINUSE']);
});

test('what a paused side does not take holds its peer back, and nothing is lost', (t) => {
  const world = new SctpWorld({ element: { window: 20_000 } });
  const { user, element } = world.open();
  element.association.pause();
  for (let i = 0; i < 100; i++) user.send(new Uint8Array(1000).fill(i));
  world.run(20_000);
  t.is(element.messages.length, 0);
  t.true(user.acknowledged < 25);
  t.is(user.closes, 0);
  element.association.resume();
  // The far side is told: it need not ask.
  world.run(300);
  t.deepEqual(
    element.messages.map(({ data }) => data[0]),
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test('what was not delivered can be retrieved after the end', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  user.send('delivered');
  world.run(100);
  world.network.cut('10.0.0.1', '10.0.0.2');
  for (let i = 0; i < 20; i++) user.send(new Uint8Array(1000).fill(i), 3, 40 + i);
  world.run(10_000);
  t.is((user.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
  const { unsent, unacknowledged } = user.association.retrieve();
  t.true(unsent.length > 0 && unacknowledged.length > 0);
  t.deepEqual(
    [...unacknowledged, ...unsent].map(({ ppid, streamId, data }) => [ppid, streamId, data[0]]),
    Array.from({ length: 20 }, (_, i) => [40 + i, 3, i]),
  );
  t.is(element.texts.join(), 'delivered');
});

test('the layer above is named to the far side when the association opens', (t) => {
  const world = new SctpWorld();
  const elsewhere = new PackageSctpStack(
    { udpPort: 0 },
    {
      clock: world.userProcess.clock,
      random: seededRandom(8),
      datagrams: world.datagrams.transportOf(world.userProcess),
    },
  );
  const seen: (number | undefined)[] = [];
  const ignore = new SctpOwner(undefined as never);
  world.element.listen(
    8888,
    {
      onListening() {},
      onAssociation(association) {
        seen.push(association.adaptation);
        return ignore;
      },
      onError() {},
    },
    { adaptation: 77 },
  );
  const target = { host: '10.0.0.2', port: 8888 };
  const callbacks = {
    onOpen(association: { readonly adaptation: number | undefined }) {
      seen.push(association.adaptation);
      return ignore;
    },
    onError() {},
  };
  elsewhere.connect(target, callbacks, { adaptation: 0xffff_fff0 });
  world.run(100);
  elsewhere.connect(target, callbacks);
  world.run(100);
  t.deepEqual(
    seen.toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    [77, 77, 0xffff_fff0, undefined],
  );
});

test('an abort tells the far side why, and both ends once', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  user.association.abort('no more of this: ä');
  t.is(user.closes, 0);
  world.run(100);
  t.deepEqual([user.closes, user.error], [1, undefined]);
  t.is((element.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_ABORTED');
  t.regex(element.error?.message ?? '', /no more of this: ä/);
});

test('closing the stack ends everything and leaves no timer', (t) => {
  const world = new SctpWorld();
  const { user, element } = world.open();
  world.element.close();
  world.run(100);
  t.is(element.closes, 1);
  t.is((user.error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_ABORTED');
  world.user.close();
  world.run(100);
  t.is(world.userProcess.pendingTimers + world.elementProcess.pendingTimers, 0);
});

test('2000 associations one after the other leave nothing behind, and none comes back by a late cookie', (t) => {
  const world = new SctpWorld({ duplication: 0.3, latency: 0.1 });
  let opened = 0;
  const next = (): void => {
    if (opened === 2000) return;
    world.connect((result) => {
      opened++;
      if (result instanceof SctpOwner) result.association.shutdown();
      next();
    });
  };
  next();
  world.run(600_000, () => opened === 2000);
  world.run(10_000);
  t.is(world.accepted.length, 2000);
  t.is(world.accepted.filter(({ closes, error }) => closes === 1 && error === undefined).length, 2000);
  t.is(world.userProcess.pendingTimers + world.elementProcess.pendingTimers, 0);
});
