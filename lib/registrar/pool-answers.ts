/** Handle resolution responses and the changes pushed to subscribers (RFC 5352 sections 2.2.5, 2.2.6 and 3.3). */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.js';
import type { HandlespaceChange } from '../handlespace/change.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import { encodeAsap } from '../wire/asap.js';
import type { HandleResolution, HandleResolutionResponse } from '../wire/messages.js';
import { errorCause } from '../wire/operation-error.js';
import { causeCode, type PoolElement, type PoolHandle } from '../wire/parameters.js';
import { poolElementSize } from '../wire/pool-element.js';
import type { RegistrarConnection } from './connection.js';
import type { RegistrarLimits } from './options.js';

export interface PoolAnswersSurroundings {
  readonly clock: Clock;
  readonly handlespace: Handlespace;
  readonly limits: RegistrarLimits;
}

/** Room in a message for elements: 65,535 bytes without header, policy and the largest pool handle. */
const roomForElements = 64_000;

export class PoolAnswers {
  readonly #around: PoolAnswersSurroundings;
  readonly #subscribers = new Map<PoolHandle, Set<RegistrarConnection>>();
  /** Pools with changes that their subscribers are not told of yet: those of one turn are told of together. */
  readonly #changed = new Set<PoolHandle>();
  #resolutions = 0;
  #pushes = 0;
  #subscriptions = 0;

  constructor(around: PoolAnswersSurroundings) {
    this.#around = around;
  }

  get resolutions(): number {
    return this.#resolutions;
  }

  get pushes(): number {
    return this.#pushes;
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Answers a handle resolution. The S bit of the last one decides whether the connection is subscribed to the pool. */
  answer(connection: RegistrarConnection, message: HandleResolution): void {
    this.#resolutions++;
    const { poolHandle, subscribe } = message;
    const wanted = message.elementsWanted ?? 0;
    const response = this.#response(poolHandle, wanted);
    if (subscribe && response.errors.length === 0) {
      connection.send({ ...response, accepted: this.#subscribe(connection, poolHandle, wanted) });
      return;
    }
    this.#unsubscribe(connection, poolHandle);
    connection.send(response);
  }

  /** A pool changed: its subscribers are told at the end of this turn, if it changed for them. */
  onChange(change: HandlespaceChange): void {
    if (!this.#subscribers.has(change.poolHandle)) return;
    if (change.type === 'updated' && sameForUsers(change.previous, change.entry.element)) return;
    if (this.#changed.size === 0) this.#around.clock.nextTurn(() => this.#pushChanged());
    this.#changed.add(change.poolHandle);
  }

  /** A connection is gone, and its subscriptions with it. */
  forget(connection: RegistrarConnection): void {
    for (const poolHandle of [...connection.subscriptions.keys()]) this.#unsubscribe(connection, poolHandle);
  }

  #pushChanged(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const poolHandle of changed) this.#push(poolHandle);
  }

  #push(poolHandle: PoolHandle): void {
    // Encoded once for all that want as many elements.
    const encoded = new Map<number, { readonly bytes: Uint8Array; readonly negative: boolean }>();
    for (const connection of [...(this.#subscribers.get(poolHandle) ?? [])]) {
      const wanted = connection.subscriptions.get(poolHandle) ?? 0;
      let push = encoded.get(wanted);
      if (push === undefined) {
        const response = this.#response(poolHandle, wanted);
        const negative = response.errors.length > 0;
        push = { bytes: encodeAsap({ ...response, accepted: !negative }), negative };
        encoded.set(wanted, push);
      }
      this.#pushes++;
      connection.channel.sendEncoded(push.bytes);
      // The pool is gone: a subscription covers existing pools only (section 2.2.5).
      if (push.negative) this.#unsubscribe(connection, poolHandle);
    }
  }

  #response(poolHandle: PoolHandle, wanted: number): HandleResolutionResponse {
    const resolution = this.#around.handlespace.resolve(poolHandle, wanted);
    const facts = { type: 'handleResolutionResponse', accepted: false, poolHandle } as const;
    // A pool all of whose elements broke their connections has none to name, and a positive answer must name one.
    if (resolution === undefined || resolution.elements.length === 0) {
      return { ...facts, poolElements: [], errors: [errorCause(causeCode.unknownPoolHandle)] };
    }
    const poolElements = this.#fitting(resolution.elements);
    return { ...facts, policy: resolution.policy, poolElements, errors: [] };
  }

  /** As many of the elements as one message holds. */
  #fitting(elements: readonly PoolElement[]): readonly PoolElement[] {
    if (elements.length * this.#around.limits.maxRegistrationSize <= roomForElements) return elements;
    let room = roomForElements;
    const fitting: PoolElement[] = [];
    for (const element of elements) {
      room -= poolElementSize(element);
      if (room < 0) break;
      fitting.push(element);
    }
    return fitting;
  }

  #subscribe(connection: RegistrarConnection, poolHandle: PoolHandle, wanted: number): boolean {
    const { subscriptions } = connection;
    if (!subscriptions.has(poolHandle)) {
      if (subscriptions.size >= this.#around.limits.maxSubscriptionsPerConnection) return false;
      this.#subscriptions++;
    }
    subscriptions.set(poolHandle, wanted);
    const subscribers = this.#subscribers.get(poolHandle);
    if (subscribers === undefined) this.#subscribers.set(poolHandle, new Set([connection]));
    else subscribers.add(connection);
    return true;
  }

  #unsubscribe(connection: RegistrarConnection, poolHandle: PoolHandle): void {
    if (!connection.subscriptions.delete(poolHandle)) return;
    this.#subscriptions--;
    const subscribers = this.#subscribers.get(poolHandle);
    subscribers?.delete(connection);
    if (subscribers?.size === 0) this.#subscribers.delete(poolHandle);
  }
}

/** A renewal changes nothing for users; who owns an element is no matter to them. */
function sameForUsers(before: PoolElement | undefined, after: PoolElement): boolean {
  return before !== undefined && isDeepStrictEqual({ ...before, homeServerId: 0 }, { ...after, homeServerId: 0 });
}
