/**
 * Reaching peers: for each address at which a peer is known, a connection is dialled as long as there is none. Those
 * that are configured are dialled for ever, so that a healed partition or a restarted server is found; those that
 * others told of, for `rememberTime`.
 */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import type { Random } from '../random.js';
import {
  type Attempt,
  type ByteStream,
  type ByteStreamHandler,
  type ByteStreamTransport,
  formatAddress,
  type TransportAddress,
} from '../transport/transport.js';
import type { EnrpTimers } from './options.js';

/** connected: a connection to it is open. waiting: for the next attempt. resting: nothing to do, another server says. */
type TargetState = 'resting' | 'waiting' | 'dialling' | 'connected' | 'forgotten';

/** An address at which a peer was, or is expected. */
export class DialTarget {
  readonly address: TransportAddress;
  readonly configured: boolean;
  state: TargetState = 'resting';
  /** Who is expected there, if known. */
  peerId: number | undefined;
  /** When somebody there was last connected to us. */
  lastConnected: number;
  delay: number;
  attempt: Attempt | undefined;
  timer: Timer | undefined;

  constructor(address: TransportAddress, configured: boolean, now: number, delay: number) {
    this.address = address;
    this.configured = configured;
    this.lastConnected = now;
    this.delay = delay;
  }
}

export interface DiallerSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: ByteStreamTransport;
  readonly timers: EnrpTimers;
  /** Most targets; the oldest that is neither configured nor connected makes room. */
  readonly maxTargets: number;
  /** Whether a peer has a connection to us, whoever dialled it. */
  isConnected(peerId: number): boolean;
  /** Returns the stream's handler. */
  onOpen(stream: ByteStream, target: DialTarget): ByteStreamHandler;
}

const attemptFailed = diagnosticEvent<{ peer: string; error: Error }>('enrp', 'dial-failed');

export class Dialler {
  readonly #around: DiallerSurroundings;
  readonly #targets = new Map<string, DialTarget>();
  #closed = false;

  constructor(around: DiallerSurroundings) {
    this.#around = around;
  }

  get size(): number {
    return this.#targets.size;
  }

  /** Adds an address and dials it soon, unless it is known. */
  add(address: TransportAddress, facts: { readonly configured?: boolean; readonly peerId?: number }): void {
    const { clock, timers } = this.#around;
    const key = formatAddress(address);
    let target = this.#targets.get(key);
    if (target === undefined) {
      if (facts.configured !== true && !this.#makeRoom()) return;
      target = new DialTarget(address, facts.configured === true, clock.now(), timers.redialDelay);
      this.#targets.set(key, target);
    }
    // A target that is connected knows better.
    if (facts.peerId !== undefined && target.state !== 'connected') target.peerId = facts.peerId;
    if (target.state === 'resting') this.#dialUnlessConnected(target);
  }

  /** The connection that was dialled for a target turned out to lead to this peer. Returns who was expected there. */
  identify(target: DialTarget, peerId: number): number | undefined {
    const expected = target.peerId;
    target.peerId = peerId;
    target.delay = this.#around.timers.redialDelay;
    return expected;
  }

  /** The connection that was dialled for a target ended. */
  onClosed(target: DialTarget): void {
    if (target.state === 'connected') this.#wait(target);
  }

  /** A peer lost its connection, whoever dialled it: it is dialled where it is known. */
  seek(peerId: number): void {
    for (const target of this.#targets.values()) {
      if (target.peerId !== peerId || target.state !== 'resting') continue;
      target.delay = this.#around.timers.redialDelay;
      this.#wait(target);
    }
  }

  /** Whether anybody may be found for this peer. */
  knows(peerId: number): boolean {
    for (const target of this.#targets.values()) if (target.peerId === peerId) return true;
    return false;
  }

  /** Never to be dialled again: it is ourselves. */
  forget(target: DialTarget): void {
    this.#cancel(target);
    target.state = 'forgotten';
    if (!target.configured) this.#targets.delete(formatAddress(target.address));
  }

  close(): void {
    this.#closed = true;
    for (const target of this.#targets.values()) this.#cancel(target);
    this.#targets.clear();
  }

  #dialUnlessConnected(target: DialTarget): void {
    if (this.#closed || target.state === 'forgotten') return;
    const { isConnected, clock, timers } = this.#around;
    if (target.peerId !== undefined && isConnected(target.peerId)) {
      this.#cancel(target);
      target.state = 'resting';
      target.lastConnected = clock.now();
      target.delay = timers.redialDelay;
      return;
    }
    if (!target.configured && clock.now() - target.lastConnected > timers.rememberTime) {
      this.forget(target);
      return;
    }
    this.#dial(target);
  }

  #dial(target: DialTarget): void {
    const { transport, clock, timers, onOpen } = this.#around;
    this.#cancel(target);
    target.state = 'dialling';
    const fail = (error: Error): void => {
      if (attemptFailed.watched) attemptFailed.publish({ peer: formatAddress(target.address), error });
      this.#wait(target);
    };
    target.timer = clock.setTimeout(
      () => fail(new Error(`connect ETIMEDOUT ${formatAddress(target.address)}`)),
      timers.maxTimeNoResponse,
      'background',
    );
    target.attempt = transport.connect(target.address, {
      onOpen: (stream) => {
        target.attempt = undefined;
        this.#cancel(target);
        target.state = 'connected';
        target.lastConnected = clock.now();
        return onOpen(stream, target);
      },
      onError: (error) => {
        target.attempt = undefined;
        fail(error);
      },
    });
  }

  /** Half of each wait is chance: two servers that lose each other must not dial at the same instant for ever. */
  #wait(target: DialTarget): void {
    const { clock, random, timers } = this.#around;
    this.#cancel(target);
    if (this.#closed) return;
    target.state = 'waiting';
    const delay = target.delay * (0.5 + random.uniform() / 2);
    target.delay = Math.min(target.delay * 2, Math.max(timers.maxRedialDelay, timers.redialDelay));
    target.timer = clock.setTimeout(() => this.#dialUnlessConnected(target), delay, 'background');
  }

  #cancel(target: DialTarget): void {
    target.attempt?.cancel();
    target.timer?.cancel();
    target.attempt = undefined;
    target.timer = undefined;
  }

  #makeRoom(): boolean {
    if (this.#targets.size < this.#around.maxTargets) return true;
    let oldest: DialTarget | undefined;
    for (const target of this.#targets.values()) {
      if (target.configured || target.state === 'connected') continue;
      if (target.peerId !== undefined && this.#around.isConnected(target.peerId)) continue;
      if (oldest === undefined || target.lastConnected < oldest.lastConnected) oldest = target;
    }
    if (oldest === undefined) return false;
    this.forget(oldest);
    return true;
  }
}
