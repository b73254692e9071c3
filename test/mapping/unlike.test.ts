import test from 'ava';
import { abortCode } from '../../lib/mapping/mapping.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { feature, frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { ResumableSessions } from '../../lib/mapping/tcp/resumable-sessions.js';
import type { ByteStream } from '../../lib/transport/transport.js';
import { hex, toHex } from '../vectors/hex.js';
import { elementSide, Owner, Scene, userSide } from './pair.js';
import { data, frame, RawPeer, words } from './raw-peer.js';

/** As implementations say it that know no features: recorded from the first one. */
const first = {
  user: hex(
    'f252536572500d0a 01000000 00000040 01010000 00000000 0102030405060708090a0b0c0d0e0f10' +
      '00010000 01000000 00100000 000003e8 000005dc 000003e8 00090008 6563686f 000e0008 00001234',
  ),
  element: hex(
    'f252536572500d0a 01000000 00000038 01010000 00000000 00000000000000000000000000000000' +
      '00010000 01000000 00100000 000003e8 000005dc 000007d0 000e0008 00001234',
  ),
};

/** Ours, and so what others have to get along with. */
const ours = {
  user:
    'f252536572500d0a 01000000 00000048 01010000 00000006 0102030405060708090a0b0c0d0e0f10' +
    '00010000 01000000 00100000 000003e8 00000dac 000003e8 00090008 6563686f 000e0008 00001234 82550008 00000010',
  element:
    'f252536572500d0a 01000000 00000040 01010000 00000006 00000000000000000000000000000000' +
    '00010000 01000000 00100000 000003e8 00000dac 000007d0 000e0008 00001234 82550008 00000010',
};

/** The same where the process shares its heartbeats. */
const sharing = {
  user:
    'f252536572500d0a 01000000 00000058 01010000 00000006 0102030405060708090a0b0c0d0e0f10' +
    '00010000 01000000 00100000 000003e8 00000dac 000003e8 00090008 6563686f 000e0008 00001234 82550008 00000010' +
    '82560010 1122334455667788 00007530',
  element:
    'f252536572500d0a 01000000 00000050 01010000 00000006 00000000000000000000000000000000' +
    '00010000 01000000 00100000 000003e8 00000dac 000007d0 000e0008 00001234 82550008 00000010' +
    '82560010 1122334455667788 00007530',
};

/** As some later version may say it: versions 1 to 7, all features, unknown flags and parameters. */
const later = {
  user: hex(
    'f252536572500d0a 01f00000 00000068 01070000 ffffffff 0102030405060708090a0b0c0d0e0f10' +
      '00040000 7fffffff 7fffffff 000003e8 000005dc 000003e8 00090008 6563686f 000e0008 00001234' +
      '82550008 00000400 82990006 abcd0000 9000000c 0000000000000000 c1230008 00000000 ffff0004',
  ),
  element: hex(
    'f252536572500d0a 01f80000 0000004c 01070000 ffffffff 00000000000000000000000000000000' +
      '00040000 7fffffff 7fffffff 000003e8 000005dc 000007d0 000e0008 00001234 82550008 00000400 82990005 ab000000 ffff0004',
  ),
};

/** The same with other versions: bytes 16 and 17. */
function versions(bytes: Uint8Array, least: number, most: number): Uint8Array {
  const changed = bytes.slice();
  changed[16] = least;
  changed[17] = most;
  return changed;
}

test('the hellos that we say are those that are recorded, but for the stamp', (t) => {
  const user = new RawPeer('user');
  user.wait(5);
  t.is(withoutStamp(user.received), withoutStamp(hex(ours.user)));
  const element = new RawPeer('element');
  element.say(first.user);
  t.is(withoutStamp(element.received.subarray(0, hex(ours.element).length)), withoutStamp(hex(ours.element)));
});

test('a process that shares its heartbeats says so to all, and shares them with those that say it too', (t) => {
  for (const role of ['user', 'element'] as const) {
    const other = role === 'user' ? 'element' : 'user';
    for (const hello of [first[other], hex(sharing[other]), later[other]]) {
      const peer = new RawPeer(role, {}, {}, 'sharing');
      peer.say(hello);
      const said = hex(sharing[role]);
      const received = peer.received.subarray(0, said.length);
      // Its identifier is its own.
      const identified = Buffer.concat([received.subarray(0, -12), said.subarray(-12, -4), received.subarray(-4)]);
      t.is(withoutStamp(identified), withoutStamp(said));
      t.notDeepEqual(received.subarray(-12, -4), Buffer.from(said.subarray(-12, -4)));
      t.deepEqual(peer.owner.events, ['open']);
      // A user asks one that shares as one that does not: where it has no other connection, this is the one.
      peer.wait(3600);
      t.is(peer.of(frameType.heartbeat).length, role === 'user' ? 1 : 0);
    }
  }
});

/** All but the four bytes of the stamp. */
function withoutStamp(bytes: Uint8Array): string {
  return toHex(Buffer.concat([bytes.subarray(0, 60), bytes.subarray(64)]));
}

