/**
 * Handle resolution at an endpoint (RFC 5352 section 3.3, NR1 to NR4 and C1 to C4; section 3.7 for its failures): the
 * cache, one shared request for each pool, T1-ENRPrequest, and subscriptions (the S bit).
 *
 * There is never more than one request for a pool under way, so an answer belongs to the pool's request whatever
 * caused it: the request, its repetition after T1, or a change that was pushed meanwhile. All are fresh.
 */

import type { Clock, Timer } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { HandleResolution, HandleResolutionResponse } from '../wire/messages.js';
import type { PoolHandle } from '../wire/parameters.js';
import { poolHandleText } from '../wire/pool-handle.js';
import { type CachedPool, HandleCache } from './handle-cache.js';
import type { HomeServer } from './home-server.js';
import type { AsapTimers } from './options.js';
import {
  type Cancellable,
  noEnrpServer,
  type Resolution,
  type ResolveCallback,
  type ResolveOptions,
  resolutionError,
} from './resolution.js';
import type { Suspicion } from './suspicion.js';

interface Waiter {
  readonly elementsWanted: number;
  readonly hunt: 'once' | 'untilTimeout';
  readonly callback: ResolveCallback;
  deadline: Timer;
}

interface Request {
  readonly poolHandle: PoolHandle;
  elementsWanted: number;
  readonly waiters: Set<Waiter>;
  /** T1-ENRPrequest; undefined while there is no home server to ask. */
  timer: Timer | undefined;
  /** Times that T1 expired. */
  timeouts: number;
}

/** What the resolver needs to know of the rest of the endpoint. */
export interface ResolverSurroundings {
  readonly clock: Clock;
  readonly timers: AsapTimers;
  readonly home: HomeServer;
  readonly suspicion: Suspicion;
  /** Whether the S bit is to be set for a pool. */
  isSubscribed(poolHandle: PoolHandle): boolean;
  /** What the pool's policy at the registrar is told, if anything. */
  hintFor(poolHandle: PoolHandle): Uint8Array | undefined;
  /** An answer or push arrived for a pool: for its subscribers. No resolution: the pool does not exist. `accepted`: the A bit. */
  onAnswer(poolHandle: PoolHandle, resolution: Resolution | undefined, accepted: boolean): void;
}

export class Resolver {
  readonly #around: ResolverSurroundings;
  readonly #cache: HandleCache;
  readonly #requests = new Map<PoolHandle, Request>();

  constructor(around: ResolverSurroundings) {
    this.#around = around;
    this.#cache = new HandleCache(around.timers.staleCacheValue, around.timers.cacheLifetime);
  }

  /** Whether any request waits for an answer. */
  get pending(): boolean {
    return this.#requests.size > 0;
  }

