/**
 * The arithmetic of heartbeats: when to ask, when to give up, how long the far side may rely on us, and the
 * round-trip time. Pure: instants (ms) go in, instants come out; the connection owns the timer and the frames.
 *
 * A user that waits for something asks after a quarter of `failureTimeout` of silence and gives up after all of it.
 * One that waits for nothing asks after `heartbeatInterval` and gives up a `failureTimeout` later. Traffic counts as waiting
 * for two failure time-outs, so that a stream that stops in the middle is noticed as fast as an unanswered request.
 *
 * Where other connections with the same process tell that it runs, one that waits for nothing is silent for as long as
 * they do, and gives up alone only if a question that went by itself stays without an answer.
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
const never = Number.POSITIVE_INFINITY;

/** Whether a timer that fires now instead of at `due` shows that this process was stopped or blocked. */
export function isLate(now: number, due: number, failureTimeout: number): boolean {
  return now - due > failureTimeout / lateShare;
}

export class Liveness {
  readonly #failureTimeout: number;
  readonly #heartbeatInterval: number;
  readonly #idleTimeout: number;
  /** Since when we have been listening in vain. */
  #quietSince: number;
  #lastHeard: number;
  #lastAsked: number;
  /** The first question since anything came that is to be answered by this connection. */
  #askedAt = never;
  #busyUntil = Number.NEGATIVE_INFINITY;
  #waiting = false;
  /** What all connections with the far process know of it. */
  #process: { readonly aliveAt: number } | undefined;
  /** Milliseconds that this one may be silent whatever they know. */
  #pathTimeout = never;

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
    this.#askedAt = never;
  }

  /**
   * From now on the far process counts as alive while `process` does. `pathTimeout`, of a side that does not ask: the
   * longest silence (ms) of this connection alone; such a side has the same patience whatever it waits for.
   */
  share(process: { readonly aliveAt: number }, pathTimeout: number): void {
    this.#process = process;
    this.#pathTimeout = pathTimeout;
    this.#askedAt = never;
  }

  /** From now on only what this connection hears counts. */
  unshare(): void {
    this.#quietSince = Math.max(this.#quietSince, this.#process?.aliveAt ?? this.#quietSince);
    this.#process = undefined;
    this.#pathTimeout = never;
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
    this.#askedAt = Math.min(this.#askedAt, now);
  }

  /**
   * We were stopped ourselves: the silence was ours. What was said meanwhile is about to be read, so half of the time is
   * enough for the far side to be heard.
   */
  excuse(now: number): void {
    this.#startAnew(now - this.#failureTimeout / 2);
  }

  /** Whether a timer that fires now instead of at `due` shows that this process was stopped or blocked. */
  isLate(now: number, due: number): boolean {
    return isLate(now, due, this.#failureTimeout);
  }

  /** When to ask next. Those that share are asked in turn, not by their own timers. */
  nextQuestion(now: number): number {
    const isActive = this.#isActive(now);
    if (!isActive && this.#process !== undefined) return never;
    const every = isActive ? this.#failureTimeout / 4 : this.#heartbeatInterval;
    return Math.max(this.#lastHeard, this.#lastAsked) + every;
  }

  /** When to give up. It only ever moves later, but for a change from idle to waiting, which gives all of a failure time-out. */
  deadline(now: number): number {
    if (this.#isActive(now)) return this.#quietSince + this.#failureTimeout;
    if (this.#process === undefined) return this.#quietSince + this.#idleTimeout;
    return Math.min(Math.max(this.#quietSince, this.#process.aliveAt) + this.#idleTimeout, this.#pathDeadline);
  }

  /** When this connection's own timer has to look: a user that shares leaves the silence of the process to whoever asks for all. */
  ownDeadline(now: number): number {
    const leavesIt = this.#process !== undefined && this.#pathTimeout === never && !this.#isActive(now);
    return leavesIt ? this.#pathDeadline : this.deadline(now);
  }

  /** When the silence of this connection alone is too long. */
  get #pathDeadline(): number {
    return Math.min(this.#quietSince + this.#pathTimeout, this.#askedAt + this.#failureTimeout);
  }

  /** How long from now we shall not give up, whatever happens but a broken connection (ms). */
  patience(now: number): number {
    return Math.max(0, Math.min(this.#failureTimeout, this.deadline(now) - now));
  }

  #isActive(now: number): boolean {
    return this.#pathTimeout === never && (this.#waiting || now < this.#busyUntil);
  }

  #wake(now: number): void {
    if (!this.#isActive(now)) this.#startAnew(now);
  }

  /** The silence counts from that instant. */
  #startAnew(instant: number): void {
    this.#quietSince = Math.max(this.#quietSince, instant);
    if (this.#askedAt !== never) this.#askedAt = Math.max(this.#askedAt, instant);
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
