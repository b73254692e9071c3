/** When exactly a message counts as taken, seen from its sender: what `retrieve()` still holds. */

import { PassThrough, Writable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import type { PoolListenOptions } from '../../lib/net/listen-options.js';
import type { Socket } from '../../lib/net/socket.js';
import type { Message } from '../../lib/session/message.js';
import { event, type TestElement, World } from './world.js';

interface Sender {
  readonly world: World;
  readonly element: TestElement;
  readonly socket: Socket;
  /** What the sender still keeps. */
  kept(): string[];
}

/** A user that has sent 'one', 'two' and 'three' to an element with this receiver. */
async function sent(onConnection: (socket: Socket) => void, listen: Partial<PoolListenOptions> = {}): Promise<Sender> {
  const world = new World();
  world.registrar();
  const element = world.element(onConnection, listen);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  for (const text of ['one', 'two', 'three']) socket.send(text);
  await world.run(500);
  const kept = (): string[] => socket.retrieve().unacknowledged.map(({ data }) => Buffer.from(data).toString());
  return { world, element, socket, kept };
}

const far = ({ element }: Sender): Socket => element.sockets[0] as Socket;

test('the callback of send comes when the message was taken', async (t) => {
  const sender = await sent((socket) => void socket.pause());
  const calls: unknown[] = [];
  sender.socket.send('four', {}, (error) => calls.push(error));
  await sender.world.run(100);
  t.deepEqual(calls, []);
  far(sender).resume();
  await sender.world.run(100);
  t.deepEqual(calls, [null]);
  sender.socket.destroy();
  t.false(sender.socket.send('late', {}, (error) => calls.push((error as NodeJS.ErrnoException | null)?.code)));
  await sender.world.run(100);
  t.is(calls[1], 'ERR_RSERPOOL_SESSION_CLOSED');
});

test('nobody reads: nothing is taken', async (t) => {
  const sender = await sent(() => {});
  t.deepEqual(sender.kept(), ['one', 'two', 'three']);
  t.is(sender.socket.retrieve().unsent.length, 0);
});

test("'data' listeners: when they have returned", async (t) => {
  const seen: string[] = [];
  const sender = await sent((socket) => {
    socket.on('data', (chunk: Buffer) => {
      seen.push(chunk.toString());
      if (seen.length === 2) socket.pause();
    });
  });
  t.deepEqual(seen, ['one', 'two']);
  t.deepEqual(sender.kept(), ['three']);
  far(sender).resume();
  await sender.world.run(100);
  t.deepEqual(sender.kept(), []);
});

test('pipe: when the destination has accepted it', async (t) => {
  const slow = new Writable({ highWaterMark: 1, write() {} });
  const sender = await sent((socket) => void socket.pipe(slow));
  t.is(slow.writableLength, 3);
  t.deepEqual(sender.kept(), ['two', 'three']);
});

test('pipe with encoding: counted by message, not by characters', async (t) => {
  const sink = new PassThrough();
  sink.resume();
  const sender = await sent((socket) => {
    socket.setEncoding('hex');
    socket.pipe(sink);
  });
  t.deepEqual(sender.kept(), []);
});

test('read(): when read() is called again', async (t) => {
  const sender = await sent((socket) => void socket.on('readable', () => {}));
  t.deepEqual(sender.kept(), ['one', 'two', 'three']);
  t.is(String(far(sender).read()), 'one');
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['one', 'two', 'three']);
  t.is(String(far(sender).read()), 'two');
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['two', 'three']);
});

test('read(n): when the call after the one that gave the last byte comes', async (t) => {
  const sender = await sent((socket) => void socket.on('readable', () => {}));
  t.is(String(far(sender).read(2)), 'on');
  t.is(String(far(sender).read(2)), 'et');
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['one', 'two', 'three']);
  t.is(String(far(sender).read(3)), 'wot');
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['two', 'three']);
  t.is(String(far(sender).read(4)), 'hree');
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['three']);
  t.is(far(sender).read(), null);
  await sender.world.run(100);
  t.deepEqual(sender.kept(), []);
});

