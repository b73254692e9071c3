import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import test from 'ava';
import { collect, event, World } from './world.js';

test("'connect' and 'ready' come in this order, and what was written before them arrives", async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  const events: string[] = [];
  for (const name of ['connect', 'ready', 'end', 'finish', 'close']) socket.on(name, () => events.push(name));
  t.true(socket.connecting);
  t.true(socket.pending);
  t.is(socket.readyState, 'opening');
  const got = collect(socket);
  socket.write('one ');
  socket.write('two ');
  socket.end('three');
  await world.until(event(socket, 'close'));
  t.is(got.text, 'one two three');
  t.deepEqual(events.slice(0, 2), ['connect', 'ready']);
  t.is(events.at(-1), 'close');
  t.is(events.length, 5);
});

test('addresses, counts and states are those of a socket of net', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  const got = collect(socket);
  await world.until(event(socket, 'connect'));
  t.is(socket.remotePort, 7);
  t.is(socket.remoteFamily, 'IPv4');
  t.is(socket.remoteAddress, world.elements[0]?.process.address);
  t.deepEqual(socket.address(), {
    address: socket.localAddress as string,
    family: 'IPv4',
    port: socket.localPort as number,
  });
  t.false(socket.pending);
  t.is(socket.readyState, 'open');
  socket.write('four');
  await world.until(() => got.text === 'four');
  t.is(socket.bytesRead, 4);
  t.is(socket.bytesWritten, 4);
  t.is(socket.mode, 'failover');
  t.is(socket.poolHandle, 'echo');
  t.is(socket.element?.identifier, world.elements[0]?.server.peIdentifier);
  t.is(socket.sessionId?.length, 16);
  await world.run(2000);
  t.true((socket.rtt ?? 0) > 0);
  t.throws(() => socket.pathMtu, { code: 'ERR_RSERPOOL_FEATURE_NOT_AVAILABLE' });
});

test('without allowHalfOpen the end of the far side ends ours', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element((socket) => socket.end('good bye'));
  const socket = world.client();
  const got = collect(socket);
  await world.until(event(socket, 'close'));
  t.is(got.text, 'good bye');
  t.true(socket.writableFinished);
  await world.until(() => element.sockets[0]?.closed === true);
  t.pass();
});

test('with allowHalfOpen each side ends when it wants to', async (t) => {
  const world = new World();
  world.registrar();
  const got: string[] = [];
  const element = world.element(
    (socket) => {
      socket.end('served');
      socket.on('data', (chunk: Buffer) => got.push(chunk.toString()));
      socket.on('end', () => got.push('end'));
    },
    {},
    { allowHalfOpen: true },
  );
  const socket = world.client({ allowHalfOpen: true });
  const received = collect(socket);
  await world.until(event(socket, 'end'));
  t.is(received.text, 'served');
  await world.run(60_000);
  t.false(socket.destroyed);
  t.is(socket.readyState, 'writeOnly');
  socket.write('still ');
  socket.end('here');
  await world.until(event(socket, 'close'));
  t.is(got.join('|'), 'still |here|end');
  await world.until(() => element.sockets[0]?.closed === true);
});

test("a 'close' without error means that the far application has taken everything", async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element((socket) => socket.pause());
  const socket = world.client();
  let closed: boolean | undefined;
  socket.on('close', (hadError) => {
    closed = hadError;
  });
  socket.resume();
  socket.end('taken late');
  await world.run(10_000);
  t.true(socket.writableFinished);
  t.is(closed, undefined);
  t.is(socket.retrieve().unacknowledged.length, 1);
  const far = element.sockets[0];
  far?.resume();
  await world.until(() => closed !== undefined);
  t.false(closed);
  t.deepEqual(socket.retrieve(), { unsent: [], unacknowledged: [] });
});

