import test from 'ava';
import fc from 'fast-check';
import { abortCode } from '../../lib/mapping/mapping.js';
import { dataFlag, feature, frameType, helloFlag, magic } from '../../lib/mapping/tcp/frame.js';
import { seededRandom } from '../../lib/random.js';
import { type Owner, sessionId } from './pair.js';
import { data, frame, helloFrame, words } from './raw-peer.js';
import { RawResumer } from './raw-resumer.js';
import { ResumeScene } from './resume-scene.js';

const whole = dataFlag.begin | dataFlag.end;

test('a connection that breaks goes on at the same element, and its owners learn no more than that', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  user.send('one');
  scene.run(20);
  scene.sever();
  user.send('two');
  scene.run(100);
  const [element] = scene.accepted as [Owner];
  t.deepEqual(element.texts, ['one', 'two']);
  t.is(user.acknowledged, 2);
  t.true(user.events.includes('resume'));
  t.true(element.events.includes('resume'));
  t.is(user.closes + element.closes, 0);
  t.is(scene.sessions.parkedSessions, 0);
  t.false(element.messages[1]?.redelivered);
  // What was accepted for the second byte stream is gone, and nobody was told that it opened.
  t.deepEqual(scene.accepted[1]?.events, ['close']);
});

test('both directions are whole however often, and wherever, the connection breaks', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1 << 30 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 3 })), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }),
      (seed, sizes, cuts) => {
        const options = { window: 6000, longestPayload: 1024, highWaterMark: 1 << 20 };
        const network = { random: seededRandom(seed), fragment: true, receiveBuffer: 3000 };
        const scene = new ResumeScene({ user: options, element: options, network });
        const random = seededRandom(seed + 1);
        const user = scene.dial();
        const [element] = scene.accepted as [Owner];
        const content = (i: number, size: number): Uint8Array => new Uint8Array(size).fill(i & 0xff);
        // Handlers take their time, also while there is no connection; each message is answered with its own bytes.
        element.taking = false;
        let pending = 0;
        let ended = false;
        element.onArrival = (message) => {
          pending++;
          scene.elementProcess.clock.setTimeout(() => {
            const { sequence, streamId } = message;
            if (message.type === 'end') ended = true;
            else element.send(message.data, { inAnswerTo: sequence, lastAnswer: true, streamId });
            element.connection.take(message);
            if (--pending === 0 && ended) element.end();
          }, random.uniform() * 30);
        };
        const rest = sizes.map(([size, streamId], i) => ({ size, streamId, i }));
        for (const pause of cuts) {
          for (const { size, streamId, i } of rest.splice(0, 3))
            user.send(content(i, size), { streamId, unordered: streamId === 3 });
          scene.run(pause);
          scene.sever(random.uniform() < 0.5 ? 'lost' : 'arrives');
        }
        for (const { size, streamId, i } of rest) user.send(content(i, size), { streamId, unordered: streamId === 3 });
        user.end();
        scene.run(60_000);
        for (const owner of [element, user]) {
          t.is(owner.error, undefined);
          const messages = owner.messages.filter(({ type }) => type === 'message');
          t.is(messages.length, sizes.length);
          t.true(messages.every(({ redelivered }) => !redelivered));
          for (const stream of [0, 1, 2]) {
            const lengths = messages.filter(({ streamId }) => streamId === stream).map((one) => one.data.length);
            if (owner === element) {
              const sent = sizes.filter(([, streamId]) => streamId === stream);
              t.deepEqual(
                lengths,
                sent.map(([size]) => size),
              );
            }
          }
          t.is(owner.texts.at(-1), 'END');
        }
        t.deepEqual(
          user.messages
            .filter(({ type }) => type === 'message')
            .map(({ inAnswerTo }) => inAnswerTo)
            .sort((a, b) => a - b),
          sizes.map((_, i) => i + 1),
        );
        for (const { data: bytes, sequence, type } of element.messages) {
          if (type === 'message') t.true(bytes.every((byte) => byte === ((sequence - 1) & 0xff)));
        }
        t.is(scene.sessions.parkedSessions, 0);
        t.is(user.acknowledged, sizes.length + 1);
        t.is(element.acknowledged, sizes.length + 1);
      },
    ),
    { numRuns: 40 },
  );
});

