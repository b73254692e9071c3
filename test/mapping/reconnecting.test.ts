import test from 'ava';
import { type Reconnect, Reconnecting } from '../../lib/mapping/tcp/reconnecting.js';
import { type ByteStream, noHandler } from '../../lib/transport/transport.js';
import { Scene } from './pair.js';

const timeout = 1000;

/** A user's way back, to an element that answers as the test says. */
class WayBack extends Scene {
  readonly attempts: { readonly at: number; readonly callbacks: Parameters<Reconnect>[0] }[] = [];
  opened = 0;
  gaveUpAt: number | undefined;
  readonly reconnecting: Reconnecting;

  constructor() {
    super();
    const { clock } = this.userProcess;
    const reconnect: Reconnect = (callbacks) => {
      this.attempts.push({ at: this.network.time.now, callbacks });
      return { cancel() {} };
    };
    this.reconnecting = new Reconnecting(clock, reconnect, timeout, true, {
      onStream: () => {
        this.opened++;
        return noHandler;
      },
      onGaveUp: () => {
        this.gaveUpAt = this.network.time.now;
      },
    });
  }

  /** The last attempt reaches the element. */
  open(): void {
    this.userProcess.dispatch('input', () => void this.attempts.at(-1)?.callbacks.onOpen({} as ByteStream));
  }
}

test('an element that cannot be reached is given up after the time-out', (t) => {
  const way = new WayBack();
  way.run(3 * timeout);
  t.is(way.gaveUpAt, timeout);
});

test('time in which our own process was too busy to try does not count', (t) => {
  const way = new WayBack();
  // Of each quarter of the time-out it runs a tenth: its timers are late, though none by much.
  for (let turn = 0; turn < 6; turn++) {
    way.userProcess.freeze();
    way.run(0.225 * timeout);
    way.userProcess.thaw();
    way.run(0.025 * timeout);
  }
  t.is(way.gaveUpAt, undefined);
  way.run(timeout);
  t.not(way.gaveUpAt, undefined, 'it does not try for ever');
});

test('an element that was reached in time has the time that its hello may take', (t) => {
  const way = new WayBack();
  way.run(0.9 * timeout);
  way.open();
  way.run(timeout);
  t.is(way.gaveUpAt, undefined);
  way.userProcess.dispatch('input', () => way.reconnecting.tryAgain());
  way.run(0);
  t.is(way.gaveUpAt, 1.9 * timeout, 'and no other attempt after it');
  t.is(way.attempts.length, 1);
});

test('a byte stream that breaks before the hello is followed by another one at once, then after pauses that double', (t) => {
  const way = new WayBack();
  for (let attempt = 1; attempt <= 4; attempt++) {
    way.open();
    way.userProcess.dispatch('input', () => way.reconnecting.tryAgain());
    way.run(attempt === 1 ? 0 : 2 ** (attempt - 2));
    t.is(way.attempts.length, attempt + 1);
  }
  t.deepEqual(
    way.attempts.map(({ at }) => at),
    [0, 0, 1, 3, 7],
  );
});