test('setEncoding in the middle does not change what counts as taken', async (t) => {
  const sender = await sent((socket) => void socket.on('readable', () => {}));
  t.is(String(far(sender).read(1)), 'o');
  far(sender).setEncoding('hex');
  t.is(far(sender).read(2), '6e');
  t.is(far(sender).read(2), '65');
  await sender.world.run(100);
  t.is(sender.kept().length, 3);
  t.is(far(sender).read(6), '74776f');
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['two', 'three']);
});

test('async iteration: when the next one is asked for', async (t) => {
  let next: (() => void) | undefined;
  const seen: string[] = [];
  const sender = await sent((socket) => {
    void (async () => {
      for await (const chunk of socket) {
        seen.push(String(chunk));
        await new Promise<void>((resolve) => {
          next = resolve;
        });
      }
    })();
  });
  t.deepEqual(seen, ['one']);
  t.deepEqual(sender.kept(), ['one', 'two', 'three']);
  next?.();
  await sender.world.run(100);
  t.deepEqual(seen, ['one', 'two']);
  t.deepEqual(sender.kept(), ['two', 'three']);
});

test('onMessage: when it has returned', async (t) => {
  const during: string[][] = [];
  let sender: Sender | undefined;
  const seen: string[] = [];
  sender = await sent(() => {}, {
    onMessage: (message) => {
      seen.push(Buffer.from(message.data).toString());
      during.push(sender?.kept() ?? []);
    },
  });
  t.deepEqual(seen, ['one', 'two', 'three']);
  t.deepEqual(sender.kept(), []);
});

test('onMessage with a promise: when it has settled, whatever the order', async (t) => {
  const settle: (() => void)[] = [];
  const sender = await sent(() => {}, { onMessage: () => new Promise<void>((resolve) => settle.push(resolve)) });
  t.is(settle.length, 3);
  t.is(sender.kept().length, 3);
  settle[1]?.();
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['one', 'two', 'three'], 'acknowledgements are cumulative');
  settle[0]?.();
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['three']);
});

test("'message' listeners: when they have returned", async (t) => {
  const seen: string[] = [];
  const sender = await sent((socket) => {
    socket.on('message', (message: Message) => seen.push(Buffer.from(message.data).toString()));
  });
  t.deepEqual(seen, ['one', 'two', 'three']);
  t.deepEqual(sender.kept(), []);
});

const reader = async (t: ExecutionContext, take: (message: Message) => void): Promise<void> => {
  const messages: Message[] = [];
  const sender = await sent(() => {}, { acknowledge: 'manual', onMessage: (message) => void messages.push(message) });
  t.is(sender.kept().length, 3);
  take(messages[0] as Message);
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['two', 'three']);
  take(messages[0] as Message);
  take(messages[1] as Message);
  take(messages[2] as Message);
  await sender.world.run(100);
  t.deepEqual(sender.kept(), []);
};

test("acknowledge 'manual': when acknowledge() is called", (t) => reader(t, (message) => message.acknowledge()));

test("acknowledge 'manual': when the last answer has come", async (t) => {
  const messages: Message[] = [];
  const sender = await sent(() => {}, { acknowledge: 'manual', onMessage: (message) => void messages.push(message) });
  messages[1]?.reply(Buffer.from('part'), { last: false });
  await sender.world.run(100);
  t.is(sender.kept().length, 3);
  messages[1]?.reply(Buffer.from('whole'));
  await sender.world.run(100);
  t.deepEqual(sender.kept(), ['one', 'three'], 'an answer acknowledges its own request');
});

