import test, { type ExecutionContext } from 'ava';
import { seededRandom } from '../../lib/random.js';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import type { Listener } from '../../lib/transport/transport.js';
import { WatchedStream } from './watched-stream.js';

const a = '10.0.0.1';
const b = '10.0.0.2';

interface Scene {
  readonly network: MemoryNetwork;
  readonly client: MemoryProcess;
  readonly server: MemoryProcess;
  readonly near: WatchedStream;
  readonly far: WatchedStream;
  readonly listener: Listener;
  /** Runs everything that falls due in the next `duration` ms. */
  run(duration: number): void;
}

function scene(options: MemoryNetworkOptions = {}): Scene {
  const network = new MemoryNetwork({ latency: 1, ...options });
  const client = network.spawn(a);
  const server = network.spawn(b);
  const run = (duration: number): void => {
    const until = network.time.now + duration;
    while (network.time.step(until));
    network.time.advanceTo(until);
  };
  let near: WatchedStream | undefined;
  let far: WatchedStream | undefined;
  const listener = server.transport.listen(
    { host: b, port: 7 },
    {
      onListening() {},
      onConnection: (stream) => (far = new WatchedStream(stream)),
      onError() {},
    },
  );
  run(1);
  client.transport.connect(
    { host: b, port: 7 },
    { onOpen: (stream) => (near = new WatchedStream(stream)), onError() {} },
  );
  run(10);
  if (near === undefined || far === undefined) throw new Error('not connected');
  return { network, client, server, near, far, listener, run };
}

/** When, on the network's clock, the far side has everything that was sent now. */
function arrival(s: Scene, bytes: number): number {
  const wanted = s.far.receivedBytes + bytes;
  while (s.far.receivedBytes < wanted) if (!s.network.time.step()) throw new Error('it never arrives');
  return s.network.time.now;
}

function send(s: Scene, ...texts: string[]): void {
  s.client.dispatch('input', () => void s.near.write(...texts));
}

test('latency: bytes arrive one latency later, each way as it is set', (t) => {
  const s = scene();
  s.network.link(a, b).latency = 30;
  const start = s.network.time.now;
  send(s, 'x');
  t.is(arrival(s, 1) - start, 30);
});

test('bandwidth: bytes take their time on the link, one after another', (t) => {
  const s = scene();
  s.network.link(a, b).bandwidth = 10;
  const start = s.network.time.now;
  send(s, 'x'.repeat(100), 'y'.repeat(50));
  t.is(arrival(s, 150) - start, 1 + 10 + 5);
});

test('a lost segment comes a retransmission time-out later, and nothing overtakes it', (t) => {
  const s = scene();
  let segments = 0;
  s.network.intercept = (from, to, segment) =>
    from === a && to === b && segment.type === 'data' && ++segments === 2 ? 'lose' : 'deliver';
  const start = s.network.time.now;
  send(s, '1', '2', '3');
  s.run(100);
  t.is(s.far.text, '1');
  s.run(200);
  t.is(s.far.text, '123');
  t.is(segments, 3);
  t.true(s.network.time.now - start <= 300);
});

test('what is sent over a cut link waits and is delivered when it is joined', (t) => {
  const s = scene();
  s.network.cut(a, b);
  send(s, 'one', 'two');
  s.run(60_000);
  t.is(s.far.receivedBytes, 0);
  t.is(s.near.closes, 0);
  s.network.join(a, b);
  s.run(2);
  t.is(s.far.text, 'onetwo');
});

test('a connection attempt over a cut link waits; one answered over a cut way back as well', (t) => {
  const s = scene();
  for (const link of [s.network.link(a, b), s.network.link(b, a)]) {
    let opened = 0;
    link.cut = true;
    s.client.transport.connect(
      { host: b, port: 7 },
      {
        onOpen: (stream) => {
          opened++;
          return new WatchedStream(stream);
        },
        onError() {},
      },
    );
    s.run(10_000);
    t.is(opened, 0);
    s.network.join(a, b);
    s.run(10);
    t.is(opened, 1);
  }
});

