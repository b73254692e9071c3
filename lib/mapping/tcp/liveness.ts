/**
 * The arithmetic of heartbeats: when to ask, when to give up, how long the far side may rely on us, and the
 * round-trip time. Pure: instants (ms) go in, instants come out; the connection owns the timer and the frames.
 *
 * A user that waits for something asks after a quarter of `failureTimeout` of silence and gives up after all of it.
 * One that waits for nothing asks after `heartbeatInterval` and gives up a `failureTimeout` later. Traffic counts as waiting
 * for two failure time-outs, so that a stream that stops in the middle is noticed as fast as an unanswered request.
 */

import { idleTimeout } from './options.js';

export interface LivenessOptions {
  /** Milliseconds of silence, while something is waited for, after which the far side has failed. */
  readonly failureTimeout: number;
  /** Milliseconds between two heartbeats while nothing is waited for. */
  readonly heartbeatInterval: number;
}

/** Waiting too long by this share of the failure time-out means that we ourselves were stopped. */
const lateShare = 4;

export class Liveness {
  readonly #failureTimeout: number;
  readonly #heartbeatInterval: number;
  readonly #idleTimeout: number;
  /** Since when we have been listening in vain. */
  #quietSince: number;
  #lastHeard: number;
  #lastAsked: number;
  #busyUntil = Number.NEGATIVE_INFINITY;
  #waiting = false;

  constructor(options: LivenessOptions, now: number) {
    this.#failureTimeout = options.failureTimeout;
    this.#heartbeatInterval = options.heartbeatInterval;
    this.#idleTimeout = idleTimeout(options);
    this.#quietSince = now;
    this.#lastHeard = now;
    this.#lastAsked = now;
  }

  /** Anything arrived. */
  heard(now: number): void {
    this.#lastHeard = now;
    this.#quietSince = now;
  }

  /** A message went or came. Returns whether that makes the next question, or the giving up, come earlier than it was. */
  traffic(now: number): boolean {
    const woken = !this.#isActive(now);
    this.#wake(now);
    this.#busyUntil = now + 2 * this.#failureTimeout;
    return woken;
  }

  /** Whether something waits for the far side. */
  wait(waiting: boolean, now: number): void {
    if (waiting === this.#waiting) return;
    if (waiting) this.#wake(now);
    this.#waiting = waiting;
  }

  /** A heartbeat went out that wants an answer. */
  asked(now: number): void {
    this.#lastAsked = now;
  }

  /**
   * We were stopped ourselves: the silence was ours. What was said meanwhile is about to be read, so half of the time is
   * enough for the far side to be heard.
   */
  excuse(now: number): void {
    this.#quietSince = Math.max(this.#quietSince, now - this.#failureTimeout / 2);
  }

  /** Whether a timer that fires now instead of at `due` shows that this process was stopped or blocked. */
  isLate(now: number, due: number): boolean {
    return now - due > this.#failureTimeout / lateShare;
  }

  /** When to ask next. */
  nextQuestion(now: number): number {
    const every = this.#isActive(now) ? this.#failureTimeout / 4 : this.#heartbeatInterval;
    return Math.max(this.#lastHeard, this.#lastAsked) + every;
  }

  /** When to give up. It only ever moves later, but for a change from idle to waiting, which gives all of a failure time-out. */
  deadline(now: number): number {
    return this.#quietSince + (this.#isActive(now) ? this.#failureTimeout : this.#idleTimeout);
  }

  /** How long from now we shall not give up, whatever happens but a broken connection (ms). */
  patience(now: number): number {
    return Math.max(0, Math.min(this.#failureTimeout, this.deadline(now) - now));
  }

  #isActive(now: number): boolean {
    return this.#waiting || now < this.#busyUntil;
  }

  #wake(now: number): void {
    if (!this.#isActive(now)) this.#quietSince = Math.max(this.#quietSince, now);
  }
}

/** Smoothed round-trip time and retransmission time-out (RFC 9260 section 6.3.1), in ms. */
export class RoundTrip {
  #srtt: number | undefined;
  #variation = 0;

  get rtt(): number | undefined {
    return this.#srtt;
  }

  get rto(): number | undefined {
    return this.#srtt === undefined ? undefined : this.#srtt + 4 * this.#variation;
  }

  sample(rtt: number): void {
    if (this.#srtt === undefined) {
      this.#srtt = rtt;
      this.#variation = rtt / 2;
      return;
    }
    this.#variation += (Math.abs(this.#srtt - rtt) - this.#variation) / 4;
    this.#srtt += (rtt - this.#srtt) / 8;
  }
}
