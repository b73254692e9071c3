/**
 * A pool as an application sees it that sends messages rather than holds a stream (RFC 5352 section 6.5): each message
 * goes to an element of its own choice, to the one before, to all of them, or to one that is named.
 */

import type { OperationalScope } from '../asap/scope.js';
import { aggregateError, RserpoolError, type UndeliveredMessage } from '../errors.js';
import type { TcpMappingOptions } from '../mapping/tcp/options.js';
import { handle, type Message, messageTooLarge, type RetainedMessage } from '../session/message.js';
import { UserSession } from '../session/user-session.js';
import type { UserSessionOptions } from '../session/user-session-options.js';
import type { PoolElement } from '../wire/parameters.js';
import { checkCardHolder } from './business-cards.js';
import { guard, guarded } from './guarded.js';
import {
  checkMappingOptions,
  checkPoolHandle,
  checkScope,
  checkUserSessionOptions,
  type ElementInfo,
} from './options.js';
import { poolAccess } from './pool-access.js';
import { PoolDispatch } from './pool-dispatch.js';
import {
  checkData,
  checkDestination,
  checkPoolOptions,
  checkRequestDestination,
  type PoolOptions,
  type PoolRequestOptions,
  type PoolSendOptions,
  type Target,
} from './pool-options.js';
import { PoolSession } from './pool-session.js';
import { copyLimit } from './written-bytes.js';

/** Rounds over the pool in search of one named element: the second with a fresh answer of the registrar. */
const pinnedRounds = 2;

/** A pool to send messages to. It connects to nobody until there is a message. */
export function pool(poolHandle: string, options: PoolOptions = {}): Pool {
  return new Pool(poolHandle, options);
}

export class Pool {
  readonly poolHandle: string;
  readonly #options: PoolOptions;
  readonly #scope: OperationalScope;
  readonly #mapping: TcpMappingOptions;
  readonly #sessionOptions: UserSessionOptions;
  readonly #dispatch: PoolDispatch;
  readonly #sessions = new Set<PoolSession>();
  /** Where sessions were found lately, by element and kind; what it says may be out of date. */
  readonly #found = { moving: new Map<number, PoolSession>(), pinned: new Map<number, PoolSession>() };
  /** A session has moved: there may be two with one element. */
  #crowded = false;
  readonly #forgetServer: () => void;
  #closing = false;
  #whenClosed: (() => void)[] = [];

