import test from 'ava';
import { abortCode, type MappingConnection, type PeerHello } from '../../lib/mapping/mapping.js';
import { seededRandom } from '../../lib/random.js';
import type { Cookie } from '../../lib/session/cookie.js';
import { CookieSeal } from '../../lib/session/cookie-seal.js';
import { ElementSession } from '../../lib/session/element-session.js';
import type { SessionHandler } from '../../lib/session/session.js';
import { decodeAsap, encodeAsap } from '../../lib/wire/asap.js';
import { Scene } from '../mapping/pair.js';

const sessionId = new Uint8Array(16).fill(5);

const seal = (secret: string, poolHandle: string = 'pool'): CookieSeal =>
  new CookieSeal({ secrets: [secret], protection: 'signed', poolHandle, random: seededRandom(1) });

const ours = seal('the secret of the pool');

/** A session at an element, and what it did with its connection and its owner. */
function session(options: { cookies?: boolean; room?: boolean } = {}) {
  const seen = {
    aborts: [] as number[],
    sent: [] as Uint8Array[],
    cookies: [] as (Cookie | undefined)[],
    refusals: [] as string[],
    cards: 0,
    messages: 0,
    notBegun: 0,
  };
  const connection = {
    longestMessage: 1024,
    abort: (code: number) => void seen.aborts.push(code),
    sendControl: (message: Uint8Array) => void seen.sent.push(message),
  } as unknown as MappingConnection;
  const handler = {
    onOpen() {},
    onMessage: () => seen.messages++,
    onBusinessCard: () => seen.cards++,
    onClose() {},
  } as unknown as SessionHandler;
  const begin = (_: ElementSession, cookie: Cookie | undefined): SessionHandler | undefined => {
    seen.cookies.push(cookie);
    return options.room === false ? undefined : handler;
  };
  const check = { seal: ours, onRefused: (reason: string) => void seen.refusals.push(reason) };
  const cookies = options.cookies === false ? undefined : check;
  const scene = new Scene();
  const { clock } = scene.elementProcess;
  const owner = { begin, onNotBegun: () => void seen.notBegun++ };
  const one = new ElementSession(connection, owner, { clock, helloTimeout: 1000, cookies });
  const hello = (cookieFollows: boolean): PeerHello => ({
    version: 1,
    sessionId,
    failedOver: cookieFollows,
    cookieFollows,
  });
  const echo = (cookie: Uint8Array): void => one.onControl(encodeAsap({ type: 'cookieEcho', cookie }));
  return { one, seen, hello, echo, run: (ms: number) => scene.run(ms) };
}

test('a cookie that the pool sealed for this session is opened for its owner', (t) => {
  const { one, seen, hello, echo } = session();
  one.onOpen(hello(true));
  t.deepEqual(seen.cookies, [], 'not before the cookie');
  echo(ours.seal(Buffer.from('state'), sessionId));
  t.is(seen.cookies[0]?.toString(), 'state');
  t.true(seen.cookies[0]?.verified);
  t.deepEqual(seen.aborts, []);
});

for (const [what, cookie] of [
  ['of bytes that nobody sealed', Buffer.from('state')],
  ['without any bytes', new Uint8Array(0)],
  ['with one bit changed', ours.seal(Buffer.from('state'), sessionId).map((byte, i) => (i === 6 ? byte ^ 1 : byte))],
  ['of another session', ours.seal(Buffer.from('state'), new Uint8Array(16))],
  ['of another pool with the same secret', seal('the secret of the pool', 'other').seal(Buffer.from('x'), sessionId)],
  ['sealed with another secret', seal('the secret of others').seal(Buffer.from('x'), sessionId)],
] as const) {
  test(`a cookie ${what} is refused, and nobody is asked to own the session`, (t) => {
    const { one, seen, hello, echo } = session();
    one.onOpen(hello(true));
    echo(cookie);
    t.deepEqual(seen.cookies, []);
    t.deepEqual(seen.aborts, [abortCode.cookieRefused]);
    t.is(seen.refusals.length, 1);
  });
}

test('without a secret any cookie is taken, and none is verified', (t) => {
  const { one, seen, hello, echo } = session({ cookies: false });
  one.onOpen(hello(true));
  echo(Buffer.from('state'));
  t.deepEqual([seen.cookies[0]?.toString(), seen.cookies[0]?.verified], ['state', false]);
});

test('a cookie that was not announced, and a second one, change nothing', (t) => {
  for (const cookieFollows of [false, true]) {
    const { one, seen, hello, echo } = session();
    one.onOpen(hello(cookieFollows));
    echo(ours.seal(Buffer.from('first'), sessionId));
    echo(ours.seal(Buffer.from('second'), sessionId));
    t.deepEqual(
      seen.cookies.map((cookie) => cookie?.toString()),
      [cookieFollows ? 'first' : undefined],
    );
    t.deepEqual(seen.aborts, []);
  }
});

test('before its cookie a user may send neither message nor card', (t) => {
  const { one, seen, hello } = session();
  one.onOpen(hello(true));
  const userTransport = { type: 'tcp', address: '10.0.0.1', port: 7 } as const;
  const element = { identifier: 1, homeServerId: 0, registrationLife: 1, userTransport };
  const card = encodeAsap({ type: 'businessCard', poolHandle: 'peers', poolElements: [element] });
  one.onControl(card);
  t.is(seen.cards, 0);
  one.onMessage({ type: 'message' } as never);
  t.is(seen.messages, 0);
  t.deepEqual(seen.aborts, [abortCode.protocolError]);
});

test('a cookie echo that was announced is not waited for longer than the hello', (t) => {
  const { one, seen, hello, run } = session();
  one.onOpen(hello(true));
  run(999);
  t.deepEqual(seen.aborts, []);
  run(2);
  t.deepEqual(seen.aborts, [abortCode.protocolError]);
  one.onClose(undefined);
  t.is(seen.notBegun, 1);
  const begun = session();
  begun.one.onOpen(hello(true));
  begun.echo(ours.seal(Buffer.from('state'), sessionId));
  begun.run(5000);
  begun.one.onClose(undefined);
  t.deepEqual([begun.seen.aborts, begun.seen.notBegun], [[], 0]);
});

test('a session that finds no owner any more sends its user elsewhere', (t) => {
  const { one, seen, hello } = session({ room: false });
  one.onOpen(hello(false));
  t.deepEqual(seen.aborts, [abortCode.limit]);
});

test('what is no ASAP message ends the connection; what is another one does nothing', (t) => {
  const { one, seen, hello } = session();
  one.onOpen(hello(false));
  one.onControl(encodeAsap({ type: 'endpointUnreachable', poolHandle: 'pool', peIdentifier: 1 }));
  t.deepEqual(seen.aborts, []);
  one.onControl(Buffer.from('0b00ffff', 'hex'));
  t.deepEqual(seen.aborts, [abortCode.protocolError]);
});

test('setCookie seals for this session', (t) => {
  const { one, seen, hello } = session();
  one.onOpen(hello(false));
  one.setCookie(Buffer.from('state'));
  const decoded = decodeAsap(seen.sent[0] as Uint8Array);
  const sealed = decoded.type === 'message' && decoded.message.type === 'cookie' ? decoded.message.cookie : undefined;
  t.like(ours.open(sealed as Uint8Array, sessionId), { type: 'verified' });
  t.is(ours.open(sealed as Uint8Array, new Uint8Array(16)).type, 'refused');
});