test('a reset throws away what waits behind a cut', (t) => {
  const s = scene();
  s.network.cut(a, b);
  send(s, 'must not arrive');
  s.run(10);
  s.near.destroy('reset');
  s.run(10);
  t.is(s.near.closes, 1);
  s.network.join(a, b);
  s.run(10);
  t.deepEqual(s.far.events, ['close']);
  t.is(s.far.error?.code, 'ECONNRESET');
});

test('destroy loses what was not handed to the system, and the far side sees an end', (t) => {
  const s = scene({ receiveBuffer: 4 });
  s.far.pause();
  send(s, 'read', 'lost');
  t.is(s.near.stream.bufferedBytes, 4);
  s.near.destroy();
  s.far.resume();
  s.run(10);
  t.is(s.far.text, 'read');
  t.deepEqual(s.far.events, ['data', 'end']);
});

test('closing with unread data resets the connection', (t) => {
  const s = scene();
  s.far.pause();
  send(s, 'never read');
  s.run(10);
  s.far.destroy();
  s.run(10);
  t.is(s.far.error, undefined);
  t.is(s.near.error?.code, 'ECONNRESET');
});

test('a paused stream that was reset learns of it when it writes', (t) => {
  const s = scene();
  s.near.pause();
  s.far.destroy('reset');
  s.run(10);
  t.is(s.near.closes, 0);
  send(s, 'anyone?');
  s.run(10);
  t.is(s.near.error?.code, 'ECONNRESET');
});

test('a stream closes only when its own end has left', (t) => {
  const s = scene({ receiveBuffer: 4 });
  s.far.pause();
  send(s, 'full', 'rest');
  s.near.end();
  s.far.end();
  s.run(10);
  t.deepEqual(s.near.events, ['end']);
  s.far.resume();
  s.run(10);
  t.is(s.far.text, 'fullrest');
  t.deepEqual(s.near.events, ['end', 'close']);
});

test('a frozen process does nothing; its system goes on to accept connections and data', (t) => {
  const s = scene();
  let fired = false;
  s.server.clock.setTimeout(() => {
    fired = true;
  }, 5);
  s.server.freeze();
  send(s, 'data');
  let opened = false;
  s.client.transport.connect(
    { host: b, port: 7 },
    {
      onOpen: (stream) => {
        opened = true;
        return new WatchedStream(stream);
      },
      onError() {},
    },
  );
  s.run(1000);
  t.true(opened);
  t.is(s.near.stream.bufferedBytes, 0);
  t.is(s.far.receivedBytes, 0);
  t.false(fired);
});

test('a thawed process runs its timers first, then reads', (t) => {
  const s = scene();
  const order: string[] = [];
  s.server.freeze();
  send(s, 'data');
  s.run(10);
  s.server.clock.setTimeout(() => order.push('timer'), 5);
  s.far.onEvent = (event) => order.push(event);
  s.run(10);
  s.server.thaw();
  s.run(1);
  t.deepEqual(order, ['timer', 'data']);
});

test('a timer cancelled while its process was frozen does not fire at the thaw', (t) => {
  const s = scene();
  const fired: string[] = [];
  const second = s.server.clock.setTimeout(() => fired.push('second'), 6);
  s.server.clock.setTimeout(() => {
    fired.push('first');
    second.cancel();
  }, 5);
  s.server.freeze();
  s.run(10);
  s.server.thaw();
  s.run(1);
  t.deepEqual(fired, ['first']);
});

test('a killed process ends its connections with FIN, and its ports are refused', (t) => {
  const s = scene();
  s.server.dispatch('input', () => void s.far.write('last'));
  s.server.kill();
  s.run(10);
  t.is(s.near.text, 'last');
  t.deepEqual(s.near.events, ['data', 'end']);
  t.deepEqual(s.far.events, []);
  let code: string | undefined;
  s.client.transport.connect(
    { host: b, port: 7 },
    {
      onOpen: (stream) => new WatchedStream(stream),
      onError: (error: NodeJS.ErrnoException) => {
        code = error.code;
      },
    },
  );
  s.run(10);
  t.is(code, 'ECONNREFUSED');
});