test('an old user and a new element work together, without what the old one does not know', (t) => {
  const peer = new RawPeer('element', { longestPayload: 1024 });
  peer.say(first.user);
  peer.lease(60_000);
  const { features } = peer.owner.connection;
  t.deepEqual([features.resume, features.unordered, features.streams], [false, false, true]);
  peer.say(data(3, 1, 'hello'));
  t.deepEqual(peer.owner.texts, ['hello']);
  for (let i = 1; i <= 3; i++) peer.owner.send(new Uint8Array(2500), { streamId: i, unordered: true });
  peer.wait(20);
  const sequences = peer.of(frameType.data).map(({ body }) => Buffer.from(body).readUInt32BE());
  t.deepEqual(sequences, [1, 1, 1, 2, 2, 2, 3, 3, 3]);
  t.true(peer.of(frameType.data).every(({ flags }) => flags < 0x40));
  t.true(peer.frames.every(({ type }) => type <= frameType.goElsewhere));
  t.is(peer.abort, undefined);
});

test('a new user and an old element work together, without what the old one does not know', (t) => {
  const peer = new RawPeer('user', { longestPayload: 1024 });
  peer.say(first.element);
  const { features } = peer.owner.connection;
  t.deepEqual([features.resume, features.unordered], [false, false]);
  for (let i = 1; i <= 3; i++) peer.owner.send(new Uint8Array(2500), { streamId: i, unordered: true });
  peer.wait(20);
  const sequences = peer.of(frameType.data).map(({ body }) => Buffer.from(body).readUInt32BE());
  t.deepEqual(sequences, [1, 1, 1, 2, 2, 2, 3, 3, 3]);
  peer.say(frame(frameType.acknowledgement, words(3)));
  t.is(peer.owner.acknowledged, 3);
});

test('the session of an old user ends with its byte stream, as it always did; so does one at an old element', (t) => {
  for (const role of ['user', 'element'] as const) {
    const scene = new Scene();
    const { clock } = scene.elementProcess;
    const options = tcpMappingOptions();
    const sessions = new ResumableSessions(clock, options);
    let owner: Owner | undefined;
    let raw: ByteStream | undefined;
    let reconnected = 0;
    const byHand = (stream: ByteStream) => {
      raw = stream;
      return { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
    };
    const tested = (stream: ByteStream) => {
      const side =
        role === 'element'
          ? { ...elementSide, sessions }
          : {
              ...userSide,
              reconnect: () => {
                reconnected++;
                return { cancel() {} };
              },
            };
      const connection = new TcpMappingConnection(stream, scene.userProcess.clock, options, side);
      owner = new Owner(connection);
      return connection.streamHandler;
    };
    scene.streams(role === 'user' ? tested : byHand, role === 'user' ? byHand : tested);
    raw?.write([role === 'user' ? first.element : first.user]);
    scene.run(10);
    t.deepEqual(owner?.events, ['open']);
    raw?.destroy('reset');
    scene.run(10);
    t.is(owner?.error?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
    t.is(sessions.parkedSessions + reconnected, 0);
  }
});

test('a later version that still speaks ours is taken at ours, its additions skipped', (t) => {
  for (const role of ['user', 'element'] as const) {
    const peer = new RawPeer(role);
    peer.say(role === 'user' ? later.element : later.user);
    t.is(peer.owner.peer?.version, 1);
    t.is(peer.abort, undefined);
    t.true(peer.owner.connection.features.unordered);
    // No side can resume that has nowhere to go, whatever the other one says.
    t.false(peer.owner.connection.features.resume);
    peer.owner.send('still here');
    peer.say(frame(0x91, [1, 2, 3]), frame(0xfe, new Uint8Array(1000), 0xff, 77));
    t.is(peer.owner.closes, 0);
    t.is(peer.of(frameType.data).length, 1);
  }
});

test('a version that speaks no other than its own, or an older one than any: abort with code 2', (t) => {
  for (const [least, most] of [
    [2, 2],
    [7, 255],
  ] as const) {
    const element = new RawPeer('element');
    element.say(versions(later.user, least, most));
    t.is(element.abort?.code, abortCode.versionMismatch);
    t.is(element.owner.error?.code, 'ERR_RSERPOOL_VERSION_MISMATCH');
    const user = new RawPeer('user');
    user.say(versions(later.element, least, most));
    t.is(user.abort?.code, abortCode.versionMismatch);
    t.is(user.owner.error?.code, 'ERR_RSERPOOL_VERSION_MISMATCH');
  }
});

test('a parameter that must be understood and is not: abort with code 1', (t) => {
  for (const type of ['0012', '7fff', '0253']) {
    const peer = new RawPeer('element');
    const changed = later.user.slice();
    changed.set(hex(`${type}0004`), changed.length - 4);
    peer.say(changed);
    t.is(peer.abort?.code, abortCode.protocolError);
    t.regex(peer.abort?.reason ?? '', /unknown parameter/);
  }
});

test('every beginning of a hello, old or later, is waited for; none is taken for a whole one', (t) => {
  for (const bytes of [first.user, later.user]) {
    for (let length = magic.length; length < bytes.length; length += 3) {
      const peer = new RawPeer('element');
      peer.say(bytes.subarray(0, length));
      t.deepEqual(peer.owner.events, []);
      peer.say(bytes.subarray(length));
      t.deepEqual(peer.owner.events, ['open']);
    }
  }
  t.is(feature.resume | feature.interleaving | feature.unordered, 7);
});
