/** What happens to the caller's buffers, and when write callbacks come. */

import test from 'ava';
import type { Socket } from '../../lib/net/socket.js';
import { collect, event, World } from './world.js';

async function paused(): Promise<{ world: World; socket: Socket; far: () => Socket }> {
  const world = new World();
  world.registrar();
  const element = world.element((socket) => socket.on('error', () => {}).pause());
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  await world.until(() => element.sockets.length === 1);
  return { world, socket, far: () => element.sockets[0] as Socket };
}

for (const [what, fresh] of [
  ['Buffer', (length: number) => Buffer.alloc(length, 'a')],
  ['Uint8Array', (length: number) => new Uint8Array(length).fill(97)],
] as const) {
  test(`a small write is copied, and its callback comes at once: ${what}`, async (t) => {
    const { world, socket, far } = await paused();
    const got = collect(far());
    far().pause();
    const chunk = fresh(4096);
    let called = false;
    socket.write(chunk, () => {
      called = true;
    });
    socket.send(chunk);
    chunk.fill(98);
    await world.run(10);
    t.true(called);
    t.is(socket.retrieve().unacknowledged.length, 2);
    far().resume();
    await world.until(() => got.text.length === 8192);
    t.is(got.text, 'a'.repeat(8192));
  });

  test(`a large write with a callback is copied, and that comes as soon as it is accepted: ${what}`, async (t) => {
    const { world, socket, far } = await paused();
    const got = collect(far());
    far().pause();
    const chunk = fresh(200_000);
    const calls: unknown[] = [];
    socket.write(chunk, (error) => calls.push(error ?? undefined));
    socket.write(chunk, undefined, (error) => calls.push(error ?? undefined));
    await world.run(10);
    t.deepEqual(calls, [undefined, undefined], 'though the far application reads nothing');
    chunk.fill(98);
    far().resume();
    await world.until(() => got.text.length === 400_000);
    t.is(got.text, 'a'.repeat(400_000));
  });

  test(`a large write without a callback is kept by reference: ${what}`, async (t) => {
    const { world, socket } = await paused();
    const chunk = fresh(4097);
    socket.write(chunk);
    await world.run(10);
    const [kept] = socket.retrieve().unacknowledged;
    t.is(kept?.data.buffer, chunk.buffer);
  });

  test(`a large message is kept by reference, and its callback comes with the acknowledgement: ${what}`, async (t) => {
    const { world, socket, far } = await paused();
    const chunk = fresh(200_000);
    const calls: unknown[] = [];
    socket.send(chunk, {}, (error) => calls.push(error ?? undefined));
    await world.run(5000);
    t.deepEqual(calls, []);
    const [kept] = socket.retrieve().unacknowledged;
    t.is(kept?.data.buffer, chunk.buffer);
    far().on('data', () => {});
    far().resume();
    await world.run(100);
    t.deepEqual(calls, [undefined]);
  });
}

test('the callbacks of writes that wait for room get the error of a session that fails', async (t) => {
  const { world, socket } = await paused();
  socket.on('error', () => {});
  const calls: unknown[] = [];
  for (let i = 0; i < 40; i++) {
    socket.write(Buffer.alloc(100_000), (error) => calls.push((error as NodeJS.ErrnoException | null)?.code));
  }
  await world.run(100);
  const accepted = calls.length;
  t.true(accepted > 0 && accepted < 40, `${accepted} of 40; the window is 1 MiB`);
  socket.destroy(new Error('mine'));
  await world.run(100);
  t.is(calls.length, 40);
  t.true(calls.slice(0, accepted).every((code) => code === undefined));
  t.true(calls.slice(accepted).every((code) => code !== undefined));
});

test('the callback of a large write that never reached the session is called too', async (t) => {
  const world = new World();
  const socket = world.client({ connectTimeout: 500 });
  const calls: unknown[] = [];
  socket.on('error', () => {});
  for (let i = 0; i < 3; i++) socket.write(Buffer.alloc(5000), (error) => calls.push(error instanceof Error));
  await world.until(event(socket, 'close').catch(() => []));
  await world.run(100);
  t.deepEqual(calls, [true, true, true]);
});

test('strings of any size and encoding arrive', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  const got = collect(socket);
  const large = 'x'.repeat(10_000);
  socket.write('61', 'hex');
  socket.write(large, 'latin1', () => {});
  socket.send('b');
  socket.end('Yw==', 'base64');
  await world.until(event(socket, 'close'));
  t.is(got.text, `a${large}bc`);
});

test('messages keep their boundaries, streams and identifiers', async (t) => {
  const world = new World();
  world.registrar();
  const seen: unknown[] = [];
  world.element(undefined, {
    onMessage: (message) => {
      const { data, streamId, ppid, sequence, redelivered } = message;
      seen.push([data.length, streamId, ppid, sequence, redelivered]);
      message.reply(Buffer.from('ok'), { streamId, ppid });
    },
  });
  const answers: unknown[] = [];
  const socket = world.client({
    onMessage: ({ data, streamId, ppid, inAnswerTo, lastAnswer }) =>
      void answers.push([Buffer.from(data).toString(), streamId, ppid, inAnswerTo, lastAnswer]),
  });
  socket.send(Buffer.alloc(1), { streamId: 3, ppid: 77 });
  socket.send(Buffer.alloc(300_000));
  socket.send(Buffer.alloc(0));
  socket.end();
  await world.until(event(socket, 'close'));
  t.deepEqual(seen, [
    [1, 3, 77, 1, false],
    [300_000, 0, 0, 2, false],
    [0, 0, 0, 3, false],
  ]);
  t.deepEqual(answers, [
    ['ok', 3, 77, 1, true],
    ['ok', 0, 0, 2, true],
    ['ok', 0, 0, 3, true],
  ]);
});