  constructor(poolHandle: string, options: PoolOptions = {}) {
    this.poolHandle = checkPoolHandle(poolHandle);
    checkPoolOptions(options);
    this.#options = options;
    this.#scope = checkScope(options.scope);
    this.#mapping = checkMappingOptions(options);
    const own = options.server === undefined ? undefined : checkCardHolder(options.server);
    const businessCard = own && ((host: string) => own.userCard(host));
    const { onMessage: _, ...session } = options;
    this.#sessionOptions = { ...checkUserSessionOptions({ ...session, poolHandle }), businessCard };
    this.#dispatch = new PoolDispatch(
      this.#scope,
      poolHandle,
      this.#sessionOptions.connectTimeout,
      options.mapping === 'tcp',
    );
    const resend = (): void => this.#sessions.forEach(({ session: one }) => void one.sendBusinessCard());
    this.#forgetServer = own?.whenCardChanges(resend) ?? (() => {});
  }

  /**
   * Sends a message (RFC 5352 section 6.5). Resolves with the element that has taken it, with 'all' with the list of
   * them. Rejects with ERR_RSERPOOL_UNDELIVERED, which hands the message back; with 'all' with an AggregateError of one
   * for each element that did not take it. Bytes must not change until then.
   */
  send(data: Uint8Array | string, options: PoolSendOptions & { readonly to: 'all' }): Promise<readonly ElementInfo[]>;
  send(data: Uint8Array | string, options?: PoolSendOptions & { readonly to?: 'one' | 'last' }): Promise<ElementInfo>;
  send(data: Uint8Array | string, options?: PoolSendOptions): Promise<ElementInfo | readonly ElementInfo[]>;
  async send(data: Uint8Array | string, options: PoolSendOptions = {}): Promise<ElementInfo | readonly ElementInfo[]> {
    const { target, failover } = checkDestination(options);
    const bytes = this.#prepare(data);
    const elements = await this.#choose(target, bytes);
    const given = { ...options, failover };
    const sendTo = (element: PoolElement): Promise<ElementInfo> => this.#send(element, bytes, given);
    if (target.type !== 'all') return sendTo(elements[0] as PoolElement);
    const results = await Promise.allSettled(elements.map(sendTo));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
    if (failures.length > 0) {
      throw aggregateError('ERR_RSERPOOL_UNDELIVERED', { poolHandle: this.poolHandle }, failures);
    }
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  /**
   * Sends a message and resolves with its answer, as `Socket.request`: sent again over failovers until it is answered.
   * Rejects with ERR_RSERPOOL_REQUEST_TIMEOUT after `timeout` ms, with the signal's reason, or with
   * ERR_RSERPOOL_UNDELIVERED, which hands the message back.
   */
  async request(data: Uint8Array | string, options: PoolRequestOptions = {}): Promise<Message> {
    const { target, failover } = checkRequestDestination(options);
    const bytes = this.#prepare(data);
    const { timeout, signal, to: _, element: __, address: ___, ...rest } = options;
    signal?.throwIfAborted();
    const { poolHandle } = this;
    return await new Promise<Message>((resolve, reject) => {
      let over = false;
      const finish = (error: Error | undefined, answer: Message | undefined): void => {
        if (over) return;
        over = true;
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
        if (answer === undefined) reject(error);
        else resolve(answer);
      };
      let cancel = (_error: Error): void => choice.cancel();
      const giveUp = (error: Error): void => {
        finish(error, undefined);
        cancel(error);
      };
      const onAbort = (): void => giveUp(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      const expired = (): void => {
        const facts = { poolHandle, detail: `no answer within ${timeout} ms` };
        giveUp(new RserpoolError('ERR_RSERPOOL_REQUEST_TIMEOUT', facts));
      };
      const timer = timeout === undefined ? undefined : this.#scope.clock.setTimeout(expired, timeout);
      const choice = this.#dispatch.choose(target, (error, [element]) => {
        if (element === undefined) {
          finish(this.#undelivered(undefined, bytes, false, error), undefined);
          return;
        }
        const session = this.#sessionWith(element, !failover);
        const done = session.begin();
        let request: RetainedMessage | undefined;
        request = session.session.request(bytes, { ...rest, failover }, (cause, answer) => {
          done();
          const left = request?.redelivered ?? false;
          finish(answer === undefined ? this.#undelivered(session.identifier, bytes, left, cause) : undefined, answer);
        });
        cancel = (reason) => session.session.abandon(request, reason);
      });
    });
  }

  /** The pool's elements, in the order of the registrar's answer. Rejects as `OperationalScope.resolve`. */
  async elements(): Promise<readonly PoolElement[]> {
    return (await this.#scope.resolve(this.poolHandle)).elements;
  }

  /** CachePopulateRequest (RFC 5352 section 6.3): asks the registrar, whatever the cache holds. */
  async populate(): Promise<readonly PoolElement[]> {
    return (await this.#scope.populate(this.poolHandle)).elements;
  }

  /** CachePurgeRequest (RFC 5352 section 6.4): the next message asks the registrar. */
  purge(): void {
    this.#scope.purge(this.poolHandle);
  }

  /** Takes no more messages, and resolves when all that it has is settled and its sessions have ended. */
  async close(): Promise<void> {
    if (!this.#closing) this.#forgetServer();
    this.#closing = true;
    for (const session of this.#sessions) if (session.isIdle) session.end();
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => this.#whenClosed.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #prepare(data: Uint8Array | string): Uint8Array {
    const bytes = checkData(data);
    const { longestMessage } = this.#mapping;
    if (bytes.length > longestMessage) throw messageTooLarge(bytes.length, longestMessage, this.poolHandle);
    if (this.#closing) {
      throw new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', {
        detail: 'the pool is closed',
        poolHandle: this.poolHandle,
      });
    }
    return typeof data === 'string' || bytes.length > copyLimit ? bytes : Buffer.from(bytes);
  }

  /** The elements of a target; rejects with an error that hands the message back. */
  #choose(target: Target, bytes: Uint8Array): Promise<readonly PoolElement[]> {
    return new Promise((resolve, reject) => {
      this.#dispatch.choose(target, (error, elements) => {
        if (error === undefined) resolve(elements);
        else reject(this.#undelivered(undefined, bytes, false, error));
      });
    });
  }

  #send(
    element: PoolElement,
    bytes: Uint8Array,
    options: PoolSendOptions & { failover: boolean },
  ): Promise<ElementInfo> {
    const session = this.#sessionWith(element, !options.failover);
    const done = session.begin();
    return new Promise((resolve, reject) => {
      const onSettled = (error: Error | undefined, message: RetainedMessage): void => {
        // Before the session may go on to another element.
        const { element: taker } = session;
        done();
        if (error === undefined) resolve(taker);
        else reject(this.#undelivered(session.identifier, bytes, message.redelivered, error));
      };
      session.session.send(bytes, options, onSettled);
    });
  }

  #undelivered(
    element: number | undefined,
    data: Uint8Array,
    unacknowledged: boolean,
    cause: Error | undefined,
  ): RserpoolError {
    const undelivered: UndeliveredMessage = { data, unacknowledged };
    const { poolHandle } = this;
    return new RserpoolError('ERR_RSERPOOL_UNDELIVERED', {
      poolHandle,
      undelivered,
      cause,
      ...(element === undefined ? {} : { element }),
      ...(cause === undefined ? {} : { detail: cause.message }),
    });
  }

  /** The session that is with this element; `pinned`: one that stays with it. */
  #sessionWith(element: PoolElement, pinned: boolean): PoolSession {
    const { identifier } = element;
    const found = pinned ? this.#found.pinned : this.#found.moving;
    const fits = (one: PoolSession): boolean => one.isUsable && one.pinned === pinned && one.identifier === identifier;
    const lately = found.get(identifier);
    if (lately !== undefined && fits(lately)) return lately;
    const known = [...this.#sessions].find(fits);
    if (known !== undefined) found.set(identifier, known);
    if (known !== undefined) return known;
    const { clock, random } = this.#scope;
    const choice = pinned ? { element: identifier } : {};
    const access = poolAccess(this.#scope, this.poolHandle, this.#mapping, this.#options.mapping === 'tcp', choice);
    const options = pinned
      ? { ...this.#sessionOptions, maxFailovers: 0, rounds: Math.min(pinnedRounds, this.#sessionOptions.rounds) }
      : this.#sessionOptions;
    const session: PoolSession = new PoolSession(
      element,
      pinned,
      (handler) => new UserSession(access, clock, random, options, guarded(clock, handler)),
      {
        onMessage: (message, from) => this.#onMessage(message, from),
        onMoved: () => {
          this.#crowded = true;
          this.#endSuperfluous();
        },
        onIdle: () => this.#endSuperfluous(),
        onClosed: (closed) => this.#onClosed(closed),
      },
    );
    this.#sessions.add(session);
    found.set(identifier, session);
    return session;
  }

  #onMessage(message: Message, session: PoolSession): void {
    const { onMessage, acknowledge } = this.#options;
    if (onMessage === undefined) message.acknowledge();
    else {
      const failed = (error: unknown): void => {
        session.session.destroy('the message handler failed');
        guard(this.#scope.clock, () => {
          throw error;
        });
      };
      handle(message, (one) => onMessage(one, session.element), failed, acknowledge);
    }
  }

  /** After failovers several may be with one element: what is idle ends. */
  #endSuperfluous(): void {
    if (this.#closing) for (const session of this.#sessions) if (session.isIdle) session.end();
    if (!this.#crowded) return;
    this.#crowded = false;
    const seen = new Set<number>();
    for (const session of this.#sessions) {
      if (!session.isUsable || session.pinned) continue;
      if (!seen.has(session.identifier)) seen.add(session.identifier);
      else if (session.isIdle) session.end();
      else this.#crowded = true;
    }
  }

  #onClosed(session: PoolSession): void {
    this.#sessions.delete(session);
    for (const found of Object.values(this.#found)) {
      for (const [identifier, one] of found) if (one === session) found.delete(identifier);
    }
    if (!this.#closing || this.#sessions.size > 0) return;
    for (const resolve of this.#whenClosed.splice(0)) resolve();
  }
}
