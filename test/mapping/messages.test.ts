import test from 'ava';
import fc from 'fast-check';
import { dataFlag, frameType, magic, messageOverhead } from '../../lib/mapping/tcp/frame.js';
import { Inbound } from '../../lib/mapping/tcp/inbound.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { seededRandom } from '../../lib/random.js';
import { open } from './pair.js';
import { data, frame, helloFrame, RawPeer, words } from './raw-peer.js';

const whole = dataFlag.begin | dataFlag.end;
const { begin, end } = dataFlag;

test('the sender stops at the credit, and goes on when the application takes', (t) => {
  const pair = open({ element: { window: 100_000 } });
  pair.element.taking = false;
  for (let i = 0; i < 50; i++) pair.user.send(new Uint8Array(10_000));
  pair.run(500);
  const arrived = pair.element.messages.length;
  t.true(arrived >= 9 && arrived <= 11, `${arrived}`);
  t.is(pair.user.connection.sentMessages, arrived);
  t.true(pair.user.connection.queuedBytes >= (50 - arrived) * 10_000);
  pair.element.taking = true;
  for (const message of pair.element.messages) pair.element.connection.take(message);
  pair.run(500);
  t.is(pair.element.messages.length, 50);
  t.is(pair.user.acknowledged, 50);
  t.is(pair.user.connection.queuedBytes, 0);
});

test('send says no above the high-water mark, and onRoom follows once', (t) => {
  const pair = open({ user: { highWaterMark: 10_000 }, element: { window: 5000 } });
  pair.element.taking = false;
  t.true(pair.user.send(new Uint8Array(9000)));
  t.false(pair.user.send(new Uint8Array(9000)));
  t.false(pair.user.events.includes('room'));
  pair.run(50);
  pair.element.taking = true;
  for (const message of pair.element.messages) pair.element.connection.take(message);
  pair.run(50);
  t.is(pair.user.events.filter((event) => event === 'room').length, 1);
});