test('an element that has not noticed is told by the hello: the former byte stream ends', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  const [stream] = scene.userStreams;
  user.send('one');
  scene.run(20);
  // Only the user's side knows.
  const { handler } = stream!;
  stream!.handler = { ...handler, onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
  handler.onClose(new Error('the network changed'));
  user.send('two');
  scene.run(100);
  const [element] = scene.accepted as [Owner];
  t.deepEqual(element.texts, ['one', 'two']);
  t.is(user.acknowledged, 2);
  t.is(element.closes, 0);
  t.is(scene.elementProcess.streams.size, 1);
});

test('acknowledgements and answers made while there is no connection go out with the next one', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  const [element] = scene.accepted as [Owner];
  element.taking = false;
  for (const text of ['1', '2', '3']) user.send(text);
  scene.run(20);
  scene.sever();
  scene.run(2);
  t.is(scene.sessions.parkedSessions, 1);
  element.send('answer', { inAnswerTo: 1, lastAnswer: true });
  for (const message of element.messages) element.connection.take(message);
  scene.run(100);
  t.is(user.acknowledged, 3);
  t.deepEqual(user.texts, ['answer']);
  t.deepEqual(
    user.events.filter((event) => event === 'message' || event.startsWith('acknowledged')),
    ['message', 'acknowledged 3'],
  );
});

test('an acknowledgement that was lost on its way is said again, after the answer that was lost with it', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  const [element] = scene.accepted as [Owner];
  element.onArrival = (message) => element.send(`answer to ${message.sequence}`, { inAnswerTo: message.sequence });
  user.send('question');
  scene.run(1.5);
  t.deepEqual(element.texts, ['question']);
  scene.sever('lost');
  t.is(user.acknowledged, 0);
  scene.run(100);
  t.is(user.acknowledged, 1);
  t.deepEqual(user.texts, ['answer to 1']);
  t.deepEqual(element.texts, ['question']);
});

test('control messages come exactly once, the last of each type', (t) => {
  const scene = new ResumeScene();
  scene.dial();
  const user = scene.dial(seededRandom(9).bytes(16));
  const [, element] = scene.accepted as [Owner, Owner];
  const cookie = (byte: number): Uint8Array => Uint8Array.of(0x0b, 0, 0, 8, byte, 0, 0, 0);
  element.connection.sendControl(cookie(1));
  scene.run(20);
  scene.sever();
  scene.run(100);
  t.deepEqual(
    user.controls.map((message) => message[4]),
    [1],
  );
  scene.sever();
  element.connection.sendControl(cookie(2));
  element.connection.sendControl(cookie(3));
  scene.run(100);
  scene.sever();
  scene.run(100);
  t.deepEqual(
    user.controls.map((message) => message[4]),
    [1, 3],
  );
});

test('a wish to go elsewhere outlives the byte stream', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  const [element] = scene.accepted as [Owner];
  element.taking = false;
  user.send('under way');
  scene.run(20);
  scene.sever();
  element.connection.goElsewhere();
  scene.run(100);
  t.true(user.events.includes('goElsewhere'));
});

test('an element that is dead is left at once, for the reason that broke the connection', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  scene.elementProcess.kill();
  scene.run(20);
  t.is(user.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  t.is(user.closes, 1);
});

