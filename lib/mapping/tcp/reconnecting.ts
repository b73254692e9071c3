/**
 * A user's way back to the element whose connection broke. It ends at once where that is dead (nobody takes the
 * connection) or knows the session no more. Where nothing can be known, time must pass: until the lease that the element
 * may have has run out, it may still execute what it has.
 */

import type { Clock, Timer } from '../../clock.js';
import type { Attempt, ByteStream, ByteStreamHandler } from '../../transport/transport.js';

/** Opens another byte stream to the same element. */
export type Reconnect = (callbacks: {
  onOpen(stream: ByteStream): ByteStreamHandler;
  /** No address of the element takes a connection. `refused`: because nobody listens there, so that it is dead. */
  onFailed(refused: boolean): void;
}) => Attempt;

export interface ReconnectingCallbacks {
  onStream(stream: ByteStream): ByteStreamHandler;
  /** The element cannot be reached again in time. Not called after `stop`. */
  onGaveUp(): void;
}

/**
 * A byte stream that breaks before the element has said hello is tried again: at once, then after ms that double from the
 * first to the longest. A process that is being killed loses its connections shortly before its port: whoever knocks in
 * between is reset, and refused the next time.
 */
const firstPause = 1;
const longestPause = 160;
/**
 * The time-out is counted in so many slices, and a slice that took longer counts as one: time in which our own process was
 * stopped or too busy to try is not the element's.
 */
const slices = 8;
/** Less than this share of the time-out is nothing. */
const negligible = 1e-6;

export class Reconnecting {
  readonly #clock: Clock;
  readonly #reconnect: Reconnect;
  readonly #callbacks: ReconnectingCallbacks;
  readonly #timeout: number;
  /** Milliseconds that are left, when that was counted last, and how many of them the next slice has. */
  #left: number;
  #countedAt: number;
  #slice = 0;
  #timer: Timer | undefined;
  #pause: Timer | undefined;
  #attempt: Attempt | undefined;
  /** Of the next pause; 0: there has been none. */
  #pauseLength = 0;
  /** Where there is a byte stream: the element has its time to say hello, whatever is left of ours. */
  #awaitsHello = false;
  #stopped = false;

  /** Begins after two turns of the event loop; gives up after `timeout` ms, or when the byte stream breaks that was open then. `referenced`: it keeps the process alive. */
  constructor(
    clock: Clock,
    reconnect: Reconnect,
    timeout: number,
    referenced: boolean,
    callbacks: ReconnectingCallbacks,
  ) {
    this.#clock = clock;
    this.#reconnect = reconnect;
    this.#callbacks = callbacks;
    this.#timeout = timeout;
    this.#left = timeout;
    this.#countedAt = clock.now();
    this.#arm(referenced);
    // Not at once: what our owner begins meanwhile goes first, and a process that is being killed has a moment to lose its port.
    clock.nextTurn(() => clock.nextTurn(() => this.#stopped || this.#try()));
  }

  /** Whether trying keeps the process alive. */
  keepAlive(referenced: boolean): void {
    if (this.#stopped) return;
    this.#count();
    this.#arm(referenced);
  }

  #arm(referenced: boolean): void {
    this.#timer?.cancel();
    this.#slice = Math.min(this.#left, this.#timeout / slices);
    const passed = (): void => {
      this.#count();
      if (!this.#isOver) this.#arm(referenced);
      else if (!this.#awaitsHello) this.#giveUp();
    };
    this.#timer = this.#clock.setTimeout(passed, this.#slice, referenced ? undefined : 'background');
  }

  #count(): void {
    const now = this.#clock.now();
    this.#left -= Math.min(now - this.#countedAt, this.#slice);
    this.#countedAt = now;
  }

  get #isOver(): boolean {
    return this.#left <= negligible * this.#timeout;
  }

  /** The stream broke before the element said hello. */
  tryAgain(): void {
    this.#awaitsHello = false;
    if (this.#isOver) {
      this.#giveUp();
      return;
    }
    if (this.#pauseLength === 0) this.#clock.nextTurn(() => this.#stopped || this.#try());
    else this.#pause = this.#clock.setTimeout(() => this.#try(), this.#pauseLength, 'background');
    this.#pauseLength = Math.min(longestPause, Math.max(firstPause, 2 * this.#pauseLength));
  }

  /** The element has said hello, or nobody wants it any more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#pause?.cancel();
    this.#attempt?.cancel();
  }

  #try(): void {
    this.#attempt = this.#reconnect({
      onOpen: (stream) => {
        this.#attempt = undefined;
        this.#awaitsHello = true;
        return this.#callbacks.onStream(stream);
      },
      onFailed: (refused) => {
        this.#attempt = undefined;
        if (refused) this.#giveUp();
        else this.tryAgain();
      },
    });
  }

  #giveUp(): void {
    if (this.#stopped) return;
    this.stop();
    this.#callbacks.onGaveUp();
  }
}
