import test from 'ava';
import type { Socket } from '../../lib/net/socket.js';
import type { FailoverFacts } from '../../lib/session/session.js';
import { collect, event, type TestElement, World } from './world.js';

const text = (messages: readonly { data: Uint8Array }[]): string[] =>
  messages.map(({ data }) => Buffer.from(data).toString());

/** Elements that keep what they get and answer nothing. */
async function silent(count: number): Promise<{ world: World; elements: TestElement[]; got: string[][] }> {
  const world = new World();
  world.registrar();
  const got: string[][] = [];
  const elements = Array.from({ length: count }, (_, i) => {
    const mine: string[] = [];
    got[i] = mine;
    return world.element(
      (socket) => {
        socket.on('error', () => {});
        socket.on('end', () => mine.push('END'));
      },
      { acknowledge: 'manual', onMessage: (message) => void mine.push(Buffer.from(message.data).toString()) },
    );
  });
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements, got };
}

const after = (elements: TestElement[], got: string[][], gone: TestElement): string[] =>
  got.find((_, i) => elements[i] !== gone) as string[];

for (const failure of ['kill', 'freeze'] as const) {
  test(`the stream goes on when the element that serves it dies: ${failure}`, async (t) => {
    const world = await World.echo(2);
    const socket = world.client();
    const got = collect(socket);
    let expected = '';
    const write = async (piece: string): Promise<void> => {
      socket.write(piece);
      expected += piece;
      await world.until(() => got.text.length === expected.length);
    };
    await write('before ');
    const first = world.serving(socket, world.elements);
    const failedOver = event(socket, 'failover') as Promise<[FailoverFacts]>;
    first.process[failure]();
    const at = world.now;
    await write('after ');
    const [facts] = await failedOver;
    t.true(world.now - at < 1500, `${world.now - at}`);
    t.is(facts.from.identifier, first.server.peIdentifier as number);
    t.not(facts.to.identifier, facts.from.identifier);
    t.is(facts.to.identifier, socket.element?.identifier as number);
    t.is(
      (facts.cause as NodeJS.ErrnoException).code,
      failure === 'kill' ? 'ERR_RSERPOOL_CONNECTION_BROKEN' : 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT',
    );
    t.is(facts.cookie, undefined);
    t.true(Object.isFrozen(facts));
    await write('end');
    socket.end();
    const [hadError] = await world.until(event(socket, 'close'));
    t.false(hadError);
    t.is(got.text, expected);
  });
}

test('an idle user notices a frozen element within 5 s', async (t) => {
  const world = await World.echo(2);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  await world.run(20_000);
  const at = world.now;
  world.serving(socket, world.elements).process.freeze();
  await world.until(event(socket, 'failover'));
  t.true(world.now - at <= 5000 + 200, `${world.now - at}`);
});

test('what was not acknowledged is sent again, in order, and before what is written since', async (t) => {
  const { world, elements, got } = await silent(2);
  const socket = world.client();
  socket.resume();
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  socket.write('1');
  socket.write('2');
  await world.run(100);
  first.process.kill();
  socket.write('3');
  const failedOver = event(socket, 'failover') as Promise<[FailoverFacts]>;
  const [facts] = await world.until(failedOver);
  socket.write('4');
  await world.run(100);
  t.deepEqual(text(facts.unacknowledged), ['1', '2', '3']);
  t.deepEqual(after(elements, got, first), ['1', '2', '3', '4']);
});

test('a half-close is replayed to the next element', async (t) => {
  const { world, elements, got } = await silent(2);
  const socket = world.client({ allowHalfOpen: true });
  socket.resume();
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  socket.end('only');
  await world.run(100);
  first.process.kill();
  await world.until(event(socket, 'failover'));
  await world.run(100);
  t.deepEqual(after(elements, got, first), ['only'], 'the end comes when the handlers are done');
  socket.destroy();
});