test('answers alone give the sender room again', async (t) => {
  const world = new World();
  world.registrar();
  let answered = 0;
  world.element(() => {}, {
    acknowledge: 'manual',
    onMessage: (message) => {
      answered++;
      message.reply(new Uint8Array(1));
    },
  });
  const socket = world.client({ onMessage: () => {} });
  await world.until(event(socket, 'connect'));
  // Four windows of 1 MiB.
  for (let i = 0; i < 64; i++) socket.send(Buffer.alloc(64 * 1024));
  await world.until(() => answered === 64, 10_000);
  socket.end();
  await world.until(event(socket, 'close'), 10_000);
  t.is(answered, 64);
});

test('a handler that throws leaves its message to another element', async (t) => {
  const world = new World();
  world.registrar();
  const seen: boolean[] = [];
  const onMessage = (message: Message): void => {
    seen.push(message.redelivered);
    if (seen.length === 1) throw new Error('cannot');
  };
  const errors: unknown[] = [];
  const onConnection = (socket: Socket): void => void socket.on('error', (error) => errors.push(error));
  for (let i = 0; i < 2; i++) world.element(onConnection, { onMessage });
  const socket = world.client();
  socket.send('once');
  socket.end();
  socket.resume();
  const failedOver = event(socket, 'failover');
  await world.until(event(socket, 'close'));
  await world.until(failedOver);
  t.deepEqual(seen, [false, true]);
  t.is((errors[0] as Error).message, 'cannot');
});

for (const [how, fail] of [
  [
    'throws',
    () => {
      throw new Error('cannot');
    },
  ],
  ['rejects', () => Promise.reject(new Error('cannot'))],
] as const) {
  test(`a handler that acknowledges by hand and ${how} ends its session, not the process`, async (t) => {
    const errors: unknown[] = [];
    const world = new World();
    world.registrar();
    world.element((socket) => void socket.on('error', (error) => errors.push(error)), {
      acknowledge: 'manual',
      onMessage: fail,
    });
    const socket = world.client({ maxFailovers: 1 });
    socket.send('x');
    await world.until(event(socket, 'error'));
    t.is((errors[0] as Error).message, 'cannot');
  });
}

test('the end waits until the handlers are done, so that their answers still leave', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element(() => {}, {
    onMessage: async (message) => {
      await new Promise((resolve) => element.process.clock.setTimeout(() => resolve(undefined), 300));
      message.reply(Buffer.from('answer'));
    },
  });
  const answers: string[] = [];
  const socket = world.client({ onMessage: (message) => void answers.push(Buffer.from(message.data).toString()) });
  socket.send('request');
  socket.end();
  await world.until(event(socket, 'close'));
  t.deepEqual(answers, ['answer']);
});

test('a listener that throws stops neither the stream nor its acknowledgements', async (t) => {
  const world = await World.echo(1);
  const failures: unknown[] = [];
  const process = world.spawn('user');
  process.onFailure = (error) => failures.push(error);
  const socket = world.client({ scope: world.scope(process) });
  const got: string[] = [];
  socket.on('data', (chunk: Buffer) => {
    got.push(chunk.toString());
    if (got.length === 1) throw new Error('cannot');
  });
  await world.until(event(socket, 'connect'));
  for (const text of ['one', 'two', 'three']) {
    socket.send(text);
    await world.run(100);
  }
  t.is(failures.length, 1);
  t.deepEqual(got, ['one', 'two', 'three']);
});

test('a listener that throws loses nothing of what arrived with its message', async (t) => {
  const world = await World.echo(1);
  const failures: unknown[] = [];
  const process = world.spawn('user');
  process.onFailure = (error) => failures.push(error);
  const socket = world.client({ scope: world.scope(process) });
  const got: string[] = [];
  socket.on('data', (chunk: Buffer) => {
    got.push(chunk.toString());
    if (got.length === 1) throw new Error('cannot');
  });
  await world.until(event(socket, 'connect'));
  for (const text of ['one', 'two', 'three']) socket.send(text);
  await world.run(5000);
  t.is(failures.length, 1);
  t.deepEqual(got, ['one', 'two', 'three']);
});
