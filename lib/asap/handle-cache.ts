/** The handle translation cache (RFC 5352 section 3.3 C1 to C4, sections 6.3 and 6.4). Data only. */

import type { MemberSelectionPolicy, PoolElement, PoolHandle } from '../wire/parameters.js';

export interface CachedPool {
  readonly policy: MemberSelectionPolicy;
  readonly elements: readonly PoolElement[];
  /** When the answer arrived, in milliseconds. */
  readonly resolvedAt: number;
  /** How many elements had been asked for: a larger request is a miss. */
  readonly elementsWanted: number;
  /** A registrar tells of each change (the A bit): then the entry never becomes stale. */
  readonly subscribed: boolean;
}

/** The most pools kept; the least recently answered one makes room. */
const maxEntries = 10_000;

export class HandleCache {
  readonly #staleCacheValue: number;
  readonly #cacheLifetime: number;
  readonly #entries = new Map<PoolHandle, CachedPool>();

  /** Both in milliseconds: how long an entry is fresh, and how long it is kept for want of a better one. */
  constructor(staleCacheValue: number, cacheLifetime: number) {
    this.#staleCacheValue = staleCacheValue;
    this.#cacheLifetime = cacheLifetime;
  }

  put(poolHandle: PoolHandle, pool: CachedPool): void {
    // Taken out first, so that the Map's order is that of the answers.
    this.#entries.delete(poolHandle);
    this.#entries.set(poolHandle, pool);
    if (this.#entries.size <= maxEntries) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** An entry that is not stale and holds as many elements as are wanted (C4). `subscribed`: we still listen to pushes. */
  fresh(poolHandle: PoolHandle, elementsWanted: number, now: number, subscribed: boolean): CachedPool | undefined {
    const pool = this.#entries.get(poolHandle);
    if (pool === undefined || pool.elementsWanted < elementsWanted) return undefined;
    return (pool.subscribed && subscribed) || now - pool.resolvedAt < this.#staleCacheValue ? pool : undefined;
  }

  /** An entry of any age up to its lifetime: for when no registrar can be reached. */
  stale(poolHandle: PoolHandle, now: number): CachedPool | undefined {
    const pool = this.#entries.get(poolHandle);
    if (pool === undefined) return undefined;
    if (now - pool.resolvedAt < this.#cacheLifetime) return pool;
    this.#entries.delete(poolHandle);
    return undefined;
  }

  purge(poolHandle: PoolHandle): void {
    this.#entries.delete(poolHandle);
  }

  /** The home server is gone, and its subscriptions with it: entries age again, from now on. */
  endSubscriptions(now: number): void {
    for (const [poolHandle, pool] of this.#entries) {
      if (pool.subscribed) this.#entries.set(poolHandle, { ...pool, subscribed: false, resolvedAt: now });
    }
  }
}