test('no window is too small for a message, and no mix of sizes and streams comes to a stop', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 3 })), { maxLength: 20 }),
      fc.nat(),
      (window, sizes, seed) => {
        const options = { window, longestPayload: 1024 };
        const pair = open({ user: options, element: options, network: { random: seededRandom(seed), fragment: true } });
        const random = seededRandom(seed);
        pair.element.taking = false;
        const held = pair.element.messages.slice();
        // The application takes in any order, some at once and some later.
        pair.element.onArrival = (message) => {
          held.push(message);
          pair.elementProcess.clock.setTimeout(() => {
            const [taken] = held.splice(Math.floor(random.uniform() * held.length), 1);
            if (taken !== undefined) pair.element.connection.take(taken);
          }, random.uniform() * 20);
        };
        for (const [size, streamId] of sizes) pair.user.send(new Uint8Array(size), { streamId });
        pair.run(20_000);
        // Each stream keeps its order.
        for (const stream of [0, 1, 2, 3]) {
          const came = pair.element.messages.filter((message) => message.streamId === stream);
          const sent = sizes.filter(([, streamId]) => streamId === stream);
          t.deepEqual(
            came.map((message) => message.data.length),
            sent.map(([size]) => size),
          );
        }
        t.is(pair.element.messages.length, sizes.length);
        t.is(pair.user.acknowledged, sizes.length);
        t.is(pair.user.closes + pair.element.closes, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test('a large message leaves in fragments, and heartbeats pass between them', (t) => {
  const pair = open({ element: { window: 1 << 20, longestPayload: 4096 } });
  pair.network.link('10.0.0.1', '10.0.0.2').bandwidth = 1000;
  const message = seededRandom(2).bytes(4_000_000);
  const before = pair.user.connection.rtt;
  pair.user.send(message);
  pair.run(10_000);
  t.is(Buffer.compare(pair.element.messages[0]!.data, message), 0);
  t.not(pair.user.connection.rtt, before);
  t.is(pair.user.closes, 0);
});

test('fragments of several streams are put together', (t) => {
  const peer = new RawPeer('element');
  peer.open();
  peer.say(
    data(begin, 1, 'a', 1),
    data(begin, 2, 'x', 2, 7),
    data(0, 1, 'b', 1),
    data(end, 2, 'y', 2),
    data(end, 1, 'c', 1),
  );
  t.deepEqual(peer.owner.texts, ['xy', 'abc']);
  t.is(peer.owner.messages[0]?.ppid, 7);
  t.is(peer.owner.messages[0]?.sequence, 2);
});

test('a message in tiny fragments costs memory for its bytes, not for its fragments', (t) => {
  const options = tcpMappingOptions();
  const inbound = new Inbound(options, () => 0);
  const piece = new Uint8Array(13);
  const view = new DataView(piece.buffer);
  view.setUint32(0, 1);
  const count = 500_000;
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < count; i++) {
    piece[12] = i & 0xff;
    t_undefined(inbound.data(i === 0 ? begin : 0, 0, piece, view, 0, 13));
    inbound.creditToGrant();
  }
  t.true(process.memoryUsage().arrayBuffers - before < 8 * count);
  const message = inbound.data(end, 0, piece, view, 0, 13);
  if (message === undefined || message.type === 'fault') {
    t.fail('the message did not arrive');
    return;
  }
  t.is(message.data.length, count + 1);
  t.true(message.data.every((byte, i) => byte === ((i === count ? count - 1 : i) & 0xff)));
});

function t_undefined(value: unknown): void {
  if (value !== undefined) throw new Error(`not expected: ${JSON.stringify(value)}`);
}

test('an acknowledgement never overtakes what was written before take()', (t) => {
  const peer = new RawPeer('element');
  peer.open({ credit: 1 });
  peer.owner.taking = false;
  peer.say(data(whole, 1, 'request'));
  const { owner } = peer;
  owner.send('first answer');
  owner.send('second answer');
  owner.connection.take(owner.messages[0]!);
  owner.send('written after take');
  peer.wait(10);
  // Credit lets one frame out: the acknowledgement waits for the second answer, and leaves in its frame.
  t.is(peer.of(frameType.data).length, 1);
  t.is(peer.of(frameType.acknowledgement).length, 0);
  peer.say(frame(frameType.credit, words(0, 1000)));
  t.is(peer.of(frameType.acknowledgement).length, 0);
  t.deepEqual(
    peer
      .of(frameType.data)
      .map(({ flags, body }) => [flags & dataFlag.acknowledges, Buffer.from(body).readUInt32BE(8)]),
    [
      [0, 0],
      [dataFlag.acknowledges, 1],
      [0, 0],
    ],
  );
});

test('messages taken out of order are acknowledged when the gap closes', (t) => {
  const pair = open();
  pair.element.taking = false;
  for (const text of ['1', '2', '3', '4']) pair.user.send(text);
  pair.run(20);
  const [one, two, three, four] = pair.element.messages;
  const { connection } = pair.element;
  for (const message of [three!, two!]) connection.take(message);
  pair.run(20);
  t.is(pair.user.acknowledged, 0);
  connection.take(one!);
  connection.take(one!);
  pair.run(20);
  t.is(pair.user.acknowledged, 3);
  connection.take(four!);
  pair.run(20);
  t.is(pair.user.acknowledged, 4);
});

test('many acknowledgements that wait for credit are written in time that grows with their number alone', (t) => {
  const peer = new RawPeer('element', { window: 1 << 26 });
  peer.open({ credit: 0 });
  const count = 60_000;
  peer.owner.onArrival = () => peer.owner.send('answer');
  peer.say(Buffer.concat(Array.from({ length: count }, (_, i) => data(whole, i + 1, ''))));
  t.is(peer.owner.messages.length, count);
  peer.say(frame(frameType.credit, words(1, 0)));
  peer.wait(200);
  t.is(peer.of(frameType.data).length, count);
  const said = peer.of(frameType.data).filter(({ flags }) => (flags & dataFlag.acknowledges) !== 0);
  const alone = peer.of(frameType.acknowledgement).map(({ body }) => Buffer.from(body).readUInt32BE());
  const most = Math.max(Buffer.from(said.at(-1)?.body ?? Buffer.alloc(12)).readUInt32BE(8), alone.at(-1) ?? 0);
  t.is(most, count);
});

test('control messages pass without credit, before messages that wait', (t) => {
  const peer = new RawPeer('element');
  peer.open({ credit: 0 });
  peer.owner.send('waits');
  peer.owner.connection.sendControl(Uint8Array.of(1, 2, 3, 4));
  peer.wait(10);
  t.is(peer.of(frameType.data).length, 1);
  t.is(Buffer.from(peer.of(frameType.data)[0]!.body).readUInt32BE(4), 11);
  peer.say(data(whole, 0, 'control', 0, 11));
  t.is(Buffer.from(peer.owner.controls[0]!).toString(), 'control');
  t.is(peer.of(frameType.acknowledgement).length, 0);
});

test('of control messages of one type that could not leave yet, the last one alone is sent', (t) => {
  const pair = open();
  const say = (type: number, round: number, length = 4): void => {
    const message = new Uint8Array(length).fill(round);
    message[0] = type;
    pair.element.connection.sendControl(message);
  };
  for (let round = 1; round <= 3; round++) for (const type of [11, 13]) say(type, round);
  pair.run(20);
  t.deepEqual(
    pair.user.controls.map(([type, round]) => [type, round]),
    [
      [11, 3],
      [13, 3],
    ],
  );
  // A far side that does not read for a while.
  pair.userProcess.freeze();
  for (let round = 0; round < 200; round++) {
    say(11, round, 60_000);
    pair.run(1);
  }
  pair.userProcess.thaw();
  pair.run(500);
  const cookies = pair.user.controls.slice(2);
  t.true(cookies.length < 20, `${cookies.length}`);
  t.is(cookies.at(-1)?.[1], 199);
});

test('the longest ASAP message fits on the control channel, however short payloads are', (t) => {
  const pair = open({ user: { longestPayload: 1024 }, element: { longestPayload: 1024 } });
  pair.element.connection.sendControl(new Uint8Array(0xffff));
  pair.run(20);
  t.is(pair.user.controls[0]?.length, 0xffff);
});

test('sequences and answers beyond 32 bits keep their value', (t) => {
  const pair = open();
  const beyond = 0xffff_fffe;
  pair.element.onArrival = (message) => pair.element.send('', { inAnswerTo: message.sequence, lastAnswer: true });
  for (let i = 0; i < 4; i++) pair.user.send('x', { sequence: beyond + i });
  pair.run(20);
  t.deepEqual(
    pair.element.messages.map(({ sequence }) => sequence),
    [0xffff_fffe, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001],
  );
  t.deepEqual(
    pair.user.messages.map(({ inAnswerTo, lastAnswer }) => [inAnswerTo, lastAnswer]),
    [0xffff_fffe, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001].map((sequence) => [sequence, true]),
  );
});

test('a session that has sent more than 2^31 messages can go on at another element', (t) => {
  const pair = open();
  pair.element.onArrival = (message) => pair.element.send('', { inAnswerTo: message.sequence });
  pair.user.send('resent', { sequence: 0x9000_0000, redelivered: true });
  pair.run(20);
  t.is(pair.user.acknowledged, 1);
  t.is(pair.element.messages[0]?.sequence, 0x9000_0000);
  t.true(pair.element.messages[0]?.redelivered);
  t.is(pair.user.messages[0]?.inAnswerTo, 0x9000_0000);
});

test('credit counts on beyond 32 bits', (t) => {
  const inbound = new Inbound(tcpMappingOptions({ window: 1 << 30, longestPayload: 1 << 30 }), () => 0);
  const body = new Uint8Array(12 + (1 << 20));
  const view = new DataView(body.buffer);
  let credit = 0;
  for (let i = 0; i < 5000; i++) {
    view.setUint32(0, i + 1);
    const message = inbound.data(whole, 0, body, view, 0, body.length);
    if (message === undefined || message.type === 'fault') throw new Error(JSON.stringify(message));
    inbound.take(message);
    credit = inbound.creditToGrant() ?? credit;
  }
  const received = 5000 * ((1 << 20) + messageOverhead);
  t.true(credit > 0x1_0000_0000 && credit > received && credit <= received + (1 << 30));
});

test('a window of nothing stops the far side, not us', (t) => {
  const pair = open({ element: { window: 0 } });
  pair.user.send('never');
  pair.run(5000);
  t.deepEqual(pair.element.texts, []);
  t.is(pair.user.connection.sentMessages, 0);
});

test('a far side that asks and never reads gets one answer, not one for each question', (t) => {
  const peer = new RawPeer('element', {}, { receiveBuffer: 1000 });
  peer.open();
  peer.stream.pause();
  peer.owner.send(new Uint8Array(200_000));
  peer.run(5);
  const buffered = (): number => {
    let bytes = 0;
    for (const stream of peer.elementProcess.streams) bytes += stream.bufferedBytes;
    return bytes;
  };
  const before = buffered();
  t.true(before > 0);
  const question = frame(frameType.heartbeat, words(1, 0, 0, 0), 1);
  for (let i = 0; i < 1000; i++) {
    peer.stream.write([question]);
    peer.run(1);
  }
  t.true(buffered() <= before + 100, `${buffered() - before} bytes more`);
  peer.stream.resume();
  peer.wait(50);
  t.true(peer.of(frameType.heartbeat).length >= 1);
});

test('what arrives in one chunk is answered in one write', (t) => {
  const peer = new RawPeer('user');
  peer.say(magic, helloFrame());
  peer.say(Buffer.concat(Array.from({ length: 100 }, () => frame(frameType.heartbeat, words(1, 0, 0, 0), 1))));
  t.is(peer.of(frameType.heartbeat).length, 1);
});

test('a message of many MiB is handed on in the blocks it was put together in, and into one piece only for who asks', (t) => {
  const length = 5_000_000;
  const pair = open({ element: { window: 1 << 24 }, user: { highWaterMark: 1 << 24 } });
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
  pair.user.send(bytes);
  pair.run(500);
  const [message] = pair.element.messages;
  const pieces = message?.pieces ?? [];
  t.true(pieces.length > 1 && pieces.every((piece) => piece.length <= 1024 * 1024));
  t.deepEqual(Buffer.concat(pieces), Buffer.from(bytes));
  t.deepEqual(Buffer.from(message?.data ?? []), Buffer.from(bytes));
});