  /** C1 to C4: answers from the cache, or asks the home server. */
  resolve(poolHandle: PoolHandle, options: ResolveOptions, callback: ResolveCallback): Cancellable {
    const { clock, timers } = this.#around;
    const elementsWanted = options.elementsWanted ?? timers.elementsWanted;
    if (options.fresh !== true) {
      const subscribed = this.#around.isSubscribed(poolHandle);
      const cached = this.#cache.fresh(poolHandle, elementsWanted, clock.now(), subscribed);
      if (cached !== undefined) return this.#answerFromCache(poolHandle, cached, callback);
    }
    const timeout = options.timeout ?? timers.requestTimeout * (timers.maxRequestRetransmits + 1);
    const waiter: Waiter = {
      elementsWanted,
      hunt: options.hunt ?? 'untilTimeout',
      callback,
      // In the foreground: it is what keeps the process alive while somebody waits.
      deadline: clock.setTimeout(() => this.#onDeadline(poolHandle, waiter), timeout),
    };
    this.#join(poolHandle, waiter);
    return { cancel: () => this.#leave(poolHandle, waiter) };
  }

  /** CachePurgeRequest (section 6.4). */
  purge(poolHandle: PoolHandle): void {
    this.#cache.purge(poolHandle);
  }

  /** Asks for a pool although nobody waits: to renew a subscription, with T1 as for those who wait. */
  refresh(poolHandle: PoolHandle): void {
    if (!this.#requests.has(poolHandle)) this.#begin(poolHandle, this.#around.timers.elementsWanted, new Set());
  }

  /** Nobody listens to a pool any more: a request without the S bit ends the subscription at the registrar. */
  release(poolHandle: PoolHandle): void {
    const { home, timers } = this.#around;
    if (home.address !== undefined) home.send(this.#message(poolHandle, timers.elementsWanted));
  }

  /** The home server is gone: nobody tells of changes any more. */
  onLost(): void {
    this.#cache.endSubscriptions(this.#around.clock.now());
  }

  /** There is a new home server: it is asked what the old one left open. */
  onHome(): void {
    for (const request of this.#requests.values()) this.#ask(request);
  }

  /** A round of the hunt found nobody: those that do not want to wait are told, and others get what the cache has. */
  onRoundFailed(failures: ReadonlyMap<string, Error>): void {
    if (this.#around.home.state === 'connectedHunting') return;
    for (const request of [...this.#requests.values()]) {
      const stale = this.#cache.stale(request.poolHandle, this.#around.clock.now());
      for (const waiter of [...request.waiters]) {
        if (stale !== undefined)
          this.#finish(request, waiter, undefined, this.#resolution(request.poolHandle, stale, 'staleCache'));
        else if (waiter.hunt === 'once') this.#finish(request, waiter, noEnrpServer(failures, request.poolHandle));
      }
    }
  }

  /** An answer, or a change that a subscription told of. */
  onResponse(response: HandleResolutionResponse): void {
    const { poolHandle } = response;
    const request = this.#requests.get(poolHandle);
    const negative = response.errors.length > 0 || response.poolElements.length === 0;
    if (request === undefined && !negative && !this.#around.isSubscribed(poolHandle)) return;
    if (negative) {
      this.#cache.purge(poolHandle);
      this.#around.onAnswer(poolHandle, undefined, response.accepted);
      if (request !== undefined) this.#finishAll(request, resolutionError(response));
      return;
    }
    const pool: CachedPool = {
      policy: response.policy ?? { type: 'roundRobin' },
      elements: response.poolElements,
      resolvedAt: this.#around.clock.now(),
      elementsWanted: request?.elementsWanted ?? this.#around.timers.elementsWanted,
      subscribed: response.accepted,
    };
    this.#cache.put(poolHandle, pool);
    const resolution = this.#resolution(poolHandle, pool, 'server');
    this.#around.onAnswer(poolHandle, resolution, response.accepted);
    if (request !== undefined) this.#answer(request, pool.elementsWanted, resolution);
  }

  close(error: Error): void {
    for (const request of [...this.#requests.values()]) this.#finishAll(request, error);
  }

  #join(poolHandle: PoolHandle, waiter: Waiter): void {
    const present = this.#requests.get(poolHandle);
    if (present !== undefined) {
      // If it wants more than was asked for, it is asked again once the answer is there.
      present.waiters.add(waiter);
      return;
    }
    this.#begin(poolHandle, waiter.elementsWanted, new Set([waiter]));
  }

  #begin(poolHandle: PoolHandle, elementsWanted: number, waiters: Set<Waiter>): void {
    const request: Request = { poolHandle, elementsWanted, waiters, timer: undefined, timeouts: 0 };
    this.#requests.set(poolHandle, request);
    this.#ask(request);
  }

  #leave(poolHandle: PoolHandle, waiter: Waiter): void {
    waiter.deadline.cancel();
    const request = this.#requests.get(poolHandle);
    if (request?.waiters.delete(waiter) === true && request.waiters.size === 0) this.#drop(request);
  }

  #drop(request: Request): void {
    request.timer?.cancel();
    this.#requests.delete(request.poolHandle);
  }

  #message(poolHandle: PoolHandle, elementsWanted: number): HandleResolution {
    const subscribe = this.#around.isSubscribed(poolHandle);
    const message = { type: 'handleResolution', subscribe, poolHandle, elementsWanted } as const;
    const hint = this.#around.hintFor(poolHandle);
    return hint === undefined ? message : { ...message, hint };
  }

  /** NR3 and NR4. */
  #ask(request: Request): void {
    const { clock, timers, home } = this.#around;
    request.timer?.cancel();
    request.timer = undefined;
    if (!home.send(this.#message(request.poolHandle, request.elementsWanted))) return;
    request.timer = clock.setTimeout(() => this.#onTimeout(request), timers.requestTimeout, 'background');
  }

  /** Section 3.7.2: sends it again and looks for another registrar beside, up to MAX-REQUEST-RETRANSMIT times. */
  #onTimeout(request: Request): void {
    const { timers, home } = this.#around;
    request.timeouts++;
    if (request.timeouts > timers.maxRequestRetransmits) {
      const facts = { poolHandle: poolHandleText(request.poolHandle), origin: 'remote' } as const;
      this.#finishAll(request, new RserpoolError('ERR_RSERPOOL_REQUEST_TIMEOUT', facts));
      return;
    }
    this.#ask(request);
    home.seekAnother();
  }

  #onDeadline(poolHandle: PoolHandle, waiter: Waiter): void {
    const request = this.#requests.get(poolHandle);
    if (request === undefined) return;
    const reached = this.#around.home.address !== undefined;
    const facts = { poolHandle: poolHandleText(poolHandle), origin: 'remote' } as const;
    const error = reached
      ? new RserpoolError('ERR_RSERPOOL_REQUEST_TIMEOUT', facts)
      : noEnrpServer(this.#around.home.failures, poolHandle);
    this.#finish(request, waiter, error);
  }

  #answer(request: Request, elementsWanted: number, resolution: Resolution): void {
    for (const waiter of [...request.waiters]) {
      if (waiter.elementsWanted <= elementsWanted) this.#finish(request, waiter, undefined, resolution);
    }
    // A callback may have dropped the request and begun another.
    if (this.#requests.get(request.poolHandle) !== request) return;
    if (request.waiters.size === 0) {
      this.#drop(request);
      return;
    }
    request.elementsWanted = Math.max(...[...request.waiters].map((waiter) => waiter.elementsWanted));
    this.#ask(request);
  }

  #finishAll(request: Request, error: Error): void {
    if (request.waiters.size === 0) this.#drop(request);
    for (const waiter of [...request.waiters]) this.#finish(request, waiter, error);
  }

  /** The one place where a waiter ends. The request ends with its last one, before the callback may begin another. */
  #finish(request: Request, waiter: Waiter, error: Error | undefined, resolution?: Resolution): void {
    if (!request.waiters.delete(waiter)) return;
    waiter.deadline.cancel();
    if (request.waiters.size === 0) this.#drop(request);
    waiter.callback(error, resolution);
  }

  #answerFromCache(poolHandle: PoolHandle, cached: CachedPool, callback: ResolveCallback): Cancellable {
    let wanted = true;
    const resolution = this.#resolution(poolHandle, cached, 'cache');
    this.#around.clock.defer(() => {
      if (wanted) callback(undefined, resolution);
    });
    return {
      cancel() {
        wanted = false;
      },
    };
  }

  #resolution(poolHandle: PoolHandle, pool: CachedPool, source: Resolution['source']): Resolution {
    const { clock, suspicion } = this.#around;
    const elements = suspicion.order(poolHandle, pool.elements, clock.now());
    return { poolHandle, policy: pool.policy, elements, resolvedAt: pool.resolvedAt, source };
  }
}
