/** Who wants to hear of a pool's changes (the S bit, RFC 5352 section 2.2.5). */

import type { Clock, Timer } from '../clock.js';
import type { Random } from '../random.js';
import type { PoolHandle } from '../wire/parameters.js';
import type { AsapTimers } from './options.js';
import { pollDelay } from './pool-polling.js';
import type { Cancellable, Resolution } from './resolution.js';

/** Told of each answer about the pool; undefined: the pool does not exist (any more). It must not throw. */
export type PoolListener = (resolution: Resolution | undefined) => void;

export interface SubscriptionsSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: AsapTimers;
  /** Asks the home server for the pool, with the S bit. */
  ask(poolHandle: PoolHandle): void;
  /** Tells the home server, if there is one, that nobody listens any more: asks without the S bit. */
  release(poolHandle: PoolHandle): void;
}

interface Subscription {
  readonly listeners: Set<PoolListener>;
  /** Unknown answers since the pool was last seen. */
  attempts: number;
  timer: Timer | undefined;
}

export class Subscriptions {
  readonly #around: SubscriptionsSurroundings;
  readonly #subscriptions = new Map<PoolHandle, Subscription>();

  constructor(around: SubscriptionsSurroundings) {
    this.#around = around;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  has(poolHandle: PoolHandle): boolean {
    return this.#subscriptions.has(poolHandle);
  }

  pools(): IterableIterator<PoolHandle> {
    return this.#subscriptions.keys();
  }

  add(poolHandle: PoolHandle, listener: PoolListener): Cancellable {
    const subscription = this.#subscriptions.get(poolHandle) ?? { listeners: new Set(), attempts: 0, timer: undefined };
    this.#subscriptions.set(poolHandle, subscription);
    // One object per call, so that the same function may listen twice.
    const entry: PoolListener = (resolution) => listener(resolution);
    subscription.listeners.add(entry);
    this.#around.ask(poolHandle);
    return { cancel: () => this.#remove(poolHandle, subscription, entry) };
  }

  /**
   * A registrar answered for the pool, or pushed a change. `accepted`: it will tell of further ones (the A bit); one
   * that will not, such as the reference implementation, is asked again every `maxPollInterval`.
   */
  onAnswer(poolHandle: PoolHandle, resolution: Resolution | undefined, accepted: boolean): void {
    const subscription = this.#subscriptions.get(poolHandle);
    if (subscription === undefined) return;
    subscription.timer?.cancel();
    subscription.timer = undefined;
    if (resolution === undefined) this.#poll(poolHandle, subscription, subscription.attempts++);
    else {
      subscription.attempts = 0;
      if (!accepted) this.#poll(poolHandle, subscription, Number.POSITIVE_INFINITY);
    }
    for (const listener of [...subscription.listeners]) listener(resolution);
  }

  close(): void {
    for (const subscription of this.#subscriptions.values()) subscription.timer?.cancel();
    this.#subscriptions.clear();
  }

  #poll(poolHandle: PoolHandle, subscription: Subscription, attempts: number): void {
    const { clock, timers, random } = this.#around;
    const delay = pollDelay(attempts, timers, random);
    subscription.timer = clock.setTimeout(() => this.#around.ask(poolHandle), delay, 'background');
  }

  #remove(poolHandle: PoolHandle, subscription: Subscription, entry: PoolListener): void {
    subscription.listeners.delete(entry);
    if (subscription.listeners.size > 0 || this.#subscriptions.get(poolHandle) !== subscription) return;
    subscription.timer?.cancel();
    this.#subscriptions.delete(poolHandle);
    this.#around.release(poolHandle);
  }
}
