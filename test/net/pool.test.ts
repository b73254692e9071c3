import test from 'ava';
import type { RserpoolError } from '../../lib/errors.js';
import type { ElementInfo } from '../../lib/net/options.js';
import { Pool, pool } from '../../lib/net/pool.js';
import type { PoolOptions, PoolSendOptions } from '../../lib/net/pool-options.js';
import type { Message } from '../../lib/session/message.js';
import { type TestElement, World } from './world.js';

const textOf = ({ data }: { data: Uint8Array }): string => Buffer.from(data).toString();

/** What an element has got: the text, and whether it was marked as redelivered. */
interface Got {
  readonly element: number;
  readonly text: string;
  readonly redelivered: boolean;
}

interface Scene {
  readonly world: World;
  readonly elements: TestElement[];
  readonly got: Got[];
  readonly pool: Pool;
}

/** Elements 1, 2, ... that answer as `answer` says (default: at once, with their number), and a pool of a user. */
async function scene(
  count: number,
  options: PoolOptions = {},
  answer: (message: Message, element: number, world: World) => void = (message, element) =>
    void message.reply(`${element}`),
): Promise<Scene> {
  const world = new World();
  world.registrar();
  const got: Got[] = [];
  const elements = Array.from({ length: count }, (_, i) =>
    world.element(() => {}, {
      peIdentifier: i + 1,
      onMessage: (message) => {
        got.push({ element: i + 1, text: textOf(message), redelivered: message.redelivered });
        answer(message, i + 1, world);
      },
    }),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements, got, pool: pool('echo', { scope: world.scope(world.spawn('user')), ...options }) };
}

async function failure(world: World, promise: Promise<unknown>): Promise<RserpoolError> {
  try {
    await world.until(promise);
  } catch (error) {
    return error as RserpoolError;
  }
  throw new Error('it did not fail');
}

const identifiers = (infos: readonly { identifier: number }[]): number[] =>
  infos.map(({ identifier }) => identifier).sort((a, b) => a - b);

test('messages go to the elements in the policy’s turn, and the sender learns who took each', async (t) => {
  const { world, pool: one, got } = await scene(3);
  const takers = await world.until(Promise.all(Array.from({ length: 9 }, (_, i) => one.send(`${i}`))));
  t.deepEqual(identifiers(takers), [1, 1, 1, 2, 2, 2, 3, 3, 3]);
  t.deepEqual(
    got.map(({ text, element }) => `${text} at ${element}`).sort(),
    takers.map(({ identifier }, i) => `${i} at ${identifier}`).sort(),
  );
  t.regex(takers[0]?.address ?? '', /^10\./);
});

test("'last' goes where the one before went, in the order of the calls", async (t) => {
  const { world, pool: one } = await scene(3);
  const takers = await world.until(
    Promise.all([
      one.send('a', { to: 'last' }),
      one.send('b', { to: 'last' }),
      one.send('c'),
      one.send('d', { to: 'last' }),
    ]),
  );
  const [a, b, c, d] = takers.map(({ identifier }) => identifier);
  t.is(a, b);
  t.not(b, c);
  t.is(c, d);
});

test("'all' goes to every element, those of the sender's own scope only with `self`", async (t) => {
  const { world, got, elements } = await scene(3);
  const [first] = elements as [TestElement];
  const mine = new Pool('echo', { scope: first.scope });
  t.deepEqual(identifiers(await world.until(mine.send('others', { to: 'all' }))), [2, 3]);
  t.deepEqual(identifiers(await world.until(mine.send('everybody', { to: 'all', self: true }))), [1, 2, 3]);
  t.is(got.length, 5);
  const alone = await scene(1);
  const [only] = alone.elements as [TestElement];
  const own = new Pool('echo', { scope: only.scope });
  t.deepEqual(await alone.world.until(own.send('nobody', { to: 'all' })), []);
});

test("with 'all' an element that fails is named, with its copy, and the others have theirs", async (t) => {
  const { world, pool: one, got, elements } = await scene(3);
  await world.until(one.populate());
  elements[1]?.process.kill();
  const error = (await failure(world, one.send('x', { to: 'all' }))) as unknown as AggregateError & { code: string };
  t.is(error.code, 'ERR_RSERPOOL_UNDELIVERED');
  const errors = error.errors as RserpoolError[];
  t.deepEqual(
    errors.map(({ element, undelivered }) => [element, undelivered && textOf(undelivered)]),
    [[2, 'x']],
  );
  t.deepEqual(got.map(({ element }) => element).sort(), [1, 3]);
});