test('a half-close that was taken is replayed as well', async (t) => {
  const world = new World();
  world.registrar();
  let ends = 0;
  const elements = [0, 1].map(() =>
    world.element(
      (socket) => {
        socket.on('error', () => {});
        socket.resume();
        socket.on('end', () => ends++);
      },
      {},
      { allowHalfOpen: true },
    ),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  const socket = world.client({ allowHalfOpen: true });
  socket.resume();
  await world.until(event(socket, 'connect'));
  socket.end('x');
  await world.run(500);
  t.is(ends, 1);
  world.serving(socket, elements).process.kill();
  await world.until(event(socket, 'failover'));
  await world.run(500);
  t.is(ends, 2);
  world.serving(socket, elements).sockets.at(-1)?.end();
  const [hadError] = await world.until(event(socket, 'close'));
  t.false(hadError);
});

test('an element that had ended its side and then dies is replaced, and the session still ends in order', async (t) => {
  const world = new World();
  world.registrar();
  const elements = [0, 1].map(() =>
    world.element(
      (socket) => {
        socket.on('error', () => {});
        socket.end('served');
      },
      {},
      { allowHalfOpen: true },
    ),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  const socket = world.client({ allowHalfOpen: true });
  const got = collect(socket);
  await world.until(event(socket, 'end'));
  socket.write('kept');
  await world.run(100);
  const first = world.serving(socket, elements);
  first.process.kill();
  await world.until(event(socket, 'failover'));
  const second = world.serving(socket, elements);
  await world.until(() => second.sockets.length > 0);
  const received = collect(second.sockets[0] as Socket);
  socket.end();
  const [hadError] = await world.until(event(socket, 'close'));
  t.false(hadError);
  t.is(got.text, 'served');
  t.is(received.text, 'kept');
});

test('onFailover is asked before anything is sent again, and chooses', async (t) => {
  const { world, elements, got } = await silent(2);
  const asked: FailoverFacts[] = [];
  const socket = world.client({
    onFailover: (facts) => {
      asked.push(facts);
      return facts.unacknowledged.slice(1);
    },
  });
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  for (const part of ['a', 'b', 'c']) socket.send(part);
  await world.run(100);
  first.process.kill();
  await world.until(event(socket, 'failover'));
  await world.run(100);
  t.is(asked.length, 1);
  t.deepEqual(after(elements, got, first), ['b', 'c']);
  t.deepEqual(text(socket.retrieve().unacknowledged), ['b', 'c']);
});

test('onFailover is told who else could be gone to: neither the one that was left nor the new one', async (t) => {
  const { world, elements } = await silent(4);
  const asked: FailoverFacts[] = [];
  const socket = world.client({ onFailover: (facts) => void asked.push(facts) });
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  const dead = elements.find((element) => element !== first) as TestElement;
  dead.process.kill();
  first.process.kill();
  await world.until(event(socket, 'failover'));
  const [told] = asked as [FailoverFacts];
  const gone = [told.from, told.to].map(({ identifier }) => identifier);
  const candidates = told.candidates.map(({ identifier }) => identifier);
  t.is(told.from.identifier, first.server.peIdentifier as number);
  t.is(new Set([...gone, ...candidates]).size, gone.length + candidates.length);
  t.true(candidates.length >= 1 && candidates.length <= 2, `${candidates}`);
  for (const list of [told, told.candidates, told.unsent, told.unacknowledged]) t.true(Object.isFrozen(list));
});

test('what onFailover sends itself goes first; with [] nothing else is sent again', async (t) => {
  const { world, elements, got } = await silent(2);
  const socket: Socket = world.client({
    onFailover: ({ unacknowledged }) => {
      socket.send(`resume after ${unacknowledged.length}`);
      return [];
    },
  });
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  socket.write('a');
  socket.write('b');
  await world.run(100);
  first.process.kill();
  await world.until(event(socket, 'failover'));
  socket.write('c');
  await world.run(100);
  t.deepEqual(after(elements, got, first).slice(0, 1), ['resume after 2']);
  t.false(after(elements, got, first).includes('a'));
  t.is(after(elements, got, first).at(-1), 'c');
});

test('while an asynchronous onFailover decides, the stream waits and keeps its order', async (t) => {
  const { world, elements, got } = await silent(2);
  let decide: (() => void) | undefined;
  const socket: Socket = world.client({
    onFailover: () => {
      socket.send('hello');
      return new Promise<void>((resolve) => {
        decide = resolve;
      });
    },
  });
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  socket.write('1');
  socket.write('2');
  await world.run(100);
  first.process.kill();
  await world.until(() => decide !== undefined);
  socket.write('3');
  socket.write('4');
  socket.end('5');
  await world.run(500);
  t.deepEqual(after(elements, got, first), ['hello']);
  decide?.();
  await world.run(500);
  t.deepEqual(after(elements, got, first), ['hello', '1', '2', '3', '4', '5']);
});

test('an element that fails while onFailover decides is replaced, and nothing is lost', async (t) => {
  const { world, elements, got } = await silent(3);
  const decide: (() => void)[] = [];
  const asked: FailoverFacts[] = [];
  const socket: Socket = world.client({
    onFailover: (facts) => {
      asked.push(facts);
      return new Promise<void>((resolve) => decide.push(resolve));
    },
  });
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  socket.write('1');
  await world.run(100);
  first.process.kill();
  await world.until(() => decide.length === 1);
  socket.write('2');
  world.serving(socket, elements).process.kill();
  await world.until(() => decide.length === 2);
  t.is(asked[1]?.from.identifier, first.server.peIdentifier);
  decide[0]?.();
  await world.run(100);
  const last = world.serving(socket, elements);
  t.deepEqual(got[elements.indexOf(last)], []);
  decide[1]?.();
  await world.until(event(socket, 'failover'));
  await world.run(100);
  t.deepEqual(got[elements.indexOf(last)], ['1', '2']);
});

for (const [how, onFailover] of [
  [
    'throws',
    () => {
      throw new Error('no');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no'))],
  ['returns no list', () => 5 as never],
  ['promises no list', () => Promise.resolve('x' as never)],
] as const) {
  test(`an onFailover that ${how} ends the session, and everything can be retrieved`, async (t) => {
    const { world, elements } = await silent(2);
    const socket = world.client({ onFailover });
    await world.until(event(socket, 'connect'));
    socket.write('kept');
    await world.run(100);
    world.serving(socket, elements).process.kill();
    const [error] = await world.until(event(socket, 'error'));
    t.is((error as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_FAILOVER_REFUSED');
    t.true((error as Error).cause instanceof Error);
    const { unacknowledged, unsent } = socket.retrieve();
    t.deepEqual(text([...unacknowledged, ...unsent]), ['kept']);
  });
}

test("what a 'failover' listener throws is not taken for a refusal", async (t) => {
  const { world, elements } = await silent(2);
  const process = world.spawn('user');
  const failures: unknown[] = [];
  process.onFailure = (error) => failures.push(error);
  const socket = world.client({ scope: world.scope(process), onFailover: () => [] });
  socket.on('failover', () => {
    throw new Error('mine');
  });
  await world.until(event(socket, 'connect'));
  world.serving(socket, elements).process.kill();
  await world.until(() => failures.length > 0);
  t.is((failures[0] as Error).message, 'mine');
  t.false(socket.destroyed);
});

test('failOver() moves the session on request, without a report and without loss', async (t) => {
  const world = await World.echo(2);
  const socket = world.client();
  const got = collect(socket);
  socket.write('one ');
  await world.until(() => got.text === 'one ');
  const first = world.serving(socket, world.elements);
  socket.failOver();
  const [facts] = (await world.until(event(socket, 'failover'))) as [FailoverFacts];
  t.is(facts.from.identifier, first.server.peIdentifier as number);
  socket.end('two');
  await world.until(event(socket, 'close'));
  t.is(got.text, 'one two');
});

test('a cookie reaches the user, and the next element before its connection event', async (t) => {
  const world = new World();
  world.registrar();
  const cookies: (string | undefined)[] = [];
  const elements = [0, 1].map((i) =>
    world.element((socket) => {
      socket.on('error', () => {});
      cookies.push(socket.cookie === undefined ? undefined : Buffer.from(socket.cookie).toString());
      socket.setCookie(Buffer.from(`state ${i}`));
      socket.pipe(socket);
    }),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  const socket = world.client();
  const got = collect(socket);
  const [cookie] = (await world.until(event(socket, 'cookie'))) as [Uint8Array];
  const first = elements.indexOf(world.serving(socket, elements));
  t.is(Buffer.from(cookie).toString(), `state ${first}`);
  t.deepEqual(socket.cookie, cookie);
  elements[first]?.process.kill();
  socket.write('x');
  const [facts] = (await world.until(event(socket, 'failover'))) as [FailoverFacts];
  await world.until(() => got.text === 'x');
  t.deepEqual(cookies, [undefined, `state ${first}`]);
  t.is(Buffer.from(facts.cookie ?? []).toString(), `state ${first}`);
});

test('a message sent with failover: false is given up instead of sent again, and its callback says so', async (t) => {
  const { world, elements, got } = await silent(2);
  const socket = world.client();
  await world.until(event(socket, 'connect'));
  const first = world.serving(socket, elements);
  socket.send('again');
  const given: unknown[] = [];
  socket.send('once', { failover: false }, (error) => given.push((error as NodeJS.ErrnoException | null)?.code));
  await world.run(100);
  first.process.kill();
  await world.until(event(socket, 'failover'));
  await world.run(100);
  t.deepEqual(after(elements, got, first), ['again']);
  t.deepEqual(given, ['ERR_RSERPOOL_ELEMENT_FAILED']);
});

test('all elements dead: an AggregateError with a code and what each said', async (t) => {
  const { world, elements } = await silent(2);
  const socket = world.client({ failoverTimeout: 5000 });
  await world.until(event(socket, 'connect'));
  socket.write('kept');
  await world.run(100);
  for (const { process } of elements) process.kill();
  const at = world.now;
  const [error] = (await world.until(event(socket, 'error'))) as [AggregateError & { code: string }];
  t.true(error instanceof AggregateError);
  t.is(error.code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.true(error.errors.some((one: NodeJS.ErrnoException) => one.code === 'ERR_RSERPOOL_CONNECTION_BROKEN'));
  t.true(error.errors.length >= 2);
  t.true(world.now - at <= 5100);
  t.deepEqual(text(socket.retrieve().unacknowledged), ['kept']);
  t.true(socket.destroyed);
});

test('a pool that never takes the session is given up after maxFailovers', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element((socket) => socket.on('error', () => {}), {
    onMessage: () => {
      throw new Error('poison');
    },
  });
  await world.until(() => element.server.registered);
  const socket = world.client({ maxFailovers: 3 });
  socket.send('poison');
  const [error] = (await world.until(event(socket, 'error'))) as [AggregateError & { code: string }];
  t.is(error.code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.true(error instanceof AggregateError);
  t.is(element.sockets.length, 4);
  t.deepEqual(text(socket.retrieve().unacknowledged), ['poison']);
});

test('send goes behind what was written before it, connected or not', async (t) => {
  const { world, got } = await silent(1);
  const socket = world.client();
  socket.write('1');
  socket.write('2');
  socket.send('3');
  socket.write('4');
  await world.until(() => got[0]?.length === 4);
  t.deepEqual(got[0], ['1', '2', '3', '4']);
});
