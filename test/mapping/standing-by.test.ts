import test from 'ava';
import { abortCode, type MappingConnection } from '../../lib/mapping/mapping.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { type DialCallbacks, dialTcpMapping } from '../../lib/mapping/tcp/dial.js';
import { dataFlag, frameType, heartbeatFlag, helloFlag, magic } from '../../lib/mapping/tcp/frame.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { type Dial, PreparedConnection } from '../../lib/mapping/tcp/prepared-connection.js';
import { elementAddress, elementPort, elementSide, Owner, Scene, userSide } from './pair.js';
import { data, frame, helloFrame, RawPeer, words } from './raw-peer.js';
import { ResumeScene } from './resume-scene.js';

const address = { host: elementAddress, port: elementPort };
const options = tcpMappingOptions({ heartbeatInterval: 50, failureTimeout: 500 });
const latency = 1;
/** A byte stream is open after a round trip, and hello is answered after another. */
const greeted = 4 * latency;
const standingBy = [magic, helloFrame({ poolHandle: 'echo' }, helloFlag.standBy)];

/** An element, and a user that is about to need it. */
class PreparedScene extends Scene {
  readonly elements: Owner[] = [];
  readonly users: Owner[] = [];
  readonly failures: (readonly Error[])[] = [];
  reached = 0;
  failed = 0;
  readonly prepared: PreparedConnection;

  constructor(listening: boolean = true) {
    super({ latency });
    if (listening) {
      this.elementProcess.transport.listen(address, {
        onListening() {},
        onError() {},
        onConnection: (stream) => {
          const connection = new TcpMappingConnection(stream, this.elementProcess.clock, options, elementSide);
          this.elements.push(new Owner(connection));
          return connection.streamHandler;
        },
      });
    }
    this.run(0);
    const { transport, clock } = this.userProcess;
    const dial: Dial = (connector, callbacks, standBy) =>
      dialTcpMapping(
        connector,
        clock,
        options,
        [address],
        { ...userSide, ...(standBy === undefined ? {} : { standBy }) },
        callbacks,
      );
    this.prepared = new PreparedConnection(transport, clock, address, 100, dial, {
      onReached: () => this.reached++,
      onFailed: () => this.failed++,
    });
  }

  claim(): { cancel(): void } {
    const callbacks: DialCallbacks = {
      onOpen: (connection: MappingConnection, peer) => {
        const owner = new Owner(connection);
        owner.onOpen(peer);
        this.users.push(owner);
        return owner;
      },
      onFailed: (errors) => this.failures.push(errors),
    };
    return this.prepared.claim(callbacks);
  }

  get left(): readonly number[] {
    return [this.userProcess, this.elementProcess].map((process) => process.streams.size);
  }
}

test('an element stands by until it is needed, however long, and begins within one way', (t) => {
  const scene = new PreparedScene();
  scene.run(greeted);
  t.is(scene.reached, 1);
  t.true(scene.prepared.isReached);
  scene.run(400);
  t.deepEqual(scene.elements[0]?.events, []);
  scene.claim();
  t.is(scene.users.length, 0, 'never from within the call');
  scene.run(0);
  t.deepEqual(scene.users[0]?.events, ['open']);
  scene.run(latency);
  t.deepEqual(scene.elements[0]?.events, ['open'], 'even if there is nothing to say');
  scene.users[0]?.send('go on');
  scene.run(latency);
  t.deepEqual(scene.elements[0]?.texts, ['go on']);
  // The time of standing by is nobody's round trip.
  scene.run(1000);
  t.is(scene.users[0]?.connection.rtt, 2 * latency);
  t.is(scene.elements.length, 1);
});

test('one that has stood by executes what comes first, without asking for another lease', (t) => {
  const scene = new PreparedScene();
  scene.run(greeted + 50);
  scene.claim();
  scene.run(0);
  scene.users[0]?.send('first');
  scene.run(latency);
  t.deepEqual(scene.elements[0]?.events, ['open', 'message']);
});