test('destroy ends both sides at once and hands back what was not acknowledged', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element((socket) => socket.on('error', () => {}).pause());
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  socket.write('never read');
  await world.run(100);
  socket.destroy();
  const [hadError] = await world.until(event(socket, 'close'));
  t.false(hadError);
  t.is(Buffer.from(socket.retrieve().unacknowledged[0]?.data ?? []).toString(), 'never read');
  await world.until(() => element.sockets[0]?.destroyed === true);
  t.is((element.sockets[0]?.errored as NodeJS.ErrnoException | null)?.code, 'ERR_RSERPOOL_ABORTED');
});

test("destroy with an error emits it before 'close'", async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const events: unknown[] = [];
  const mine = new Error('mine');
  socket.on('error', (error) => events.push(error));
  socket.on('close', (hadError) => events.push(hadError));
  socket.destroy(mine);
  await world.until(() => events.length === 2);
  t.deepEqual(events, [mine, true]);
});

test('destroy while connecting connects to nobody', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  socket.end();
  socket.destroy();
  await world.until(event(socket, 'close'));
  await world.run(5000);
  t.is(world.elements[0]?.sockets.length, 0);
});

test('destroy after end lets the rest be acknowledged before it closes', async (t) => {
  const world = new World();
  world.registrar();
  // It neither ends nor closes by itself.
  const element = world.element((socket) => socket.on('error', () => {}).pause(), {}, { allowHalfOpen: true });
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  socket.end('the rest', () => socket.destroy());
  await world.run(1000);
  t.true(socket.destroyed);
  t.false(closed);
  const got: string[] = [];
  element.sockets[0]?.on('data', (chunk: Buffer) => got.push(chunk.toString()));
  element.sockets[0]?.resume();
  await world.until(() => closed, 5000);
  t.deepEqual(got, ['the rest']);
  t.deepEqual(socket.retrieve().unacknowledged, []);
});

test('destroy after end does not wait for a reader of its own', async (t) => {
  const world = new World();
  world.registrar();
  // The answer is taken by nobody at the user, and the request is taken only after the answer was.
  const element = world.element(undefined, {
    onMessage: async (message) => {
      message.reply(Buffer.alloc(10));
      await new Promise((resolve) => element.process.clock.setTimeout(() => resolve(undefined), 500));
    },
  });
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  socket.write('request');
  await world.run(100);
  socket.end(() => socket.destroy());
  await world.until(event(socket, 'close'), 5000);
  t.deepEqual(socket.retrieve().unacknowledged, []);
  await world.until(() => element.sockets[0]?.closed === true, 5000);
});

test('setEncoding puts characters together that messages cut', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  socket.setEncoding('utf8');
  const got: string[] = [];
  socket.on('data', (text: string) => got.push(text));
  const bytes = Buffer.from('a€b');
  socket.send(bytes.subarray(0, 2));
  socket.send(bytes.subarray(2));
  socket.end();
  await world.until(event(socket, 'close'));
  t.is(got.join(''), 'a€b');
});

test('pause stops the data and resume brings the rest, in order', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  const got = collect(socket);
  socket.once('data', () => socket.pause());
  for (let i = 0; i < 10; i++) socket.send(`${i}`);
  await world.run(1000);
  t.is(got.text, '0');
  socket.resume();
  await world.until(() => got.text === '0123456789');
  t.pass();
});

test('a peer that never reads makes write return false, and memory stays bounded', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element((socket) => socket.pause());
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const chunk = Buffer.alloc(64 * 1024, 1);
  let written = 0;
  for (let i = 0; i < 1000; i++) {
    if (socket.write(chunk)) written += chunk.length;
    else {
      written += chunk.length;
      const drained = Promise.race([event(socket, 'drain').then(() => true), world.run(2000).then(() => false)]);
      if (!(await world.until(drained))) break;
    }
  }
  t.true(written < 8 * 1024 * 1024, `${written}`);
  t.true(written >= 1024 * 1024, `${written}`);
  t.true(socket.writableNeedDrain);
  t.false(socket.destroyed);
  let read = 0;
  element.sockets[0]?.on('data', (data: Buffer) => {
    read += data.length;
  });
  element.sockets[0]?.resume();
  await world.until(event(socket, 'drain'));
  await world.until(() => read === written);
  t.is(read, written);
});