test('a process killed with unread data resets the connection', (t) => {
  const s = scene();
  s.server.freeze();
  send(s, 'unread');
  s.run(10);
  s.server.kill();
  s.run(10);
  t.deepEqual(s.near.events, ['close']);
  t.is(s.near.error?.code, 'ECONNRESET');
});

test('data for a process that is gone is answered with a reset', (t) => {
  const s = scene();
  s.server.kill();
  s.run(10);
  t.deepEqual(s.near.events, ['end']);
  send(s, 'anyone?');
  s.run(10);
  t.is(s.near.error?.code, 'ECONNRESET');
});

test('fragment mode cuts what is delivered, and keeps every byte', (t) => {
  const s = scene({ fragment: true, random: seededRandom(5) });
  const text = 'the quick brown fox jumps over the lazy dog'.repeat(10);
  send(s, text);
  s.run(10);
  t.is(s.far.text, text);
  t.true(s.far.chunks.length > 1);
});

test('ephemeral ports stay ports, however many connections there were', (t) => {
  const s = scene();
  const ports = new Set<number>();
  let highest = 0;
  for (let i = 0; i < 33_000; i++) {
    const attempt = s.client.transport.connect(
      { host: b, port: 7 },
      {
        onOpen: (stream) => {
          highest = Math.max(highest, stream.localAddress.port);
          ports.add(stream.localAddress.port);
          stream.destroy('reset');
          return new WatchedStream(stream);
        },
        onError() {},
      },
    );
    if (i % 100 === 0) s.run(5);
    if (i % 1000 === 0) attempt.cancel();
  }
  s.run(10);
  t.true(highest < 65_536);
  t.true(ports.size > 30_000);
});

/** What both sides of a busy, faulty network see, and when. */
function trace(seed: number, t: ExecutionContext): string {
  const random = seededRandom(seed);
  const s = scene({ random, fragment: true, receiveBuffer: 2000 });
  const lines: string[] = [];
  for (const [name, stream] of [['near', s.near] as const, ['far', s.far] as const]) {
    stream.onEvent = (event) => lines.push(`${s.network.time.now} ${name} ${event} ${stream.receivedBytes}`);
  }
  s.network.intercept = () => (random.uniform() < 0.1 ? 'lose' : 'deliver');
  for (let i = 0; i < 200; i++) {
    const [from, to] = random.uniform() < 0.5 ? [s.near, s.far] : [s.far, s.near];
    const size = Math.floor(random.uniform() * 3000);
    from.write(new Uint8Array(size));
    if (random.uniform() < 0.1) to.pause();
    if (random.uniform() < 0.5) to.resume();
    if (random.uniform() < 0.05) s.network.cut(a, b);
    if (random.uniform() < 0.3) s.network.join(a, b);
    s.run(random.uniform() * 50);
  }
  s.near.destroy('reset');
  s.network.join(a, b);
  s.near.resume();
  s.far.resume();
  s.run(10_000);
  t.is(s.far.closes, 1);
  return lines.join('\n');
}

test('the same seed gives the same trace, another seed another', (t) => {
  t.is(trace(1, t), trace(1, t));
  t.not(trace(1, t), trace(2, t));
});

test('what is deferred runs once, also when one of it throws', (t) => {
  const s = scene();
  const ran: string[] = [];
  const failures: unknown[] = [];
  s.client.onFailure = (error) => failures.push(error);
  s.client.dispatch('input', () => {
    s.client.clock.defer(() => ran.push('first'));
    s.client.clock.defer(() => {
      throw new Error('planted');
    });
    s.client.clock.defer(() => ran.push('third'));
  });
  s.client.dispatch('input', () => {});
  t.deepEqual(ran, ['first', 'third']);
  t.is(failures.length, 1);
});
