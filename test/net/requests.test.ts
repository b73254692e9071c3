import test from 'ava';
import type { Message } from '../../lib/session/message.js';
import { type TestElement, World } from './world.js';

const text = (message: Message): string => Buffer.from(message.data).toString();

/** Elements that answer with what `answer` does. */
async function answering(
  count: number,
  answer: (message: Message, element: number, world: World) => void,
): Promise<{ world: World; elements: TestElement[] }> {
  const world = new World();
  world.registrar();
  const elements = Array.from({ length: count }, (_, i) =>
    world.element((socket) => void socket.on('error', () => {}), { onMessage: (message) => answer(message, i, world) }),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements };
}

/** Runs the world until the promise has settled. */
async function settled<Value>(world: World, promise: Promise<Value>): Promise<PromiseSettledResult<Value>> {
  let result: PromiseSettledResult<Value> | undefined;
  void Promise.allSettled([promise]).then(([one]) => {
    result = one;
  });
  await world.until(() => result !== undefined);
  return result as unknown as PromiseSettledResult<Value>;
}

async function value<Value>(world: World, promise: Promise<Value>): Promise<Value> {
  const result = await settled(world, promise);
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

async function failure(world: World, promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  const result = await settled(world, promise);
  if (result.status === 'fulfilled') throw new Error('it was answered');
  return result.reason as NodeJS.ErrnoException;
}

test('a request resolves with its own answer, whatever the order of the answers', async (t) => {
  const { world } = await answering(1, (message, _, { network }) => {
    const later = (delay: number, run: () => void): void => void network.time.schedule(delay, run);
    const [wait, word] = text(message).split(' ');
    later(Number(wait), () => message.reply(Buffer.from(`${word}!`)));
  });
  const socket = world.client();
  const answers = await value(world, Promise.all(['3 a', '1 b', '2 c'].map((one) => socket.request(one))));
  t.deepEqual(answers.map(text), ['a!', 'b!', 'c!']);
  t.deepEqual(socket.retrieve(), { unsent: [], unacknowledged: [] });
});

test('an answer of several messages comes as its last, with the others before it', async (t) => {
  const { world } = await answering(1, (message) => {
    message.reply(Buffer.from('one'), { last: false });
    message.reply(Buffer.from('two'), { last: false });
    message.reply(Buffer.from('three'));
  });
  const answer = await value(world, world.client().request('count'));
  t.is(text(answer), 'three');
  t.deepEqual(answer.earlier.map(text), ['one', 'two']);
});

test('a request whose element took it and died before it answered is answered by another, marked there', async (t) => {
  const marks: [number, boolean][] = [];
  const { world, elements } = await answering(2, (message, element) => {
    marks.push([element, message.redelivered]);
    // The first that gets it answers in part and never ends; its handler returns, so the request counts as taken.
    if (marks.length === 1) message.reply(Buffer.from('part'), { last: false });
    else message.reply(Buffer.from('whole'));
  });
  const socket = world.client();
  const answer = socket.request('work');
  await world.until(() => marks.length === 1);
  await world.run(50);
  elements[marks[0]?.[0] as number]?.process.kill();
  const message = await value(world, answer);
  t.is(text(message), 'whole');
  t.deepEqual(message.earlier, []);
  t.deepEqual(
    marks.map(([, redelivered]) => redelivered),
    [false, true],
  );
});

test('a request that is not answered in time is given up: not sent again, and a late answer is nobody’s', async (t) => {
  const got: Message[] = [];
  const { world } = await answering(1, (message) => void got.push(message));
  const socket = world.client();
  const unexpected: Message[] = [];
  socket.on('message', (message) => unexpected.push(message));
  const error = await failure(world, socket.request('work', { timeout: 300 }));
  t.is(error.code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  got[0]?.reply(Buffer.from('late'));
  await world.run(200);
  t.deepEqual(unexpected, []);
  t.deepEqual(socket.retrieve(), { unsent: [], unacknowledged: [] });
});

test('a request is given up with its signal’s reason, and with the session’s error', async (t) => {
  const { world } = await answering(1, () => {});
  const socket = world.client();
  const controller = new AbortController();
  const aborted = socket.request('work', { signal: controller.signal });
  const other = socket.request('other');
  const reason = new Error('no longer wanted');
  controller.abort(reason);
  t.is(await failure(world, aborted), reason);
  socket.destroy();
  t.is((await failure(world, other)).code, 'ERR_RSERPOOL_SESSION_CLOSED');
  t.is(await failure(world, world.client().request('work', { signal: controller.signal })), reason);
});

test('a frozen element is noticed while a request that it has taken waits for its answer', async (t) => {
  let first: number | undefined;
  const { world, elements } = await answering(2, (message, element) => {
    first ??= element;
    if (element !== first) message.reply(Buffer.from('done'));
  });
  const socket = world.client();
  const answer = socket.request('work');
  await world.until(() => first !== undefined);
  await world.run(5000);
  const at = world.now;
  elements[first as number]?.process.freeze();
  t.is(text(await value(world, answer)), 'done');
  t.true(world.now - at < 1500, `${world.now - at} ms`);
});

test('a message that the element would not take is refused where it is sent', async (t) => {
  const world = new World();
  world.registrar();
  const element = world.element(() => {}, { longestMessage: 2048, onMessage: () => {} });
  await world.until(() => element.server.registered);
  const early = world.client();
  const errors: NodeJS.ErrnoException[] = [];
  early.on('error', (error) => errors.push(error));
  early.send(Buffer.alloc(4096));
  await world.until(() => errors.length > 0);
  t.is(errors[0]?.code, 'ERR_RSERPOOL_MESSAGE_TOO_LARGE');
  t.is(early.retrieve().unsent.length, 1);
  const late = world.client();
  await world.until(() => !late.connecting);
  t.throws(() => late.send(Buffer.alloc(4096)), { code: 'ERR_RSERPOOL_MESSAGE_TOO_LARGE' });
  t.is((await failure(world, late.request(Buffer.alloc(4096)))).code, 'ERR_RSERPOOL_MESSAGE_TOO_LARGE');
  t.true(late.send(Buffer.alloc(2048)));
});

test('handing over: users finish what they have, go elsewhere, and nothing is repeated', async (t) => {
  const executed: string[] = [];
  const marks: boolean[] = [];
  const { world, elements } = await answering(2, (message, element) => {
    marks.push(message.redelivered);
    executed.push(`${element} ${text(message)}`);
    elements[element]?.process.clock.setTimeout(() => message.reply(Buffer.from('done')), 100);
  });
  const socket = world.client();
  await world.until(() => !socket.connecting);
  const first = world.serving(socket, elements);
  const causes: (string | undefined)[] = [];
  socket.on('failover', (facts) => causes.push((facts.cause as NodeJS.ErrnoException).code));
  const before = socket.request('before');
  await world.run(20);
  const closed: boolean[] = [];
  first.sockets[0]?.on('close', (hadError) => closed.push(hadError));
  const handedOver = first.server.handOver();
  const during = socket.request('during');
  t.is(text(await value(world, before)), 'done');
  t.is(text(await value(world, during)), 'done');
  await value(world, handedOver);
  await world.until(() => causes.length > 0);
  const one = elements.indexOf(first);
  t.true(executed.includes(`${one} before`));
  t.is(executed.filter((line) => line.endsWith('before')).length, 1);
  t.is(executed.filter((line) => line.endsWith('during')).length, 1);
  t.deepEqual(marks, [false, false]);
  t.deepEqual(causes, ['ERR_RSERPOOL_HANDED_OVER']);
  t.deepEqual(closed, [false]);
  t.is(elements.indexOf(world.serving(socket, elements)), 1 - one);
});