test('async iteration gives one message at a time, and ends', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  for (const part of ['a', 'bc', 'def']) socket.send(part);
  socket.end();
  const got: string[] = [];
  const iterate = async (): Promise<void> => {
    for await (const chunk of socket) got.push(String(chunk));
  };
  await world.until(iterate());
  t.deepEqual(got, ['a', 'bc', 'def']);
});

test('pipeline and finished work as with any stream', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  const got = collect(socket);
  const done = finished(socket);
  await world.until(pipeline(Readable.from(['x', 'y', 'z']), socket));
  await world.until(done);
  t.is(got.text, 'xyz');
});

test('a pipeline fails with the error of the session', async (t) => {
  const world = new World();
  world.registrar();
  world.element((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  });
  const socket = world.client();
  const source = new Readable({ read() {} });
  source.push('hello');
  const error = await world.until(t.throwsAsync(pipeline(source, socket)));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_ABORTED');
});

test('read(n) gives so many bytes over the boundaries of messages', async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  const got: string[] = [];
  socket.on('readable', () => {
    for (;;) {
      const chunk: unknown = socket.read(4);
      if (chunk === null) break;
      got.push(String(chunk));
    }
  });
  for (const part of ['a', 'bc', 'def', 'ghijklmno', 'p']) socket.send(part);
  await world.run(1000);
  t.deepEqual(got, ['abcd', 'efgh', 'ijkl', 'mnop']);
  socket.end('rest.');
  await world.until(event(socket, 'close'));
  t.deepEqual(got.slice(4), ['rest', '.']);
});

test("setTimeout fires after so much time without activity, and again after the next one's", async (t) => {
  const world = await World.echo(1);
  const socket = world.client();
  socket.resume();
  await world.until(event(socket, 'connect'));
  const at: number[] = [];
  const start = world.now;
  socket.on('timeout', () => at.push(Math.round(world.now - start)));
  socket.setTimeout(1000);
  t.is(socket.timeout, 1000);
  await world.run(600);
  socket.write('x');
  await world.run(5000);
  t.deepEqual(at, [1600]);
  socket.write('x');
  await world.run(5000);
  t.is(at.length, 2);
  socket.setTimeout(0);
  socket.write('x');
  await world.run(5000);
  t.is(at.length, 2);
});

test('a timeout that was set before connect counts virtual time too', async (t) => {
  const world = await World.echo(1);
  const socket = world.client({ timeout: 700 });
  socket.resume();
  let fired = 0;
  socket.on('timeout', () => fired++);
  await world.until(event(socket, 'connect'));
  t.is(fired, 0);
  t.is(socket.timeout, 700);
  await world.run(1000);
  t.is(fired, 1);
});

test('resetAndDestroy ends at once, without waiting for acknowledgements', async (t) => {
  const world = new World();
  world.registrar();
  world.element((socket) => socket.on('error', () => {}).pause());
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  socket.end('unread');
  await world.run(100);
  socket.resetAndDestroy();
  await world.until(event(socket, 'close'), 1000);
  t.is(socket.retrieve().unacknowledged.length, 1);
});

test('a signal destroys the socket', async (t) => {
  const world = await World.echo(1);
  const abort = new AbortController();
  const socket = world.client({ signal: abort.signal });
  await world.until(event(socket, 'connect'));
  abort.abort();
  const [error] = await world.until(event(socket, 'error'));
  t.is((error as NodeJS.ErrnoException).code, 'ABORT_ERR');
});

test('a closed socket can connect again, as with net', async (t) => {
  const world = await World.echo(1);
  const scope = world.scope(world.spawn('user'));
  const socket = world.client({ scope });
  socket.resume();
  socket.end('first');
  await world.until(event(socket, 'close'));
  socket.connect({ poolHandle: 'echo', scope });
  const got = collect(socket);
  socket.write('sec');
  socket.end('ond');
  await world.until(event(socket, 'close'));
  t.is(got.text, 'second');
});
