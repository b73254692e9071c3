import test from 'ava';
import { abortCode } from '../../lib/mapping/mapping.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { dataFlag, frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { open, type Pair, Scene, userSide } from './pair.js';
import { data, frame, helloFrame, RawPeer, words } from './raw-peer.js';

const whole = dataFlag.begin | dataFlag.end;

/** Both connections closed without error, all was acknowledged, and nothing is left to happen. */
function isQuiet({ user, element, network }: Pair): boolean {
  return (
    [user, element].every((owner) => owner.closes === 1 && owner.error === undefined) && network.time.next === undefined
  );
}

test('when both have ended and taken everything, both close without error and leave no timer', (t) => {
  const pair = open();
  pair.user.send('question');
  pair.user.end();
  pair.run(20);
  t.deepEqual(pair.element.texts, ['question', 'END']);
  t.is(pair.user.acknowledged, 2);
  pair.element.send('answer');
  pair.element.end();
  pair.run(10_000);
  t.deepEqual(pair.user.texts, ['answer', 'END']);
  t.is(pair.element.acknowledged, 2);
  t.true(isQuiet(pair));
});

for (const order of ['take after end', 'take before end'] as const) {
  test(`the last acknowledgement is not lost when an end is answered by an end in one breath (${order})`, (t) => {
    const pair = open();
    pair.element.taking = false;
    pair.element.onArrival = (message) => {
      if (order === 'take before end') pair.element.connection.take(message);
      if (message.type === 'end') pair.element.end();
      if (order === 'take after end') pair.element.connection.take(message);
    };
    pair.user.end();
    pair.run(500);
    t.deepEqual(pair.user.texts, ['END']);
    t.is(pair.user.error, undefined);
    t.is(pair.element.error, undefined);
    t.is(pair.element.acknowledged, 1);
    t.is(pair.user.acknowledged, 1);
    t.true(isQuiet(pair));
  });
}

test('both ends cross: both close without error', (t) => {
  const pair = open();
  pair.user.send('a');
  pair.user.end();
  pair.element.send('b');
  pair.element.end();
  pair.run(10_000);
  t.true(isQuiet(pair));
});

test('an end that is not taken keeps the connection open', (t) => {
  const pair = open();
  pair.element.taking = false;
  pair.user.end();
  pair.element.end();
  pair.run(30_000);
  t.is(pair.user.closes + pair.element.closes, 0);
  pair.element.connection.take(pair.element.messages[0]!);
  pair.run(2000);
  t.true(isQuiet(pair));
});

test('the whole end in one segment, and a question with it: closed without error', (t) => {
  const peer = new RawPeer('element');
  peer.open();
  peer.owner.end();
  peer.wait(10);
  // The far side asks, ends, acknowledges our end and closes, all at once.
  peer.stream.write([
    frame(frameType.shutdown, words(1)),
    frame(frameType.acknowledgement, words(1)),
    frame(frameType.heartbeat, words(1, 0, 0, 0), 1),
  ]);
  peer.stream.end();
  peer.wait(2000);
  t.is(peer.owner.closes, 1);
  t.is(peer.owner.error, undefined);
});

test('FIN without a shutdown is a broken connection, even after everything was acknowledged', (t) => {
  for (const reset of [undefined, 'reset'] as const) {
    const peer = new RawPeer('element');
    peer.open();
    peer.say(data(whole, 1, 'x'));
    peer.stream.destroy(reset);
    peer.wait(10);
    t.is(peer.owner.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
    t.is(peer.owner.error?.origin, 'remote');
    t.deepEqual(peer.owner.texts, ['x']);
    t.is(peer.network.time.next, undefined);
  }
});

test('FIN in the middle of a frame: what came whole before it is handed on, the rest is not', (t) => {
  const peer = new RawPeer('user');
  peer.say(magic, helloFrame());
  peer.stream.write([
    data(whole, 1, 'whole'),
    data(dataFlag.begin, 2, 'half'),
    data(whole, 3, 'cut', 1).subarray(0, 21),
  ]);
  peer.stream.end();
  peer.wait(10);
  t.deepEqual(peer.owner.texts, ['whole']);
  t.is(peer.owner.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

test('a far side that never closes after the end is left after the close time-out, whatever it says', (t) => {
  const peer = new RawPeer('element', { closeTimeout: 500 });
  peer.open();
  peer.owner.end();
  peer.say(frame(frameType.shutdown, words(1)), frame(frameType.acknowledgement, words(1)));
  t.deepEqual(peer.ends, ['end']);
  for (let i = 0; i < 4; i++) {
    peer.say(frame(frameType.heartbeat, words(1, 0, 0, 0), 1));
    peer.wait(95);
  }
  t.is(peer.owner.closes, 0);
  peer.wait(150);
  t.is(peer.owner.closes, 1);
  t.is(peer.owner.error, undefined);
});

test('abort: the far side learns code and reason, we close without error, and both streams end', (t) => {
  const pair = open();
  pair.element.connection.abort(abortCode.application, 'enough');
  pair.run(5000);
  t.is(pair.element.closes, 1);
  t.is(pair.element.error, undefined);
  t.is(pair.user.error?.code, 'ERR_RSERPOOL_ABORTED');
  t.regex(pair.user.error?.message ?? '', /enough/);
  t.is(pair.network.time.next, undefined);
  t.is(pair.userProcess.streams.size + pair.elementProcess.streams.size, 0);
});

test('abort says first what was taken', (t) => {
  const pair = open();
  pair.user.send('done');
  pair.user.send('fails');
  pair.element.taking = false;
  pair.element.onArrival = (message) => {
    if (pair.element.messages.length === 1) pair.element.connection.take(message);
    else pair.element.connection.abort(abortCode.handlerFailed, 'the message handler failed');
  };
  pair.run(100);
  t.is(pair.user.acknowledged, 1);
  t.is(pair.user.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

test('a user that gives up before its hello has left speaks the mapping all the same', (t) => {
  const scene = new Scene();
  const received: Uint8Array[] = [];
  scene.streams(
    (stream) => {
      const connection = new TcpMappingConnection(stream, scene.userProcess.clock, tcpMappingOptions(), userSide);
      connection.abort(0, 'no longer wanted');
      return stream.handler;
    },
    () => ({ onData: (chunk) => void received.push(chunk), onDrain() {}, onEnd() {}, onClose() {} }),
  );
  scene.run(100);
  const bytes = Buffer.concat(received);
  t.deepEqual([...bytes.subarray(0, 9)], [...magic, frameType.hello]);
  t.true(bytes.includes('no longer wanted'));
});

test('failing over resets the stream: nothing that waits in the system is delivered later', (t) => {
  const pair = open();
  pair.network.cut('10.0.0.1', '10.0.0.2');
  pair.user.send('must not arrive');
  pair.run(10);
  pair.user.connection.abort(abortCode.failedOver, 'elsewhere');
  pair.run(10);
  pair.network.join('10.0.0.1', '10.0.0.2');
  pair.run(10);
  t.deepEqual(pair.element.texts, []);
  t.is(pair.element.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

test('calls after the close are harmless', (t) => {
  const pair = open();
  pair.user.send('x');
  pair.run(10);
  const { connection } = pair.element;
  connection.abort(abortCode.application, 'bye');
  pair.run(10);
  pair.element.send('late');
  connection.sendControl(new Uint8Array(4));
  connection.take(pair.element.messages[0]!);
  connection.expect(true);
  connection.goElsewhere();
  connection.abort(1, 'again');
  pair.run(10_000);
  t.is(pair.element.closes, 1);
  t.is(pair.network.time.next, undefined);
});
