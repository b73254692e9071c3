/** Handle resolution responses and the changes pushed to subscribers (RFC 5352 sections 2.2.5, 2.2.6 and 3.3). */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.js';
import type { HandlespaceChange } from '../handlespace/change.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import { type EncodedAnswer, encodeAnswer } from '../wire/asap.js';
import type { AsapMessage, HandleResolution } from '../wire/messages.js';
import { errorCause } from '../wire/operation-error.js';
import { padded } from '../wire/parameter-reader.js';
import { maxMessageLength, measure } from '../wire/parameter-writer.js';
import {
  causeCode,
  type ErrorCause,
  type MemberSelectionPolicy,
  type PoolElement,
  type PoolHandle,
} from '../wire/parameters.js';
import { writePolicy } from '../wire/policy-parameter.js';
import { bytesToPoolHandle, writePoolHandle } from '../wire/pool-handle.js';
import type { RegistrarConnection, Subscription } from './connection.js';
import { ElementEncodings } from './element-encodings.js';
import type { RegistrarLimits } from './options.js';

export interface PoolAnswersSurroundings {
  readonly clock: Clock;
  readonly handlespace: Handlespace;
  readonly limits: RegistrarLimits;
  /** The least time between two rounds of pushes, in milliseconds. */
  readonly pushInterval: number;
}

/** What is answered for a pool, as bytes and as data; whether it is accepted is each receiver's. */
interface Answer extends EncodedAnswer {
  readonly elements: readonly PoolElement[];
}

const noErrors: readonly ErrorCause[] = [];

/** What an answer holds beside its elements, but for the longest pool handles and policies of which nothing is known. */
const usualRest = 256;