test('whoever is needed while it is connected to, or said hello to, begins as soon as it can', (t) => {
  for (const [after, opened] of [
    [0, greeted],
    [2 * latency, greeted],
    [3 * latency, greeted],
  ] as const) {
    const scene = new PreparedScene();
    scene.run(after);
    scene.claim();
    scene.run(opened - after - 0.5);
    t.is(scene.users.length, 0);
    scene.run(0.5);
    t.is(scene.users.length, 1);
    scene.users[0]?.send('go on');
    scene.run(latency);
    t.deepEqual(scene.elements[0]?.texts, ['go on']);
    t.is(scene.elements.length, 1);
  }
});

test('an element that is not needed never hears of a session, and nothing is left', (t) => {
  for (const after of [0, latency, 2 * latency, 3 * latency, greeted, 50]) {
    const scene = new PreparedScene();
    scene.run(after);
    scene.prepared.drop();
    scene.run(1500);
    t.false(scene.prepared.isReached);
    for (const { events } of scene.elements) t.deepEqual(events, ['close']);
    t.deepEqual(scene.left, [0, 0]);
    t.is(scene.userProcess.pendingTimers + scene.elementProcess.pendingTimers, 0);
  }
});

test('a claim that is cancelled ends it too', (t) => {
  for (const after of [2 * latency, greeted, greeted + 10]) {
    const scene = new PreparedScene();
    scene.run(after);
    scene.claim().cancel();
    scene.run(1500);
    t.is(scene.users.length + scene.failures.length, 0);
    t.deepEqual(scene.left, [0, 0]);
  }
});

test('an element that is lost while it stands by, and needed all the same, has failed', (t) => {
  const scene = new PreparedScene();
  scene.run(greeted);
  scene.elementProcess.kill();
  scene.run(10);
  t.false(scene.prepared.isReached);
  t.is(scene.failed, 1);
  t.is(scene.failures.length, 0);
  scene.claim();
  scene.run(0);
  t.is(scene.failures.length, 1);
  t.is((scene.failures[0]?.[0] as NodeJS.ErrnoException | undefined)?.code, 'ERR_RSERPOOL_CONNECTION_BROKEN');
});

test('where nobody listens, who needs it hears that', (t) => {
  const scene = new PreparedScene(false);
  scene.run(10);
  t.is(scene.reached, 0);
  t.is(scene.failed, 1);
  scene.claim();
  scene.run(0);
  t.is((scene.failures[0]?.[0] as NodeJS.ErrnoException | undefined)?.code, 'ECONNREFUSED');
});

test('a heartbeat or a control message begins the session of an element that stands by, and is heeded', (t) => {
  const whole = dataFlag.begin | dataFlag.end;
  const heartbeat = frame(frameType.heartbeat, words(0, 0, 0, 0), 0);
  const control = data(whole, 0, new Uint8Array(4), 0, 11);
  const message = data(whole, 1, 'has no lease');
  for (const [said, events] of [
    [[heartbeat], ['open']],
    [[control], ['open', 'control']],
    [
      [control, heartbeat, control],
      ['open', 'control', 'control'],
    ],
    [[frame(0x91)], []],
    [[message], []],
    [[message, heartbeat], ['open']],
    [[helloFrame({ poolHandle: 'echo' })], ['close']],
    [[frame(frameType.goElsewhere)], ['close']],
    [
      [heartbeat, frame(frameType.goElsewhere)],
      ['open', 'close'],
    ],
  ] as const) {
    const together = new RawPeer('element');
    together.say(...standingBy, ...said);
    t.deepEqual(together.owner.events, [...events]);
    const apart = new RawPeer('element');
    apart.say(...standingBy);
    t.is(apart.of(frameType.hello).length, 1);
    t.deepEqual(apart.owner.events, []);
    for (const one of said) apart.say(one);
    t.deepEqual(apart.owner.events, [...events]);
    t.is(apart.of(frameType.hello).length, 1, 'it says hello once');
  }
});