test('an element that cannot be reached is left when no lease of it can last any more', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  user.send('one');
  scene.run(20);
  const [element] = scene.accepted as [Owner];
  scene.elementProcess.freeze();
  user.send('two');
  scene.run(2);
  scene.sever();
  scene.run(990);
  t.is(user.closes, 0);
  scene.run(30);
  t.is(user.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  scene.elementProcess.thaw();
  scene.run(20_000);
  // Others may have it by now.
  t.deepEqual(element.texts, ['one']);
  t.is(element.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  t.is(scene.network.time.next, undefined);
});

for (const stop of [600, 1001, 1100, 1240, 3000]) {
  test(`a user that was stopped itself for ${stop} ms while it came back does not blame the element`, (t) => {
    const scene = new ResumeScene();
    const user = scene.dial();
    scene.run(20);
    scene.sever();
    // The reset is read, and what answers the new connection is not.
    scene.run(1.5);
    scene.userProcess.freeze();
    scene.run(stop);
    scene.userProcess.thaw();
    user.send('still here');
    scene.run(200);
    t.is(user.closes, 0);
    t.is(user.acknowledged, 1);
  });
}

test('an element keeps a session for so long and no longer', (t) => {
  const scene = new ResumeScene({ element: { resumeTimeout: 2000 } });
  scene.dial();
  const [element] = scene.accepted as [Owner];
  scene.userProcess.kill();
  scene.run(1900);
  t.is(element.closes, 0);
  t.is(scene.sessions.parkedSessions, 1);
  scene.run(200);
  t.is(element.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  t.regex(element.error?.message ?? '', /did not come back within 2000 ms/);
  t.is(scene.sessions.parkedSessions, 0);
  t.is(scene.network.time.next, undefined);
});

test('more sessions than may be kept: the one kept longest ends', (t) => {
  const scene = new ResumeScene({ element: { parkedSessions: 2 }, user: { reconnectTimeout: 0 } });
  for (const byte of [1, 2, 3]) scene.dial(new Uint8Array(16).fill(byte));
  t.deepEqual(
    scene.accepted.map(({ closes }) => closes),
    [0, 0, 0],
  );
  scene.sever();
  scene.run(50);
  // Users that do not resume are not waited for.
  t.deepEqual(
    scene.accepted.map(({ closes }) => closes),
    [1, 1, 1],
  );
  const able = new ResumeScene({ element: { parkedSessions: 2 } });
  for (const byte of [1, 2, 3]) able.dial(new Uint8Array(16).fill(byte));
  able.userProcess.kill();
  able.run(50);
  t.is(able.sessions.parkedSessions, 2);
  t.deepEqual(
    able.accepted.map(({ closes }) => closes),
    [1, 0, 0],
  );
});

test('more bytes than may be kept: the one kept longest ends, also when it is the one that grows', (t) => {
  const scene = new ResumeScene({ element: { parkedBytes: 10_000 } });
  for (const byte of [1, 2]) scene.dial(new Uint8Array(16).fill(byte));
  const [first, second] = scene.accepted as [Owner, Owner];
  first.send(new Uint8Array(4000));
  scene.userProcess.kill();
  scene.run(50);
  t.is(scene.sessions.parkedSessions, 2);
  second.send(new Uint8Array(7000));
  t.is(scene.sessions.parkedSessions, 1);
  scene.run(1);
  t.is(first.closes, 1);
  t.regex(first.error?.message ?? '', /need the room/);
  second.send(new Uint8Array(7000));
  scene.run(1);
  t.is(second.closes, 1);
});

test('a session that begins anew under the same identifier ends the one that waits', (t) => {
  const scene = new ResumeScene();
  scene.dial();
  const [first] = scene.accepted as [Owner];
  scene.dial();
  t.is(first.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
  t.regex(first.error?.message ?? '', /began anew/);
  t.is(scene.accepted[1]?.closes, 0);
});

test('what has been taken by neither is given back to neither: an end that was under way', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  const [element] = scene.accepted as [Owner];
  element.onArrival = (message) => message.type === 'end' && element.end();
  user.send('last');
  user.end();
  scene.sever();
  scene.run(5000);
  t.deepEqual(element.texts, ['last', 'END']);
  t.deepEqual(user.texts, ['END']);
  t.is(user.error, undefined);
  t.is(element.error, undefined);
});

for (const [what, flags, hello, code, reason] of [
  ['a session that does not exist', helloFlag.resume, { sessionId: new Uint8Array(16).fill(7) }, 10, /no session/],
  ['a session that does not exist, of zeros', helloFlag.resume, { sessionId: new Uint8Array(16) }, 10, /no session/],
  ['a session without saying where', helloFlag.resume, { resume: undefined }, 1, /without saying where/],
  ['more messages than were sent', helloFlag.resume, { resume: { messages: 3, controls: 0 } }, 1, /cannot be/],
  ['fewer than were acknowledged', helloFlag.resume, { resume: { messages: 0, controls: 0 } }, 1, /cannot be/],
  ['an absurd count', helloFlag.resume, { resume: { messages: 0x8000_0000, controls: 0 } }, 1, /cannot be/],
] as const) {
  test(`resuming ${what} is refused, and harms nobody`, (t) => {
    const scene = new ResumeScene();
    const user = scene.dial();
    const [element] = scene.accepted as [Owner];
    element.send('one');
    element.send('two');
    user.taking = false;
    scene.run(20);
    user.connection.take(user.messages[0]!);
    scene.run(20);
    const { resume = 'none', ...rest } = hello as { resume?: { messages: number; controls: number } };
    const named = 'resume' in hello ? (resume === 'none' ? {} : { resume }) : { resume: { messages: 0, controls: 0 } };
    const raw = new RawResumer(scene);
    raw.say(magic, helloFrame({ sessionId, poolHandle: 'echo', features: feature.resume, ...named, ...rest }, flags));
    t.is(raw.abort?.code, code);
    t.regex(raw.abort?.reason ?? '', reason);
    t.is(element.closes, 0);
    t.false(element.events.includes('resume'));
    user.connection.take(user.messages[1]!);
    scene.run(50);
    t.is(element.acknowledged, 2);
    scene.run(20_000);
    t.is(scene.elementProcess.streams.size, 1);
  });
}

test('a user that resumes says nothing before the element has: what follows its hello is judged as any other bytes', (t) => {
  const scene = new ResumeScene();
  scene.dial();
  const [element] = scene.accepted as [Owner];
  const raw = new RawResumer(scene);
  const resume = { messages: 0, controls: 0 };
  const hello = helloFrame({ sessionId, poolHandle: 'echo', features: feature.resume, resume }, helloFlag.resume);
  raw.say(magic, Buffer.concat([hello, data(whole, 5, 'early'), frame(0x7f)]));
  t.is(raw.abort?.code, abortCode.protocolError);
  t.is(element.error?.code, 'ERR_RSERPOOL_PROTOCOL');
  // No lease came with it.
  t.deepEqual(element.texts, []);
});

test('an element that takes a session for a new one, or answers what nobody asked, is left', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  const raw = new RawResumer(scene, 'element');
  scene.sever();
  scene.run(20);
  raw.answer(magic, helloFrame({ features: feature.resume }));
  t.is(raw.abort?.code, abortCode.failedOver);
  t.is(user.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

test('an element whose count cannot be: protocol error', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  user.send('one');
  scene.run(20);
  const raw = new RawResumer(scene, 'element');
  scene.sever();
  scene.run(20);
  raw.answer(magic, helloFrame({ features: feature.resume, resume: { messages: 9, controls: 0 } }, helloFlag.resume));
  t.is(raw.abort?.code, abortCode.protocolError);
  t.is(user.error?.code, 'ERR_RSERPOOL_PROTOCOL');
});

test('an acknowledgement of what was received and not sent anew is none of the far side’s business', (t) => {
  const scene = new ResumeScene();
  const user = scene.dial();
  user.send('one');
  scene.run(20);
  const raw = new RawResumer(scene, 'element');
  scene.sever();
  scene.run(20);
  raw.answer(
    magic,
    helloFrame({ features: feature.resume, resume: { messages: 1, controls: 0 } }, helloFlag.resume),
    frame(frameType.acknowledgement, words(2)),
  );
  t.is(raw.abort?.code, abortCode.protocolError);
  t.regex(raw.abort?.reason ?? '', /of 2 messages; 1 were sent/);
});
