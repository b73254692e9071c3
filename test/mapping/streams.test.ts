import test from 'ava';
import { dataFlag, feature, frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { seededRandom } from '../../lib/random.js';
import { elementAddress, open, userAddress } from './pair.js';
import { frame, helloFrame, RawPeer, words } from './raw-peer.js';

const able = feature.interleaving | feature.unordered;

test('a large message on one stream holds up neither a small one on another nor heartbeats', (t) => {
  const options = { window: 64 * 1024, longestMessage: 32 << 20, longestPayload: 16 * 1024 };
  const pair = open({ user: options, element: options });
  // It takes 32 s to pass, more than thirty failure time-outs.
  pair.network.link(userAddress, elementAddress).bandwidth = 1000;
  const large = seededRandom(3).bytes(32 << 20);
  pair.user.send(large, { streamId: 0 });
  const delays: number[] = [];
  let sentAt = 0;
  pair.element.onArrival = (message) => {
    if (message.streamId === 1) delays.push(pair.network.time.now - sentAt);
  };
  for (let i = 0; i < 20; i++) {
    sentAt = pair.network.time.now;
    pair.user.send(`small ${i}`, { streamId: 1 });
    pair.run(1000);
  }
  t.is(delays.length, 20);
  t.true(Math.max(...delays) < 200, `${Math.max(...delays)} ms`);
  t.is(pair.user.acknowledged, 0);
  // They are known to be taken although what was sent before is not.
  t.is(pair.user.early.length, 20);
  pair.run(20_000);
  t.is(Buffer.compare(pair.element.messages.at(-1)!.data, large), 0);
  t.is(pair.user.acknowledged, 21);
  t.is(pair.user.closes, 0);
});

test('streams take turns: of many large messages none waits for all others', (t) => {
  const options = { longestPayload: 4096, longestMessage: 1 << 20 };
  const pair = open({ user: options, element: options });
  pair.network.link(userAddress, elementAddress).bandwidth = 1000;
  for (let streamId = 0; streamId < 8; streamId++) pair.user.send(new Uint8Array(50_000), { streamId });
  pair.run(330);
  t.is(pair.element.messages.length, 0);
  pair.run(120);
  t.is(pair.element.messages.length, 8);
});

test('an unordered message overtakes a large one on its own stream; ordered ones do not', (t) => {
  const pair = open();
  pair.network.link(userAddress, elementAddress).bandwidth = 1000;
  t.true(pair.user.connection.features.unordered);
  pair.user.send(new Uint8Array(500_000), { streamId: 5 });
  pair.user.send('in order', { streamId: 5 });
  pair.user.send('overtakes', { streamId: 5, unordered: true });
  pair.user.send(new Uint8Array(200_000), { streamId: 5, unordered: true });
  pair.run(5000);
  t.deepEqual(
    pair.element.messages.map(({ sequence, unordered }) => [sequence, unordered]),
    [
      [3, true],
      [4, true],
      [1, false],
      [2, false],
    ],
  );
  t.is(pair.user.acknowledged, 4);
});

test('what one stream has been acknowledged of is not sent again because another is behind', (t) => {
  const pair = open({ element: { window: 4096 } });
  pair.element.taking = false;
  pair.user.send('a', { streamId: 1 });
  pair.user.send('b', { streamId: 2 });
  pair.user.send('c', { streamId: 3 });
  pair.run(20);
  const [a, b, c] = pair.element.messages;
  pair.element.connection.take(c!);
  pair.element.connection.take(b!);
  pair.run(20);
  // Those that came after one that is not taken wait for it.
  t.is(pair.user.acknowledged + pair.user.early.length, 0);
  pair.element.connection.take(a!);
  pair.run(20);
  t.is(pair.user.acknowledged, 3);
});

/** What each data frame of a raw peer's user says: stream, sequence, flags. */
function dataFrames(peer: RawPeer): readonly { streamId: number; sequence: number; flags: number; length: number }[] {
  return peer.of(frameType.data).map(({ streamId, flags, body }) => {
    return { streamId, sequence: Buffer.from(body).readUInt32BE(), flags, length: body.length - 12 };
  });
}

test('a sender keeps the far side’s limits: messages unfinished at once, and one of them only beyond its share', (t) => {
  const peer = new RawPeer('user', { longestPayload: 1024, highWaterMark: 1 << 24 });
  peer.say(magic, helloFrame({ features: able, openMessages: 3, longestMessage: 300_000, credit: 1 << 22 }));
  const sizes = [300_000, 90_000, 80_000, 300_000, 20_000, 900, 300_000, 70_000, 100_000, 10];
  for (const [i, size] of sizes.entries()) {
    peer.owner.send(new Uint8Array(size), { streamId: i % 8, unordered: i >= 8 });
  }
  peer.wait(50);
  const unfinished = new Map<number, number>();
  const finished: number[] = [];
  let most = 0;
  for (const { sequence, flags, length } of dataFrames(peer)) {
    const whole = (flags & dataFlag.begin) !== 0 && (flags & dataFlag.end) !== 0;
    if ((flags & dataFlag.begin) === 0) t.true(unfinished.has(sequence));
    if (!whole) unfinished.set(sequence, (unfinished.get(sequence) ?? 0) + length);
    most = Math.max(most, unfinished.size);
    const large = [...unfinished.keys()].filter((one) => (sizes[one - 1] as number) > 100_000);
    t.true(large.length <= 1);
    t.true([...unfinished.values()].reduce((sum, one) => sum + one, 0) <= 600_000);
    if ((flags & dataFlag.end) === 0) continue;
    unfinished.delete(sequence);
    finished.push(sequence);
  }
  t.is(most, 3);
  t.is(unfinished.size, 0);
  t.deepEqual(
    finished.toSorted((a, b) => a - b),
    sizes.map((_, i) => i + 1),
  );
  // What fits in a frame is held up by no limit.
  t.true(finished.indexOf(6) < finished.indexOf(1));
});

test('large messages of several streams get their turns too: none starves', (t) => {
  const peer = new RawPeer('user', { longestPayload: 1024, highWaterMark: 1 << 24 });
  peer.say(magic, helloFrame({ features: able, openMessages: 4, longestMessage: 40_000, credit: 10_000 }));
  for (let i = 0; i < 30; i++) peer.owner.send(new Uint8Array(20_000), { streamId: i % 2 });
  peer.owner.send(new Uint8Array(20_000), { streamId: 9 });
  for (let credit = 10_000; credit < 300_000; credit += 5000)
    peer.say(frame(frameType.credit, words(0, credit)), frame(frameType.heartbeat, words(1, 0, 0, 0), 1));
  const done = dataFrames(peer).filter(({ flags }) => (flags & dataFlag.end) !== 0);
  const place = done.findIndex(({ streamId }) => streamId === 9);
  t.true(place >= 0 && place <= 2, `${place}`);
});

test('towards a side that takes no mixed fragments, messages follow one another, whatever their streams', (t) => {
  const peer = new RawPeer('user', { longestPayload: 1024, highWaterMark: 1 << 24 });
  peer.say(magic, helloFrame({ longestPayload: 1024 }));
  t.false(peer.owner.connection.features.unordered);
  for (let i = 0; i < 6; i++) peer.owner.send(new Uint8Array(3000), { streamId: i, unordered: i % 2 === 1 });
  peer.wait(50);
  const frames = dataFrames(peer);
  t.deepEqual(
    frames.map(({ sequence }) => sequence),
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6],
  );
  t.true(frames.every(({ flags }) => (flags & dataFlag.unordered) === 0));
  t.deepEqual(
    frames.map(({ streamId }) => streamId),
    [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5],
  );
});

test('an end waits for the messages of all streams', (t) => {
  const pair = open({ user: { longestPayload: 1024 }, element: { longestPayload: 1024 } });
  for (let streamId = 0; streamId < 5; streamId++) pair.user.send(new Uint8Array(20_000), { streamId });
  pair.user.end();
  pair.run(100);
  t.is(pair.element.texts.at(-1), 'END');
  t.is(pair.element.messages.length, 6);
  t.is(pair.user.acknowledged, 6);
});

test('messages on many streams, in any sizes, cost time in proportion to their number', (t) => {
  const pair = open({ user: { highWaterMark: 1 << 26 }, element: { window: 1 << 26 } });
  for (let i = 0; i < 20_000; i++) pair.user.send('x', { streamId: i });
  pair.run(100);
  t.is(pair.element.messages.length, 20_000);
  t.is(pair.user.acknowledged, 20_000);
});