test('a message that comes before the user says that it stays waits, and the element asks', (t) => {
  const peer = new RawPeer('element');
  peer.say(...standingBy);
  t.is(peer.of(frameType.heartbeat).length, 0);
  peer.say(data(dataFlag.begin | dataFlag.end, 1, 'first'));
  t.is(peer.of(frameType.heartbeat)[0]?.flags, heartbeatFlag.answerWanted | heartbeatFlag.echoValid);
  peer.lease(1000);
  t.deepEqual(peer.owner.events, ['open', 'message']);
});

test('an element that stands by is silent, and not for ever, whatever else comes', (t) => {
  for (const said of [new Uint8Array(0), frame(0x91), frame(frameType.acknowledgement, words(0))]) {
    const peer = new RawPeer('element', { helloTimeout: 3000 });
    peer.say(...standingBy);
    t.deepEqual(
      peer.frames.map(({ type }) => type),
      [frameType.hello],
    );
    for (let waited = 0; waited < 2900; waited += 100) {
      peer.say(said);
      peer.wait(95);
    }
    t.deepEqual(peer.owner.events, []);
    peer.wait(200);
    t.deepEqual(peer.owner.events, ['close']);
    t.deepEqual(peer.ends, ['reset']);
  }
});

test('who ends, resets or aborts what stands by has had no session', (t) => {
  for (const leave of [
    (peer: RawPeer): void => peer.stream.end(),
    (peer: RawPeer): void => peer.stream.destroy('reset'),
    (peer: RawPeer): void => peer.say(frame(frameType.abort, words(abortCode.failedOver))),
  ]) {
    const peer = new RawPeer('element');
    peer.say(...standingBy);
    leave(peer);
    peer.wait(5);
    t.deepEqual(peer.owner.events, ['close']);
  }
});

test('a user that was cut off before its element heard that it is needed goes on there', (t) => {
  for (const [underway, events] of [
    ['lost', ['open', 'message']],
    ['arrives', ['open', 'message', 'resume']],
  ] as const) {
    const scene = new ResumeScene();
    const { transport, clock } = scene.userProcess;
    let user: Owner | undefined;
    let begin = (): void => {};
    const standBy = (how: () => void): void => {
      begin = how;
    };
    dialTcpMapping(
      transport,
      clock,
      options,
      [address],
      { ...userSide, standBy },
      {
        onOpen: (connection, peer) => {
          user = new Owner(connection);
          user.onOpen(peer);
          return user;
        },
        onFailed() {},
      },
    );
    scene.run(20);
    const [element] = scene.accepted;
    t.deepEqual(element?.events, []);
    begin();
    user?.send('first');
    scene.run(0);
    scene.sever(underway);
    scene.run(20);
    t.deepEqual(user?.events, ['open', 'resume', 'acknowledged 1']);
    t.deepEqual(element?.events, [...events]);
    t.deepEqual(element?.texts, ['first']);
  }
});

test('an element that stands by and speaks: protocol error', (t) => {
  for (const said of [frame(frameType.heartbeat, words(0, 0, 0, 0), 0), frame(0x91), helloFrame()]) {
    const scene = new Scene();
    let ready = 0;
    let opened = 0;
    scene.elementProcess.transport.listen(address, {
      onListening() {},
      onError() {},
      onConnection: (stream) => {
        const onData = (): void => void stream.write([magic, helloFrame(), said]);
        return { onData, onDrain() {}, onEnd() {}, onClose() {} };
      },
    });
    scene.run(0);
    const { transport, clock } = scene.userProcess;
    const errors: Error[] = [];
    const side = { ...userSide, standBy: () => void ready++ };
    dialTcpMapping(transport, clock, options, [address], side, {
      onOpen: (connection) => {
        opened++;
        return new Owner(connection);
      },
      onFailed: (all) => void errors.push(...all),
    });
    scene.run(20);
    t.deepEqual([ready, opened], [1, 0]);
    t.is((errors[0] as NodeJS.ErrnoException).code, 'ERR_RSERPOOL_PROTOCOL');
  }
});