test('a message goes to the element that is named, by identifier or address, and is handed back when that fails', async (t) => {
  const { world, pool: one, elements, got } = await scene(3, { connectTimeout: 5000 });
  const address = { host: elements[2]?.process.address as string, port: 7 };
  for (let i = 0; i < 3; i++) {
    t.is((await world.until(one.send('a', { element: 2 }))).identifier, 2);
    t.is((await world.until(one.send('b', { address }))).identifier, 3);
  }
  const unknown = await failure(world, one.send('c', { element: 99 }));
  t.is((unknown.cause as RserpoolError).code, 'ERR_RSERPOOL_UNKNOWN_ELEMENT');
  const nowhere = await failure(world, one.send('c', { address: { ...address, port: 8 } }));
  t.is((nowhere.cause as RserpoolError).code, 'ERR_RSERPOOL_UNKNOWN_ELEMENT');
  elements[1]?.process.kill();
  const at = world.now;
  const error = await failure(world, one.send('d', { element: 2 }));
  t.is(error.code, 'ERR_RSERPOOL_UNDELIVERED');
  t.is(error.element, 2);
  t.is(error.undelivered && textOf(error.undelivered), 'd');
  t.true(world.now - at < 2000, `${world.now - at} ms`);
  t.false(got.some(({ text }) => text === 'c' || text === 'd'));
  // With failover it is only where to begin.
  const begun = one.send('e', { element: 3, failover: true });
  elements[2]?.process.kill();
  t.is((await world.until(begun)).identifier, 1);
});

test('with failover a message is taken by another element, marked; without, it is handed back as what it is', async (t) => {
  for (const failover of [true, false]) {
    let first: number | undefined;
    const {
      world,
      pool: one,
      elements,
      got,
    } = await scene(2, {}, (message, element) => {
      first ??= element;
      if (element !== first) message.reply('done');
    });
    const asked = one.request('work', { failover });
    await world.until(() => got.length === 1);
    await world.run(50);
    elements[(first as unknown as number) - 1]?.process.kill();
    if (failover) {
      t.is(textOf(await world.until(asked)), 'done');
      t.deepEqual(
        got.map(({ redelivered }) => redelivered),
        [false, true],
      );
    } else {
      const error = await failure(world, asked);
      t.is(error.code, 'ERR_RSERPOOL_UNDELIVERED');
      t.deepEqual([error.undelivered && textOf(error.undelivered), error.undelivered?.unacknowledged], ['work', true]);
      t.is(got.length, 1);
    }
  }
});

test('requests are answered by the policy’s elements, each its own, over failovers and hand-overs', async (t) => {
  const {
    world,
    pool: one,
    elements,
    got,
  } = await scene(4, {}, (message, _, { network }) => {
    network.time.schedule(20, () => message.reply(`${textOf(message)}!`));
  });
  const answers: Promise<Message>[] = [];
  for (let i = 0; i < 200; i++) {
    answers.push(one.request(`${i}`));
    if (i === 60) void elements[0]?.server.handOver();
    if (i === 120) elements[1]?.process.kill();
    await world.run(5);
  }
  const texts = (await world.until(Promise.all(answers))).map(textOf);
  t.deepEqual(
    texts,
    texts.map((_, i) => `${i}!`),
  );
  const unmarked = got.filter(({ redelivered }) => !redelivered).map(({ text }) => text);
  t.is(new Set(unmarked).size, unmarked.length, 'executed again only where marked');
});

