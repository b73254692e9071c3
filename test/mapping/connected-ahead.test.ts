import test from 'ava';
import { ConnectedAhead } from '../../lib/mapping/tcp/connected-ahead.js';
import { type ByteStream, type ByteStreamHandler, noHandler } from '../../lib/transport/transport.js';
import { elementAddress, elementPort, Scene } from './pair.js';

const address = { host: elementAddress, port: elementPort };

/** A port that counts what comes, and a byte stream that is opened to it ahead. */
class AheadScene extends Scene {
  readonly accepted: ByteStream[] = [];
  /** How each ended: 'end' (FIN) or 'reset'. */
  readonly ends: string[] = [];
  readonly opened: ByteStream[] = [];
  readonly errors: Error[] = [];
  ready = 0;
  readonly ahead: ConnectedAhead;

  constructor(listening: boolean = true) {
    super();
    const onConnection = (stream: ByteStream): ByteStreamHandler => {
      this.accepted.push(stream);
      const onEnd = (): void => void this.ends.push('end');
      return { ...noHandler, onEnd, onClose: (error) => error && this.ends.push('reset') };
    };
    if (listening) this.elementProcess.transport.listen(address, { onListening() {}, onError() {}, onConnection });
    this.run(0);
    const { transport, clock } = this.userProcess;
    this.ahead = new ConnectedAhead(transport, clock, address, 100, () => this.ready++);
  }

  claim(): { cancel(): void } {
    return this.ahead.connect(address, {
      onOpen: (stream) => {
        this.opened.push(stream);
        return noHandler;
      },
      onError: (error) => this.errors.push(error),
    });
  }
}

test('a byte stream that is open already is handed on at once, and the next one is connected to anew', (t) => {
  const scene = new AheadScene();
  scene.run(10);
  t.is(scene.ready, 1);
  t.true(scene.ahead.isReady);
  scene.claim();
  t.is(scene.opened.length, 0, 'never from within the call');
  scene.run(0);
  t.is(scene.opened.length, 1);
  t.is(scene.accepted.length, 1);
  scene.claim();
  scene.run(10);
  t.is(scene.opened.length, 2);
  t.is(scene.accepted.length, 2);
  scene.run(1000);
  t.deepEqual(scene.ends, []);
});

test('one that is on its way is handed on when it is open', (t) => {
  const scene = new AheadScene();
  scene.claim();
  scene.run(10);
  t.is(scene.opened.length, 1);
  t.is(scene.ready, 0);
  t.is(scene.accepted.length, 1);
});

test('what nobody claims is reset, in time and when it is dropped, on its way too', (t) => {
  const late = new AheadScene();
  late.run(200);
  t.deepEqual(late.ends, ['reset']);
  const dropped = new AheadScene();
  dropped.run(10);
  dropped.ahead.drop();
  dropped.run(10);
  t.deepEqual(dropped.ends, ['reset']);
  const underWay = new AheadScene();
  underWay.ahead.drop();
  underWay.run(10);
  t.deepEqual(underWay.ends, ['reset']);
  for (const scene of [late, dropped, underWay]) {
    scene.run(2000);
    t.is(scene.userProcess.pendingTimers, 0);
    t.is(scene.userProcess.streams.size, 0);
    scene.claim();
    scene.run(10);
    t.is(scene.opened.length, 1, 'whoever wants one all the same gets another');
  }
});

test('a port that refuses says so to whoever claims it, once', (t) => {
  const scene = new AheadScene(false);
  scene.run(10);
  t.false(scene.ahead.isReady);
  scene.claim();
  scene.run(0);
  t.deepEqual(
    scene.errors.map((error) => (error as NodeJS.ErrnoException).code),
    ['ECONNREFUSED'],
  );
});

test('one that breaks before it is claimed is replaced', (t) => {
  const scene = new AheadScene();
  scene.run(10);
  scene.elementProcess.dispatch('input', () => scene.accepted[0]?.destroy('reset'));
  scene.run(10);
  t.false(scene.ahead.isReady);
  scene.claim();
  scene.run(10);
  t.is(scene.opened.length, 1);
  t.is(scene.accepted.length, 2);
});

test('a claim that is cancelled leaves nothing behind', (t) => {
  const scene = new AheadScene();
  scene.run(10);
  scene.claim().cancel();
  scene.run(10);
  t.is(scene.opened.length, 0);
  t.deepEqual(scene.ends, ['reset']);
});
