import test from 'ava';
import type { MappingConnection } from '../../lib/mapping/mapping.js';
import { abortCode } from '../../lib/mapping/mapping.js';
import { tcpMappingAddresses, tcpMappingOffer } from '../../lib/mapping/offer.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { dialTcpMapping } from '../../lib/mapping/tcp/dial.js';
import { frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import type { PoolElement } from '../../lib/wire/parameters.js';
import { connect, elementAddress, elementSide, Owner, open, Scene, sessionId, userSide } from './pair.js';
import { helloFrame, RawPeer } from './raw-peer.js';

test('both sides learn from the hellos who the other is', (t) => {
  const pair = open({
    userSide: {
      role: 'user',
      sessionId,
      poolHandle: 'echo',
      peIdentifier: 0x1234,
      failedOver: true,
      cookieFollows: true,
    },
  });
  t.deepEqual(pair.element.peer, {
    version: 1,
    sessionId,
    failedOver: true,
    cookieFollows: true,
    poolHandle: 'echo',
    peIdentifier: 0x1234,
  });
  t.deepEqual(pair.user.peer, {
    version: 1,
    sessionId: new Uint8Array(16),
    failedOver: false,
    cookieFollows: false,
    peIdentifier: 0x1234,
  });
});

for (const role of ['user', 'element'] as const) {
  test(`a newer ${role === 'user' ? 'element' : 'user'} that still speaks version 1 is spoken to in version 1`, (t) => {
    const peer = new RawPeer(role);
    peer.say(
      magic,
      helloFrame({
        poolHandle: 'echo',
        ...(role === 'user' ? { sessionId: new Uint8Array(16) } : {}),
        minVersion: 1,
        maxVersion: 200,
      }),
    );
    t.is(peer.owner.peer?.version, 1);
  });

  test(`a ${role} refuses a far side that speaks only newer versions, and says which it speaks`, (t) => {
    const peer = new RawPeer(role);
    peer.say(magic, helloFrame({ poolHandle: 'echo', minVersion: 2, maxVersion: 3 }));
    t.is(peer.abort?.code, abortCode.versionMismatch);
    t.regex(peer.abort?.reason ?? '', /2 to 3, we 1 to 1/);
    t.is(peer.owner.error?.code, 'ERR_RSERPOOL_VERSION_MISMATCH');
    t.is(peer.owner.peer, undefined);
  });
}

test('a hello for another pool or element is refused at both sides', (t) => {
  for (const hello of [{ poolHandle: 'other' }, { poolHandle: 'echo', peIdentifier: 0x9999 }, {}]) {
    const peer = new RawPeer('element');
    peer.say(magic, helloFrame(hello));
    t.is(peer.abort?.code, abortCode.wrongElement);
    t.is(peer.owner.error?.code, 'ERR_RSERPOOL_WRONG_ELEMENT');
    t.is(peer.of(frameType.hello).length, 0);
  }
  const user = new RawPeer('user');
  user.say(magic, helloFrame({ peIdentifier: 0x9999 }));
  t.is(user.abort?.code, abortCode.wrongElement);
  t.is(user.owner.error?.code, 'ERR_RSERPOOL_WRONG_ELEMENT');
});

test('a user that is connected to itself does not take itself for its element', (t) => {
  const user = new RawPeer('user');
  user.say(magic, helloFrame({ poolHandle: 'echo', peIdentifier: 0x1234, sessionId }));
  t.is(user.owner.error?.code, 'ERR_RSERPOOL_WRONG_ELEMENT');
});

test('an element says nothing before the user’s hello', (t) => {
  const peer = new RawPeer('element');
  peer.say(magic);
  peer.wait(1000);
  t.is(peer.received.length, 0);
});

test('nobody who says nothing holds a connection: the hello times out at both sides', (t) => {
  for (const [role, time] of [
    ['element', 3000],
    ['user', 1000],
  ] as const) {
    const peer = new RawPeer(role);
    peer.wait(time - 50);
    t.is(peer.owner.closes, 0);
    peer.wait(100);
    t.is(peer.owner.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
    t.is(peer.network.time.next, undefined);
  }
});

test('what is sent before the hello came waits for it', (t) => {
  const peer = new RawPeer('user');
  peer.owner.send('early');
  peer.wait(10);
  t.is(peer.of(frameType.data).length, 0);
  peer.say(magic, helloFrame());
  t.is(peer.of(frameType.data).length, 1);
});

interface Dialled {
  readonly scene: Scene;
  readonly outcome: { connection?: MappingConnection; errors?: readonly Error[] };
  readonly cancel: () => void;
}

/** A dial of elements at ports 1, 2 and 3, of which those in `answering` answer, as this element. */
function dial(answering: readonly { port: number; peIdentifier: number }[], ports: readonly number[]): Dialled {
  const scene = new Scene();
  for (const { port, peIdentifier } of answering) {
    scene.elementProcess.transport.listen(
      { host: elementAddress, port },
      {
        onListening() {},
        onError() {},
        onConnection: (stream) => {
          const side = { ...elementSide, peIdentifier } as typeof elementSide;
          const { clock } = scene.elementProcess;
          const connection = new TcpMappingConnection(stream, clock, tcpMappingOptions(), side);
          new Owner(connection);
          return connection.streamHandler;
        },
      },
    );
  }
  scene.run(1);
  const outcome: Dialled['outcome'] = {};
  const { transport, clock } = scene.userProcess;
  const addresses = ports.map((port) => ({ host: elementAddress, port }));
  const attempt = dialTcpMapping(transport, clock, tcpMappingOptions(), addresses, userSide, {
    onOpen: (connection) => {
      outcome.connection = connection;
      return new Owner(connection);
    },
    onFailed: (errors) => {
      outcome.errors = errors;
    },
  });
  return { scene, outcome, cancel: () => attempt.cancel() };
}

const codes = (errors: readonly Error[] | undefined) => errors?.map((error) => (error as NodeJS.ErrnoException).code);

test('a dial tries the addresses in turn until an element has said hello', (t) => {
  const { scene, outcome } = dial(
    [
      { port: 2, peIdentifier: 0x9999 },
      { port: 3, peIdentifier: 0x1234 },
    ],
    [1, 2, 3],
  );
  scene.run(100);
  t.is(outcome.connection?.remoteAddress.port, 3);
  t.is(outcome.errors, undefined);
});

test('a dial that reaches nobody says why, for each address', (t) => {
  const { scene, outcome } = dial([{ port: 2, peIdentifier: 0x9999 }], [1, 2]);
  scene.run(100);
  t.deepEqual(codes(outcome.errors), ['ECONNREFUSED', 'ERR_RSERPOOL_WRONG_ELEMENT']);
  const { scene: cut, outcome: cutOutcome } = dial([{ port: 1, peIdentifier: 0x1234 }], [1]);
  cut.network.cut('10.0.0.1', elementAddress);
  cut.run(1100);
  t.is(cutOutcome.connection === undefined, (codes(cutOutcome.errors) ?? []).length === 1);
});

test('a dial that is cancelled calls nobody and closes what it opened', (t) => {
  for (const after of [0, 1, 2, 3, 4]) {
    const dialled = dial([{ port: 1, peIdentifier: 0x1234 }], [1]);
    dialled.scene.run(after * 0.1);
    if (dialled.outcome.connection !== undefined) continue;
    dialled.cancel();
    dialled.scene.run(10_000);
    t.deepEqual(dialled.outcome, {});
    t.is(dialled.scene.userProcess.streams.size + dialled.scene.elementProcess.streams.size, 0);
  }
});

test('cancelling a dial that has succeeded leaves the connection alone', (t) => {
  const dialled = dial([{ port: 1, peIdentifier: 0x1234 }], [1]);
  dialled.scene.run(100);
  const owner = (dialled.outcome.connection as TcpMappingConnection).handler as Owner;
  dialled.cancel();
  dialled.scene.run(1000);
  t.is(owner.closes, 0);
});

test('where an element speaks the TCP mapping', (t) => {
  const tcp = { type: 'tcp', address: '10.0.0.9', port: 9, use: 'dataOnly' } as unknown as PoolElement['userTransport'];
  const element = { userTransport: tcp } as PoolElement;
  t.deepEqual(tcpMappingAddresses(element, false), []);
  t.deepEqual(tcpMappingAddresses(element, true), [{ host: '10.0.0.9', port: 9 }]);
  const offered = { ...element, mappings: [tcpMappingOffer([{ host: '::1', port: 7 }])] };
  t.deepEqual(tcpMappingAddresses(offered, false), [{ host: '::1', port: 7 }]);
  t.deepEqual(tcpMappingAddresses({ ...element, mappings: [{ ...offered.mappings[0]!, version: 0 }] }, false), []);
});

test('ref and unref reach the stream', (t) => {
  const pair = connect();
  pair.user.connection.unref();
  pair.user.connection.ref();
  t.is(pair.user.connection.mapping, 2);
  t.is(pair.user.connection.localAddress.host, '10.0.0.1');
});
