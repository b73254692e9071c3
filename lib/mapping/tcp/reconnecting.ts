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
 * A timer that fires later than this share of all the time shows that we ourselves were stopped. One runs that often, since
 * the last alone would hardly be late after a stop that took nearly all of the time.
 */
const lateShare = 4;

export class Reconnecting {
  readonly #clock: Clock;
  readonly #reconnect: Reconnect;
  readonly #callbacks: ReconnectingCallbacks;
  readonly #timeout: number;
  #deadlineAt: number;
  #deadline: Timer | undefined;
  #pause: Timer | undefined;
  #attempt: Attempt | undefined;
  /** Of the next pause; 0: there has been none. */
  #pauseLength = 0;
  #stopped = false;

  /** Begins at once; gives up after `timeout` ms. `referenced`: it keeps the process alive. */
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
    this.#deadlineAt = clock.now() + timeout;
    this.keepAlive(referenced);
    this.#try();
  }

  /** Whether trying keeps the process alive. */
  keepAlive(referenced: boolean): void {
    if (this.#stopped) return;
    this.#deadline?.cancel();
    const share = this.#timeout / lateShare;
    const left = Math.min(share, this.#deadlineAt - this.#clock.now());
    const due = this.#clock.now() + left;
    const expired = (): void => {
      const now = this.#clock.now();
      const wasStopped = now - due > share;
      // The element had no chance to answer while we were stopped.
      if (wasStopped) this.#deadlineAt = Math.max(this.#deadlineAt, now + this.#timeout / 2);
      if (now < this.#deadlineAt) this.keepAlive(referenced);
      else this.#giveUp();
    };
    this.#deadline = this.#clock.setTimeout(expired, left, referenced ? undefined : 'background');
  }

  /** The stream broke before the element said hello. */
  tryAgain(): void {
    if (this.#pauseLength === 0) this.#clock.nextTurn(() => this.#stopped || this.#try());
    else this.#pause = this.#clock.setTimeout(() => this.#try(), this.#pauseLength, 'background');
    this.#pauseLength = Math.min(longestPause, Math.max(firstPause, 2 * this.#pauseLength));
  }

  /** The element has said hello, or nobody wants it any more. */
  stop(): void {
    this.#stopped = true;
    this.#deadline?.cancel();
    this.#pause?.cancel();
    this.#attempt?.cancel();
  }

  #try(): void {
    this.#attempt = this.#reconnect({
      onOpen: (stream) => {
        this.#attempt = undefined;
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
