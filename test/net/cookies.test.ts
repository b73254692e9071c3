import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import type { RserpoolError } from '../../lib/errors.js';
import type { CookieOptions } from '../../lib/net/cookies.js';
import type { Socket } from '../../lib/net/socket.js';
import type { Cookie } from '../../lib/session/cookie.js';
import type { FailoverFacts } from '../../lib/session/session.js';
import { collect, event, type TestElement, World } from './world.js';

const secret = 'a secret of the pool';
const another = 'quite another secret';

interface Scene {
  readonly world: World;
  readonly elements: TestElement[];
  /** What each session brought, in the order of the connections. */
  readonly brought: (Cookie | undefined)[];
  /** 'cookieRefused' events: the element, the error, where from. */
  readonly refused: { element: TestElement; error: RserpoolError; from: { remoteAddress: string } }[];
}

/** Echoing elements, each of which gives its users the cookie `state of N`. */
async function scene(...options: CookieOptions[]): Promise<Scene> {
  const world = new World();
  world.registrar();
  const brought: (Cookie | undefined)[] = [];
  const refused: Scene['refused'] = [];
  const elements = options.map((cookies, i) => {
    const element = world.element((socket) => {
      brought.push(socket.cookie);
      socket.setCookie(Buffer.from(`state of ${i}`));
      socket.pipe(socket);
    }, cookies);
    element.server.on('cookieRefused', (error: RserpoolError, from: { remoteAddress: string }) =>
      refused.push({ element, error, from }),
    );
    return element;
  });
  await world.until(() => elements.every(({ server }) => server.registered));
  return { world, elements, brought, refused };
}

/** A user that has a cookie, and the element that it is with. */
async function served(
  { world, elements }: Scene,
  options: Parameters<World['client']>[0] = {},
): Promise<{ socket: Socket; first: TestElement; cookie: Cookie }> {
  const socket = world.client(options);
  const [cookie] = (await world.until(event(socket, 'cookie'))) as [Cookie];
  return { socket, first: world.serving(socket, elements), cookie };
}

for (const cookieProtection of ['signed', 'encrypted'] as const) {
  test(`a ${cookieProtection} cookie is verified at the next element, and the user cannot tell`, async (t) => {
    const cookies = { cookieSecret: secret, cookieProtection };
    const one = await scene(cookies, cookies);
    const { socket, first, cookie } = await served(one);
    t.is(cookie.includes('state of'), cookieProtection === 'signed');
    t.false(cookie.verified);
    first.process.kill();
    await one.world.until(event(socket, 'failover'));
    await one.world.until(() => one.brought.length === 2);
    const last = one.brought[1] as Cookie;
    t.is(last.toString(), `state of ${one.elements.indexOf(first)}`);
    t.true(last.verified);
    t.deepEqual(one.refused, []);
  });
}

test('without a secret a cookie is plain bytes, and not verified', async (t) => {
  const one = await scene({}, {});
  const { socket, first, cookie } = await served(one);
  t.true(Buffer.isBuffer(cookie));
  first.process.kill();
  await one.world.until(event(socket, 'failover'));
  await one.world.until(() => one.brought.length === 2);
  t.deepEqual([one.brought[1]?.toString(), one.brought[1]?.verified], [cookie.toString(), false]);
});

test('what the application does to a cookie that it was given does not change what is echoed', async (t) => {
  const one = await scene({ cookieSecret: secret }, { cookieSecret: secret });
  const { socket, first, cookie } = await served(one);
  cookie.fill(0);
  socket.cookie?.fill(0);
  first.process.kill();
  await one.world.until(event(socket, 'failover'));
  await one.world.until(() => one.brought.length === 2);
  t.true(one.brought[1]?.verified);
});

test('an element that cannot verify a cookie refuses the session, reports it, and the user goes on at one that can', async (t) => {
  const heard: { poolHandle: string; reason: string }[] = [];
  const listen = (facts: unknown): void => void heard.push(facts as (typeof heard)[number]);
  subscribe('rserpool:net:cookie-refused', listen);
  t.teardown(() => unsubscribe('rserpool:net:cookie-refused', listen));
  const good = { cookieSecret: secret };
  const one = await scene(good, { cookieSecret: another }, good);
  const stranger = one.elements[1] as TestElement;
  const { world } = one;
  // Some users begin at the stranger: theirs are not what this test is about.
  const users = await Promise.all([0, 1, 2, 3].map(() => served(one)));
  const ours = users.filter(({ first }) => first !== stranger);
  t.true(ours.length >= 2);
  const before = one.brought.length;
  const answers = ours.map(({ socket }) => collect(socket));
  for (const { socket } of ours) {
    socket.failOver();
    socket.write('still there');
  }
  await world.until(() => answers.every(({ text }) => text === 'still there'));
  t.true(one.brought.slice(before).every((cookie) => cookie?.verified));
  t.true(one.refused.length > 0, 'at least one of them tried the stranger');
  for (const { element, error, from } of one.refused) {
    t.is(element, stranger);
    t.is(error.code, 'ERR_RSERPOOL_COOKIE_REFUSED');
    t.is(error.poolHandle, 'echo');
    t.regex(from.remoteAddress, /^10\./);
  }
  t.true(heard.some(({ poolHandle, reason }) => poolHandle === 'echo' && reason.includes('secret')));
});

