import test from 'ava';
import type { RserpoolErrorCode } from '../../lib/errors.js';
import { abortCode } from '../../lib/mapping/mapping.js';
import { dataFlag, frameType, helloFlag, magic } from '../../lib/mapping/tcp/frame.js';
import type { TcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { data, frame, helloFrame, RawPeer, words } from './raw-peer.js';

const whole = dataFlag.begin | dataFlag.end;
const { begin, end, unordered } = dataFlag;

interface Malformed {
  readonly what: string;
  /** Said after the magic: with the hello, unless the hello itself is at fault. */
  readonly bytes: readonly Uint8Array[];
  readonly beforeHello?: boolean;
  readonly options?: Partial<TcpMappingOptions>;
  /** What the reason says. */
  readonly reason: RegExp;
}

function rawHello(change: (body: Uint8Array, view: DataView) => Uint8Array | void): Uint8Array {
  const bytes = helloFrame({ poolHandle: 'echo' });
  const body = bytes.slice(8);
  return frame(frameType.hello, change(body, new DataView(body.buffer)) ?? body);
}

/** docs/mappings.md, "Malformed frames", row by row. */
const table: readonly Malformed[] = [
  {
    what: 'a frame before the hello',
    beforeHello: true,
    bytes: [data(whole, 1, 'x')],
    reason: /type 2 before the hello/,
  },
  { what: 'a hello cut off', beforeHello: true, bytes: [rawHello((body) => body.subarray(0, 47))], reason: /47 bytes/ },
  { what: 'an empty hello', beforeHello: true, bytes: [frame(frameType.hello)], reason: /0 bytes/ },
  {
    what: 'a hello that is too long',
    beforeHello: true,
    bytes: [rawHello((body) => Buffer.concat([body, new Uint8Array(4096)]))],
    reason: /the longest is 4096/,
  },
  { what: 'version 0', beforeHello: true, bytes: [helloFrame({ minVersion: 0 })], reason: /versions 0 to 1/ },
  {
    what: 'versions in the wrong order',
    beforeHello: true,
    bytes: [helloFrame({ minVersion: 2, maxVersion: 1 })],
    reason: /versions 2 to 1/,
  },
  {
    what: 'a longest payload below 1024',
    beforeHello: true,
    bytes: [helloFrame({ longestPayload: 1023 })],
    reason: /longest payload of 1023/,
  },
  {
    what: 'a hello with half a parameter header',
    beforeHello: true,
    bytes: [rawHello((body) => Buffer.concat([body, Uint8Array.of(0, 9)]))],
    reason: /without room for its header/,
  },
  {
    what: 'a hello parameter that runs over the end',
    beforeHello: true,
    bytes: [rawHello((_body, view) => view.setUint16(50, 400))],
    reason: /length 400/,
  },
  {
    what: 'a hello parameter of length 3',
    beforeHello: true,
    bytes: [rawHello((_body, view) => view.setUint16(50, 3))],
    reason: /length 3/,
  },
  {
    what: 'a PE Identifier of another length than 8',
    beforeHello: true,
    bytes: [rawHello((body) => Buffer.concat([body.subarray(0, 48), Uint8Array.of(0, 0xe, 0, 4)]))],
    reason: /PE Identifier of length 4/,
  },
  {
    what: 'an unknown hello parameter with bits 00',
    beforeHello: true,
    bytes: [rawHello((body) => Buffer.concat([body.subarray(0, 48), Uint8Array.of(0x12, 0x34, 0, 4)]))],
    reason: /type 0x1234/,
  },
  {
    what: 'a Resume parameter of another length than 12',
    beforeHello: true,
    bytes: [rawHello((body) => Buffer.concat([body.subarray(0, 48), Uint8Array.of(0x82, 0x54, 0, 8, 0, 0, 0, 0)]))],
    reason: /Resume parameter of length 8/,
  },
  {
    what: 'an Open Messages parameter of another length than 8',
    beforeHello: true,
    bytes: [rawHello((body) => Buffer.concat([body.subarray(0, 48), Uint8Array.of(0x82, 0x55, 0, 6, 0, 0)]))],
    reason: /Open Messages parameter of length 6/,
  },
  {
    what: 'Open Messages of none',
    beforeHello: true,
    bytes: [helloFrame({ poolHandle: 'echo', openMessages: 0 })],
    reason: /no open messages/,
  },
  {
    what: 'a Process parameter of another length than 16',
    beforeHello: true,
    bytes: [rawHello((body) => Buffer.concat([body.subarray(0, 48), Uint8Array.of(0x82, 0x56, 0, 8, 0, 0, 0, 1)]))],
    reason: /Process parameter of length 8/,
  },
  {
    what: 'a hello that resumes without saying where',
    beforeHello: true,
    bytes: [helloFrame({ poolHandle: 'echo' }, helloFlag.resume)],
    reason: /without saying where/,
  },
  { what: 'a second hello', bytes: [helloFrame()], reason: /unknown type 1/ },
  { what: 'a frame of type 0', bytes: [frame(0)], reason: /unknown type 0/ },
  { what: 'an unknown frame type below 0x80', bytes: [frame(0x7f)], reason: /unknown type 127/ },
  {
    what: 'a frame that is too long, seen from its header alone',
    bytes: [Uint8Array.of(2, 3, 0, 0, 0xff, 0xff, 0xff, 0xff)],
    reason: /with 4294967295 bytes/,
  },
  {
    what: 'a data frame of 11 bytes',
    bytes: [frame(frameType.data, new Uint8Array(11), whole)],
    reason: /data frame of 11/,
  },
  { what: 'a fragment without a beginning', bytes: [data(end, 1, 'x')], reason: /without a beginning on stream 0/ },
  {
    what: 'a beginning within a message',
    bytes: [data(begin, 1, 'x'), data(begin, 2, 'x')],
    reason: /begins on stream 0 within another/,
  },
  {
    what: 'another sequence within a message',
    bytes: [data(begin, 1, 'x'), data(end, 2, 'x')],
    reason: /message 2 within 1/,
  },
  {
    what: 'a fragment on another stream than its beginning',
    bytes: [data(begin, 1, 'x', 1), data(end, 1, 'x', 2)],
    reason: /without a beginning on stream 2/,
  },
  {
    what: 'the end of an unordered message without a beginning',
    bytes: [data(end | unordered, 1, 'x')],
    reason: /without a beginning/,
  },
  {
    what: 'the end of an unordered message that began as an ordered one',
    bytes: [data(begin, 1, 'x'), data(end | unordered, 1, 'x')],
    reason: /without a beginning/,
  },
  {
    what: 'a beginning within an unordered message',
    bytes: [data(begin | unordered, 1, 'x', 1), data(begin | unordered, 1, 'x', 2)],
    reason: /within another/,
  },
  { what: 'the same message twice', bytes: [data(whole, 1, 'x'), data(whole, 1, 'x')], reason: /message 1 twice/ },
  {
    what: 'the same message twice, on another stream and in fragments',
    bytes: [data(whole, 7, 'x'), data(begin, 7, 'x', 3), data(end, 7, 'x', 3)],
    reason: /message 7 twice/,
  },
  { what: 'an empty first fragment', bytes: [data(begin, 1, '')], reason: /empty fragment/ },
  { what: 'an empty later fragment', bytes: [data(begin, 1, 'x'), data(0, 1, '')], reason: /empty fragment/ },
  {
    what: 'too many messages in fragments',
    options: { openMessages: 2 },
    bytes: [data(begin, 1, 'x', 1), data(begin, 2, 'x', 2), data(begin, 3, 'x', 3)],
    reason: /more than 2 messages in fragments/,
  },
  {
    what: 'a message on each of thousands of streams that never ends',
    bytes: [Buffer.concat(Array.from({ length: 5000 }, (_, i) => data(begin, i + 1, 'x', i)))],
    reason: /more than 16 messages in fragments/,
  },
  {
    what: 'thousands of unordered messages that never end',
    bytes: [Buffer.concat(Array.from({ length: 5000 }, (_, i) => data(begin | unordered, i + 1, 'x', 0)))],
    reason: /more than 16 messages in fragments/,
  },
  {
    what: 'an unordered message above the limit',
    options: { longestMessage: 10 },
    bytes: [data(begin | unordered, 1, 'six by'), data(unordered, 1, 'fiveb')],
    reason: /more than 10 bytes/,
  },
  {
    what: 'a whole message above the limit',
    options: { longestMessage: 10 },
    bytes: [data(whole, 1, 'eleven byte')],
    reason: /more than 10 bytes/,
  },
  {
    what: 'fragments that add up above the limit',
    options: { longestMessage: 10 },
    bytes: [data(begin, 1, 'six by'), data(0, 1, 'fiveb')],
    reason: /more than 10 bytes/,
  },
  {
    what: 'several unfinished messages above the limit together',
    options: { longestMessage: 10 },
    bytes: [data(begin, 1, 'seven b', 1), data(begin, 2, 'seven b', 2), data(begin, 3, 'seven b', 3)],
    reason: /more than 20 bytes/,
  },
  { what: 'an answer that is not marked', bytes: [data(whole, 1, 'x', 0, 0, 5)], reason: /not marked/ },
  {
    what: 'a control message in fragments',
    bytes: [data(begin, 0, 'x', 0, 11)],
    reason: /control message in fragments/,
  },
  {
    what: 'more than the credit allows',
    options: { window: 1000, longestPayload: 1024 },
    bytes: [data(whole, 1, new Uint8Array(1024)), data(whole, 2, new Uint8Array(1024))],
    reason: /more than the credit/,
  },
  { what: 'a shutdown of 3 bytes', bytes: [frame(frameType.shutdown, [0, 0, 1])], reason: /shutdown frame of 3/ },
  {
    what: 'a second end',
    bytes: [frame(frameType.shutdown, words(1)), frame(frameType.shutdown, words(2))],
    reason: /second end/,
  },
  {
    what: 'an end within a message',
    bytes: [data(begin, 1, 'x'), frame(frameType.shutdown, words(2))],
    reason: /end within/,
  },
  {
    what: 'a message after the end',
    bytes: [frame(frameType.shutdown, words(1)), data(whole, 2, 'x')],
    reason: /message after the end/,
  },
  {
    what: 'an acknowledgement of 5 bytes',
    bytes: [frame(frameType.acknowledgement, new Uint8Array(5))],
    reason: /acknowledgement frame of 5/,
  },
  {
    what: 'an acknowledgement of what was not sent',
    bytes: [frame(frameType.acknowledgement, words(1))],
    reason: /of 1 messages; 0 were sent/,
  },
  {
    what: 'an acknowledgement that goes back',
    bytes: [frame(frameType.acknowledgement, words(0xffffffff))],
    reason: /of -1 messages/,
  },
  { what: 'a credit of 4 bytes', bytes: [frame(frameType.credit, words(1))], reason: /credit frame of 4/ },
  {
    what: 'a heartbeat of 15 bytes',
    bytes: [frame(frameType.heartbeat, new Uint8Array(15))],
    reason: /heartbeat frame of 15/,
  },
  { what: 'a user that asks to go elsewhere', bytes: [frame(frameType.goElsewhere)], reason: /asks its element/ },
];

for (const { what, bytes, beforeHello, options, reason } of table) {
  test(`${what}: abort with code 1, and ERR_RSERPOOL_PROTOCOL here`, (t) => {
    const peer = new RawPeer('element', options);
    peer.owner.taking = false;
    if (beforeHello === true) peer.say(magic, ...bytes);
    else {
      peer.open();
      t.is(peer.owner.events[0], 'open');
      peer.say(...bytes);
    }
    t.is(peer.abort?.code, abortCode.protocolError);
    t.regex(peer.abort?.reason ?? '', reason);
    t.is(peer.frames.at(-1)?.type, frameType.abort);
    t.is(peer.owner.error?.code, 'ERR_RSERPOOL_PROTOCOL');
    t.is(peer.owner.error?.origin, 'remote');
    t.regex(peer.owner.error?.message ?? '', reason);
    t.is(peer.owner.closes, 1);
    t.deepEqual(peer.ends, ['end']);
    // Nothing more is read, and no timer stays behind.
    const events = peer.owner.events.length;
    peer.say(data(whole, 9, 'x'));
    peer.wait(60_000);
    t.is(peer.owner.events.length, events);
    t.is(peer.network.time.next, undefined);
  });
}

test('the same from an element: the user aborts, and its handler learns why', (t) => {
  const peer = new RawPeer('user');
  peer.say(magic, helloFrame(), frame(0x7f));
  t.is(peer.abort?.code, abortCode.protocolError);
  t.is(peer.owner.error?.code, 'ERR_RSERPOOL_PROTOCOL');
});

test('bytes that are not the magic: closed without a word, at the first that differs', (t) => {
  for (const at of [0, 3, 7]) {
    const peer = new RawPeer('element');
    const bytes = magic.slice();
    bytes[at] = 0x20;
    peer.say(bytes.subarray(0, at + 1));
    t.is(peer.owner.error?.code, 'ERR_RSERPOOL_PROTOCOL');
    t.is(peer.received.length, 0);
    t.deepEqual(peer.ends, ['end']);
  }
});

test('frames that must be tolerated: unknown types from 0x80 on, unknown flags, unknown hello parameters', (t) => {
  const peer = new RawPeer('element');
  const hello = rawHello((body) => Buffer.concat([body, Uint8Array.of(0x80, 1, 0, 5, 7, 0, 0, 0)]));
  peer.say(magic, hello);
  t.is(peer.owner.peer?.peIdentifier, 0x1234);
  peer.lease(60_000);
  peer.say(frame(0x80, [1, 2, 3], 0xff, 9), frame(0xff), data(whole | 0xe0, 1, 'still here', 7));
  t.deepEqual(peer.owner.texts, ['still here']);
  t.is(peer.owner.messages[0]?.streamId, 7);
  t.is(peer.abort, undefined);
});

test('an abort that comes: the code decides what the handler learns', (t) => {
  const cases: readonly [number, RserpoolErrorCode][] = [
    [abortCode.protocolError, 'ERR_RSERPOOL_CONNECTION_BROKEN'],
    [abortCode.versionMismatch, 'ERR_RSERPOOL_VERSION_MISMATCH'],
    [abortCode.wrongElement, 'ERR_RSERPOOL_CONNECTION_BROKEN'],
    [abortCode.application, 'ERR_RSERPOOL_ABORTED'],
    [abortCode.failedOver, 'ERR_RSERPOOL_CONNECTION_BROKEN'],
    [abortCode.limit, 'ERR_RSERPOOL_LIMIT'],
    [abortCode.heartbeatTimeout, 'ERR_RSERPOOL_CONNECTION_BROKEN'],
    [abortCode.handlerFailed, 'ERR_RSERPOOL_CONNECTION_BROKEN'],
    [0xffffffff, 'ERR_RSERPOOL_CONNECTION_BROKEN'],
  ];
  for (const early of [true, false]) {
    for (const [code, expected] of cases) {
      const peer = new RawPeer('user');
      const abort = frame(frameType.abort, Buffer.concat([words(code), Buffer.from('because é')]));
      if (early) peer.say(magic, abort);
      else peer.say(magic, helloFrame(), abort);
      t.is(peer.owner.error?.code, expected);
      t.regex(peer.owner.error?.message ?? '', /because é/);
      t.is(peer.abort, undefined);
    }
  }
  for (const body of [[], [0, 0, 4]]) {
    const peer = new RawPeer('element');
    peer.open();
    peer.say(frame(frameType.abort, body));
    t.is(peer.owner.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
    t.regex(peer.owner.error?.message ?? '', /code 0/);
  }
});
