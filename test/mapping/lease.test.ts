import test from 'ava';
import { dataFlag, frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { elementAddress, open, userAddress } from './pair.js';
import { data, frame, helloFrame, RawPeer, words } from './raw-peer.js';

const whole = dataFlag.begin | dataFlag.end;

test('an element that falls silent while something is waited for is given up within the failure time-out', (t) => {
  const pair = open();
  pair.elementProcess.freeze();
  pair.user.send('anyone?');
  pair.run(990);
  t.is(pair.user.closes, 0);
  pair.run(30);
  t.is(pair.user.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
  t.is(pair.user.error?.origin, 'remote');
});

test('an element that falls silent while nothing is waited for is asked after the heartbeat interval, and given up a failure time-out later', (t) => {
  const pair = open();
  pair.run(10_000);
  t.is(pair.user.closes, 0);
  pair.elementProcess.freeze();
  // The last answer came after 7 s.
  pair.run(1400);
  t.is(pair.user.closes, 0);
  pair.run(200);
  t.is(pair.user.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
});

test('expect() watches as closely as an unacknowledged message', (t) => {
  const pair = open();
  pair.user.connection.expect(true);
  pair.elementProcess.freeze();
  pair.run(1050);
  t.is(pair.user.closes, 1);
});

test('an idle pair stays open for an hour, and so does a pair whose application takes its time', (t) => {
  const pair = open();
  pair.run(3_600_000);
  pair.element.taking = false;
  pair.user.send('slow');
  pair.run(3_600_000);
  t.is(pair.user.closes + pair.element.closes, 0);
  pair.element.connection.take(pair.element.messages[0]!);
  pair.run(10);
  t.is(pair.user.acknowledged, 1);
});

for (const silence of [1100, 5000, 3_600_000]) {
  test(`an element frozen for ${silence} ms hands on nothing of what its user has taken elsewhere`, (t) => {
    const pair = open();
    pair.user.send('before');
    pair.run(20);
    pair.elementProcess.freeze();
    // Some arrive in its system after the last lease, some before.
    pair.user.send('in its system');
    pair.run(300);
    pair.user.send('also in its system');
    pair.run(silence - 300);
    t.is(pair.user.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
    pair.elementProcess.thaw();
    pair.run(20_000);
    t.deepEqual(pair.element.texts, ['before']);
    t.is(pair.element.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
    t.is(pair.network.time.next, undefined);
  });
}

test('an element frozen within the lease goes on', (t) => {
  const pair = open();
  pair.elementProcess.freeze();
  pair.user.send('patience');
  pair.run(800);
  pair.elementProcess.thaw();
  pair.run(50);
  t.deepEqual(pair.element.texts, ['patience']);
  t.is(pair.user.acknowledged, 1);
  t.is(pair.user.closes, 0);
});

test('an element cut off from its user hands on nothing that arrives after the lease, until it has asked', (t) => {
  const pair = open({ user: { failureTimeout: 2000 } });
  pair.network.link(elementAddress, userAddress).latency = 5;
  pair.user.send('first');
  pair.run(20);
  // The way to the element takes longer than the lease.
  pair.network.link(userAddress, elementAddress).latency = 1900;
  pair.user.send('late');
  pair.run(1890);
  t.deepEqual(pair.element.texts, ['first']);
  pair.network.link(userAddress, elementAddress).latency = 5;
  pair.run(100);
  t.deepEqual(pair.element.texts, ['first', 'late']);
});

test('without a lease an element asks, once, and hands on in order when one comes', (t) => {
  const peer = new RawPeer('element');
  peer.say(magic, helloFrame({ poolHandle: 'echo' }));
  peer.say(Buffer.concat([data(whole, 1, 'one'), data(whole, 2, 'two'), frame(frameType.shutdown, words(3))]));
  t.deepEqual(peer.owner.texts, []);
  t.is(peer.of(frameType.heartbeat).filter(({ flags }) => (flags & 1) !== 0).length, 1);
  peer.lease(1000);
  t.deepEqual(peer.owner.texts, ['one', 'two', 'END']);
});

test('a lease that has run out when it arrives is none: the element asks again', (t) => {
  const peer = new RawPeer('element');
  peer.say(magic, helloFrame({ poolHandle: 'echo' }));
  peer.say(data(whole, 1, 'one'));
  peer.wait(100);
  const stamp = Math.floor((peer.network.time.now - 50) * 1000);
  peer.say(frame(frameType.heartbeat, words(0, stamp, 0, 40_000), 2));
  t.deepEqual(peer.owner.texts, []);
  t.is(peer.of(frameType.heartbeat).filter(({ flags }) => (flags & 1) !== 0).length, 2);
  // An age longer than the stamp is old is nonsense, and no echo at all is no lease.
  const now = Math.floor(peer.network.time.now * 1000);
  peer.say(frame(frameType.heartbeat, words(0, now, 1_000_000, 4_000_000), 2));
  peer.say(frame(frameType.heartbeat, words(0, now, 0, 4_000_000), 0));
  t.deepEqual(peer.owner.texts, []);
  peer.lease(1000);
  t.deepEqual(peer.owner.texts, ['one']);
});

test('a user whose own process was blocked does not blame the element', (t) => {
  const pair = open();
  pair.user.send('question');
  pair.element.taking = false;
  pair.run(100);
  pair.userProcess.freeze();
  pair.run(30_000 - 21_000);
  pair.userProcess.thaw();
  pair.run(500);
  t.is(pair.user.closes, 0);
  pair.element.connection.take(pair.element.messages[0]!);
  pair.run(20);
  t.is(pair.user.acknowledged, 1);
});

test('a user that is gone is given up after the user time-out', (t) => {
  const pair = open();
  pair.userProcess.freeze();
  pair.run(10_000);
  t.is(pair.element.closes, 0);
  pair.run(1000);
  t.is(pair.element.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
});

test('a user with a long heartbeat interval has three of them', (t) => {
  const pair = open({ user: { heartbeatInterval: 4000 } });
  pair.userProcess.freeze();
  pair.run(11_500);
  t.is(pair.element.closes, 0);
  pair.run(2000);
  t.is(pair.element.closes, 1);
});

test('a slow link is no silence: a large upload goes on as long as its bytes arrive', (t) => {
  const pair = open();
  pair.network.link(userAddress, elementAddress).bandwidth = 100;
  pair.user.send(new Uint8Array(1_000_000));
  for (let i = 0; i < 20; i++) pair.user.send(new Uint8Array(20_000));
  pair.run(60_000);
  t.is(pair.user.error, undefined);
  t.is(pair.element.messages.length, 21);
  t.is(pair.user.acknowledged, 21);
});

test('a hello that drips has its time as a whole', (t) => {
  const peer = new RawPeer('element', { helloTimeout: 3000 });
  const bytes = Buffer.concat([magic, helloFrame({ poolHandle: 'echo' })]);
  for (let i = 0; i < 6; i++) {
    peer.stream.write([bytes.subarray(i, i + 1)]);
    peer.wait(550);
  }
  t.is(peer.owner.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
  const user = new RawPeer('user', { failureTimeout: 1000 });
  for (let i = 0; i < 3; i++) {
    user.stream.write([bytes.subarray(i, i + 1)]);
    user.wait(400);
  }
  t.is(user.owner.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
});