export class PoolAnswers {
  readonly #around: PoolAnswersSurroundings;
  readonly #subscribers = new Map<PoolHandle, Set<RegistrarConnection>>();
  /** Pools with changes that their subscribers are not told of yet. */
  readonly #changed = new Set<PoolHandle>();
  readonly #encodings = new ElementEncodings();
  /** Pools whose subscribers were told of them while elements were suspended, and so do not know those. */
  readonly #incomplete = new Set<PoolHandle>();
  #pushedAt = Number.NEGATIVE_INFINITY;
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
    const { maxElementsPerAnswer } = this.#around.limits;
    const { poolHandle, subscribe } = message;
    // Cut to what an answer may hold: subscribers who want the same share one push.
    const wanted = Math.min(message.elementsWanted || maxElementsPerAnswer, maxElementsPerAnswer);
    const answer = this.#answer(poolHandle, wanted, message.hint);
    const accepted =
      subscribe &&
      answer.errors.length === 0 &&
      this.#subscribe(connection, poolHandle, { wanted, hint: message.hint });
    if (!subscribe || answer.errors.length > 0) this.#unsubscribe(connection, poolHandle);
    connection.channel.sendEncoded(encodeAnswer(answer, accepted), () => messageOf(answer, accepted));
  }

  /** A pool changed: its subscribers are told soon, if it changed for them. */
  onChange(change: HandlespaceChange): void {
    if (!this.#subscribers.has(change.poolHandle)) return;
    const { poolHandle, previous, entry } = change;
    const isBack = change.resumed && this.#incomplete.has(poolHandle);
    if (change.type === 'updated' && !isBack && sameForUsers(previous, entry.element)) return;
    if (this.#changed.size === 0) this.#schedulePushes();
    this.#changed.add(poolHandle);
  }

  /** A connection is gone, and its subscriptions with it. */
  forget(connection: RegistrarConnection): void {
    for (const poolHandle of [...connection.subscriptions.keys()]) this.#unsubscribe(connection, poolHandle);
  }

  /** At the end of this turn, but not too often: an element that changes all the time is multiplied by its subscribers. */
  #schedulePushes(): void {
    const { clock, pushInterval } = this.#around;
    const wait = this.#pushedAt + pushInterval - clock.now();
    if (wait <= 0) clock.nextTurn(() => this.#pushChanged());
    else clock.setTimeout(() => this.#pushChanged(), wait, 'background');
  }

  #pushChanged(): void {
    this.#pushedAt = this.#around.clock.now();
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const poolHandle of changed) this.#push(poolHandle);
  }

  #push(poolHandle: PoolHandle): void {
    const subscribers = this.#subscribers.get(poolHandle);
    if (subscribers === undefined) return;
    this.#incomplete.delete(poolHandle);
    this.#noteSuspended(poolHandle);
    // Encoded once for all that want as many elements, and give the same hint.
    const encoded = new Map<number | string, { readonly bytes: Uint8Array; readonly answer: Answer }>();
    for (const connection of [...subscribers]) {
      const { wanted, hint } = connection.subscriptions.get(poolHandle) ?? { wanted: 1, hint: undefined };
      const key = hint === undefined ? wanted : `${wanted} ${bytesToPoolHandle(hint)}`;
      let push = encoded.get(key);
      if (push === undefined) {
        const answer = this.#answer(poolHandle, wanted, hint);
        push = { bytes: encodeAnswer(answer, answer.errors.length === 0), answer };
        encoded.set(key, push);
      }
      const { bytes, answer } = push;
      const negative = answer.errors.length > 0;
      this.#pushes++;
      connection.channel.sendEncoded(bytes, () => messageOf(answer, !negative));
      // The pool is gone: a subscription covers existing pools only (section 2.2.5).
      if (negative) this.#unsubscribe(connection, poolHandle);
    }
  }

  #answer(poolHandle: PoolHandle, wanted: number, hint: Uint8Array | undefined): Answer {
    const resolution = this.#around.handlespace.resolve(poolHandle, wanted, hint);
    // A pool all of whose elements broke their connections has none to name, and a positive answer must name one.
    if (resolution === undefined || resolution.elements.length === 0) {
      return refusal(poolHandle, causeCode.unknownPoolHandle);
    }
    const { policy, elements } = resolution;
    const poolElements: Uint8Array[] = [];
    let size = 0;
    for (const element of elements) {
      const encoded = this.#encodings.of(element);
      size += padded(encoded.length);
      poolElements.push(encoded);
    }
    if (size > maxMessageLength - usualRest || !isUsual(poolHandle, policy)) cutToFit(poolHandle, policy, poolElements);
    if (poolElements.length === 0) return refusal(poolHandle, causeCode.lackOfResources);
    return { poolHandle, policy, poolElements, errors: noErrors, elements };
  }

  #subscribe(connection: RegistrarConnection, poolHandle: PoolHandle, subscription: Subscription): boolean {
    const { subscriptions } = connection;
    if (!subscriptions.has(poolHandle)) {
      if (subscriptions.size >= this.#around.limits.maxSubscriptionsPerConnection) return false;
      this.#subscriptions++;
    }
    subscriptions.set(poolHandle, subscription);
    this.#noteSuspended(poolHandle);
    const subscribers = this.#subscribers.get(poolHandle);
    if (subscribers === undefined) this.#subscribers.set(poolHandle, new Set([connection]));
    else subscribers.add(connection);
    return true;
  }

  #noteSuspended(poolHandle: PoolHandle): void {
    const pool = this.#around.handlespace.pool(poolHandle);
    if (pool !== undefined && pool.available < pool.size) this.#incomplete.add(poolHandle);
  }

  #unsubscribe(connection: RegistrarConnection, poolHandle: PoolHandle): void {
    if (!connection.subscriptions.delete(poolHandle)) return;
    this.#subscriptions--;
    const subscribers = this.#subscribers.get(poolHandle);
    subscribers?.delete(connection);
    if (subscribers?.size !== 0) return;
    this.#subscribers.delete(poolHandle);
    this.#incomplete.delete(poolHandle);
  }
}

function refusal(poolHandle: PoolHandle, code: number): Answer {
  return { poolHandle, poolElements: [], errors: [errorCause(code)], elements: [] };
}

function isUsual(poolHandle: PoolHandle, policy: MemberSelectionPolicy): boolean {
  return poolHandle.length <= usualRest / 2 && policy.type !== 'other';
}

/** Leaves as many of the elements as one message holds. Those of peers may be larger than we would register. */
function cutToFit(poolHandle: PoolHandle, policy: MemberSelectionPolicy, poolElements: Uint8Array[]): void {
  const head = measure((writer) => {
    writePoolHandle(writer, poolHandle);
    writePolicy(writer, policy);
  });
  let room = maxMessageLength - 4 - head;
  let count = 0;
  for (const { length } of poolElements) {
    room -= padded(length);
    if (room < 0) break;
    count++;
  }
  poolElements.length = count;
}

/** The answer as data: for those who watch what is sent. */
function messageOf(answer: Answer, accepted: boolean): AsapMessage {
  const { elements, poolElements, ...facts } = answer;
  return { type: 'handleResolutionResponse', accepted, ...facts, poolElements: elements.slice(0, poolElements.length) };
}

/** A renewal changes nothing for users; who owns an element is no matter to them. */
function sameForUsers(before: PoolElement | undefined, after: PoolElement): boolean {
  return before !== undefined && isDeepStrictEqual({ ...before, homeServerId: 0 }, { ...after, homeServerId: 0 });
}