test('a request is given up after its time, or for its signal, chosen or not', async (t) => {
  const { world, pool: one, got } = await scene(1, {}, () => {});
  const slow = await failure(world, one.request('a', { timeout: 100 }));
  t.is(slow.code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const aborted = one.request('b', { signal: controller.signal });
  await world.until(() => got.length === 2);
  controller.abort(reason);
  t.is((await failure(world, aborted)) as Error, reason);
  t.is((await failure(world, one.request('c', { signal: controller.signal }))) as Error, reason);
  const nobody = new Pool('no such pool', { scope: world.scope(world.spawn('user')) });
  const at = world.now;
  const waiting = await failure(world, nobody.request('d', { timeout: 500 }));
  t.is(waiting.code, 'ERR_RSERPOOL_REQUEST_TIMEOUT');
  t.is(Math.round(world.now - at), 500);
  await world.run(1000);
  t.is(got.length, 2);
});

test('a pool that does not exist is waited for, and then handed back', async (t) => {
  const world = new World();
  world.registrar();
  const one = pool('echo', { scope: world.scope(world.spawn('user')), connectTimeout: 3000 });
  const error = await failure(world, one.send('lost'));
  t.is(error.code, 'ERR_RSERPOOL_UNDELIVERED');
  t.is((error.cause as RserpoolError).code, 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
  t.deepEqual([error.undelivered && textOf(error.undelivered), error.undelivered?.unacknowledged], ['lost', false]);
  const sent = one.send('kept');
  await world.run(500);
  world.element((socket) => void socket.resume());
  t.truthy((await world.until(sent)).identifier);
});

test('what elements send by themselves comes with its sender', async (t) => {
  const world = new World();
  world.registrar();
  const elements = [1, 2].map((peIdentifier) =>
    world.element((socket) => void socket.send(`hello from ${peIdentifier}`), { peIdentifier, onMessage: () => {} }),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  const heard: [string, number][] = [];
  const scope = world.scope(world.spawn('user'));
  const onMessage = (message: Message, from: ElementInfo): void => void heard.push([textOf(message), from.identifier]);
  const one = pool('echo', { scope, onMessage });
  await world.until(one.send('x', { to: 'all' }));
  await world.until(() => heard.length === 2);
  t.deepEqual(
    heard.sort(([, a], [, b]) => a - b),
    [
      ['hello from 1', 1],
      ['hello from 2', 2],
    ],
  );
  t.true(elements.every(({ sockets }) => sockets[0]?.retrieve().unacknowledged.length === 0));
});

test('elements, populate and purge', async (t) => {
  const { world, pool: one } = await scene(2);
  t.deepEqual(identifiers(await world.until(one.elements())), [1, 2]);
  const third = world.element(undefined, { peIdentifier: 3 });
  await world.until(() => third.server.registered);
  t.deepEqual(identifiers(await world.until(one.elements())), [1, 2]);
  t.deepEqual(identifiers(await world.until(one.populate())), [1, 2, 3]);
  const fourth = world.element(undefined, { peIdentifier: 4 });
  await world.until(() => fourth.server.registered);
  one.purge();
  t.deepEqual(identifiers(await world.until(one.elements())), [1, 2, 3, 4]);
});

test('close waits for what is under way, ends the sessions, and takes nothing more', async (t) => {
  const {
    world,
    pool: one,
    elements,
  } = await scene(2, {}, (message, _, { network }) => {
    network.time.schedule(500, () => message.reply('late'));
  });
  const closes: boolean[] = [];
  const answers = [one.request('a'), one.request('b')];
  await world.until(() => elements.every(({ sockets }) => sockets.length === 1));
  for (const { sockets } of elements) sockets[0]?.on('close', (hadError) => closes.push(hadError));
  const closed = one.close();
  t.is((await failure(world, one.send('c'))).code, 'ERR_RSERPOOL_SESSION_CLOSED');
  t.deepEqual((await world.until(Promise.all(answers))).map(textOf), ['late', 'late']);
  await world.until(closed);
  await world.until(() => closes.length === 2);
  t.deepEqual(closes, [false, false]);
  await world.until(one.close());
});

test('after failovers the sessions that are left over end', async (t) => {
  const { world, pool: one, elements } = await scene(3);
  await world.until(one.send('x', { to: 'all' }));
  await world.until(Promise.all([one.send('1'), one.send('2'), one.send('3')]));
  elements[0]?.process.kill();
  elements[1]?.process.kill();
  await world.run(10_000);
  const open = elements[2]?.sockets.filter(({ destroyed }) => !destroyed).length;
  t.true((open ?? 0) <= 2, `${open}: one that may move and one that stays`);
  t.is((await world.until(one.send('still'))).identifier, 3);
});

test('what is no message, no destination and no option is refused', async (t) => {
  const { pool: one, world } = await scene(1);
  const scope = world.scope(world.spawn('user'));
  for (const [options, code] of [
    [{ to: 'some' }, 'ERR_INVALID_ARG_VALUE'],
    [{ to: 'one', element: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ to: 'all', failover: true }, 'ERR_INVALID_ARG_VALUE'],
    [{ self: true }, 'ERR_INVALID_ARG_VALUE'],
    [{ element: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ address: 'host:1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ address: { host: '10.0.0.1', port: 0 } }, 'ERR_SOCKET_BAD_PORT'],
  ] as const) {
    await t.throwsAsync(one.send('x', options as PoolSendOptions), { code }, JSON.stringify(options));
  }
  await t.throwsAsync(one.send(5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  await t.throwsAsync(one.request('x', { to: 'all' } as never), { code: 'ERR_INVALID_ARG_VALUE' });
  await t.throwsAsync(one.request('x', { timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => pool('', { scope }), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(() => pool('x', { scope, onMessage: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  const short = pool('echo', { scope, longestMessage: 1024 });
  await t.throwsAsync(short.send(Buffer.alloc(1025)), { code: 'ERR_RSERPOOL_MESSAGE_TOO_LARGE' });
});