test('a cookie that no element accepts ends the session with the reason, and everything can be retrieved', async (t) => {
  const one = await scene({}, { cookieSecret: secret, cookieProtection: 'encrypted' });
  const { world, elements } = one;
  const users = await Promise.all([0, 1].map(() => served(one, { failoverTimeout: 5000 })));
  // Plain bytes of an element without a secret.
  const { socket, first } = users.find((user) => user.first === elements[0]) as (typeof users)[number];
  first.process.kill();
  socket.write('kept');
  const [error] = (await world.until(event(socket, 'error'))) as [AggregateError & { code: string }];
  t.is(error.code, 'ERR_RSERPOOL_FAILOVER_EXHAUSTED');
  t.true(
    error.errors.some(({ code }: RserpoolError) => code === 'ERR_RSERPOOL_COOKIE_REFUSED'),
    `${error.errors}`,
  );
  const { unsent, unacknowledged } = socket.retrieve();
  t.is([...unsent, ...unacknowledged].map(({ data }) => Buffer.from(data).toString()).join(), 'kept');
  t.true(one.refused.length > 0);
});

test('secrets rotate without losing a session: added last, moved to the front, the old one dropped', async (t) => {
  const stages: CookieOptions[] = [
    { cookieSecret: [secret] },
    { cookieSecret: [secret, another] },
    { cookieSecret: [another, secret] },
    { cookieSecret: Buffer.from(another) },
  ];
  const one = await scene(stages[0] as CookieOptions);
  const { world } = one;
  const { socket } = await served(one);
  for (const [i, cookies] of stages.slice(1).entries()) {
    const next = await addElement(world, cookies, one);
    const cookie = event(socket, 'cookie');
    one.elements[i]?.process.kill();
    await world.until(cookie);
    t.is(world.serving(socket, one.elements), next);
    t.true(one.brought.at(-1)?.verified);
  }
  t.deepEqual(one.refused, []);
});

/** One more element in the scene. */
async function addElement(world: World, cookies: CookieOptions, one: Scene): Promise<TestElement> {
  const element = world.element((socket) => {
    one.brought.push(socket.cookie);
    socket.setCookie(Buffer.from('state'));
    socket.pipe(socket);
  }, cookies);
  element.server.on('cookieRefused', (error: RserpoolError, from: { remoteAddress: string }) =>
    one.refused.push({ element, error, from }),
  );
  one.elements.push(element);
  await world.until(() => element.server.registered);
  return element;
}

test('of many cookies the last one is echoed', async (t) => {
  const world = new World();
  world.registrar();
  const brought: string[] = [];
  const elements = [0, 1].map(() =>
    world.element(
      (socket) => {
        brought.push(socket.cookie?.toString() ?? '');
        for (let i = 0; i <= 1000; i++) socket.setCookie(Buffer.from(`state ${i}`));
      },
      { cookieSecret: secret },
    ),
  );
  await world.until(() => elements.every(({ server }) => server.registered));
  const socket = world.client();
  let cookies = 0;
  socket.on('cookie', () => cookies++);
  await world.until(() => cookies > 0);
  await world.run(100);
  t.is(cookies, 1);
  world.serving(socket, elements).process.kill();
  const [facts] = (await world.until(event(socket, 'failover'))) as [FailoverFacts];
  t.true(facts.cookie?.includes('state 1000'));
  await world.until(() => brought.length === 2);
  t.deepEqual(brought, ['', 'state 1000']);
});

test('what is no cookie, and no secret, is refused at the caller, and no secret is in the message', async (t) => {
  const one = await scene({ cookieSecret: secret });
  const { first } = await served(one);
  const [side] = first.sockets as [Socket];
  t.throws(() => side.setCookie('text' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => side.setCookie(Buffer.alloc(65_481)), { code: 'ERR_OUT_OF_RANGE' });
  side.setCookie(Buffer.alloc(65_480));
  await one.world.until(event(one.world.clients[0] as Socket, 'cookie'));
  const { Server } = await import('../../lib/net/server.js');
  for (const [options, code] of [
    [{ cookieSecret: 'too short' }, 'ERR_OUT_OF_RANGE'],
    [{ cookieSecret: [] }, 'ERR_INVALID_ARG_VALUE'],
    [{ cookieSecret: [secret, 5] }, 'ERR_INVALID_ARG_TYPE'],
    [{ cookieSecret: 1234567890123456 }, 'ERR_INVALID_ARG_TYPE'],
    [{ cookieSecret: secret, cookieProtection: 'hashed' }, 'ERR_INVALID_ARG_VALUE'],
    [{ cookieProtection: 'signed' }, 'ERR_INVALID_ARG_VALUE'],
  ] as const) {
    const error = t.throws(
      () => new Server().listen({ poolHandle: 'echo', scope: first.scope, ...(options as CookieOptions) }),
      { code },
    );
    t.false(error?.message.includes('too short') || error?.message.includes('1234567890123456'));
  }
});
