/**
 * A session at the pool user's side (draft-conrad-rserpool-service section 6): it finds an element, carries the
 * messages, and when the element fails goes on at another one.
 *
 *   seeking --an element said hello--> open (the first time)
 *   open --connection broke, silence, failOver()--> seeking
 *   seeking --another element said hello--> handingOver --callback done--> open
 *   handingOver --that one failed too--> seeking
 *   any --both directions ended and acknowledged, destroy, time or attempts run out--> closed
 */

import type { Clock, Timer } from '../clock.js';
import { RserpoolError } from '../errors.js';
import {
  abortCode,
  type IncomingMessage,
  type MappingConnection,
  type MappingFeatures,
  type MappingHandler,
  type PathMeasurements,
} from '../mapping/mapping.js';
import type { Random } from '../random.js';
import type { TransportAddress } from '../transport/transport.js';
import { decodeAsap, encodeAsap } from '../wire/asap.js';
import type { PoolElement } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { encodeBusinessCard, receivedBusinessCard } from './business-card.js';
import type { ExclusionTimes } from './candidates.js';
import { toCookie } from './cookie.js';
import { ElementSearch, exhaustedError } from './element-search.js';
import { Linger } from './linger.js';
import {
  type AnswerCallback,
  type Answered,
  Message,
  type OnSettled,
  type Replier,
  type RetainedMessage,
  type SendOptions,
} from './message.js';
import { Outbox } from './outbox.js';
import type { PoolAccess, SessionHello } from './pool-access.js';
import { chooseResent, type Failure, failoverFacts } from './resent-choice.js';
import {
  type FailoverCallback,
  type FailoverSend,
  noFeatures,
  type Retrieved,
  type Session,
  type SessionHandler,
} from './session.js';
import { ended, failedOver, left, opened, resumed } from './session-events.js';
import type { UserSessionOptions } from './user-session-options.js';

export class UserSession implements Session, Replier {
  readonly sessionId: Uint8Array;
  readonly #pool: PoolAccess;
  readonly #clock: Clock;
  readonly #options: UserSessionOptions;
  readonly #handler: SessionHandler;
  #state: 'seeking' | 'handingOver' | 'open' | 'closed' = 'seeking';
  readonly #search: ElementSearch;
  #element: PoolElement | undefined;
  #connection: MappingConnection | undefined;
  readonly #outbox: Outbox;
  #cookie: Uint8Array | undefined;
  /** The element that failed, until the session is open again; undefined before the first one. */
  #failure: Failure | undefined;
  #failoversInARow = 0;
  readonly #linger: Linger;
  #peerEnded = false;
  /** Whether this session, wherever it is, keeps the process alive. */
  #referenced = true;
  /** The failover callback is running: what is sent now is its own, and goes first. */
  #callingBack = false;
  /** The element asked to go elsewhere: it gets nothing new, and is left when all that it has is acknowledged. */
  #leaving: Timer | undefined;

  constructor(pool: PoolAccess, clock: Clock, random: Random, options: UserSessionOptions, handler: SessionHandler) {
    this.sessionId = random.bytes(16);
    this.#pool = pool;
    this.#clock = clock;
    this.#options = options;
    this.#handler = handler;
    this.#outbox = new Outbox(
      clock,
      pool.poolHandle,
      () => handler.onRoom(),
      (error) => this.#fail(error),
      () => this.#leaveWhenDone(),
    );
    this.#linger = new Linger(clock, options.lingerTimeout, () => this.#lingeredTooLong());
    this.#search = new ElementSearch(pool, clock, random, options, {
      onReached: (element, connection) => this.#reached(element, connection),
      onExhausted: (errors) => this.#exhausted(errors),
      hasSomethingToSend: () => this.#outbox.isWaiting,
    });
    this.#seek(options.connectTimeout);
  }

  get features(): MappingFeatures {
    return this.#connection?.features ?? noFeatures;
  }

  get path(): PathMeasurements | undefined {
    return this.#connection;
  }

  get localAddress(): TransportAddress | undefined {
    return this.#connection?.localAddress;
  }

  get remoteAddress(): TransportAddress | undefined {
    return this.#connection?.remoteAddress;
  }

  /** The element that has the session, or had it last. */
  get element(): PoolElement | undefined {
    return this.#element;
  }

  /** Whether an element is excluded because it has just failed. */
  isExcluded(identifier: number): boolean {
    return this.#search.isExcluded(identifier);
  }

  send(data: Uint8Array, options: SendOptions = {}, onSettled?: OnSettled): boolean {
    return this.#outbox.send(this.#outbox.create(data, options, onSettled), this.#first());
  }

  /**
   * Sends a request and waits for its answer: sent again over failovers until it has come. `timeout` in ms. Returns
   * what `abandon` gives up.
   */
  request(
    data: Uint8Array,
    options: SendOptions & { readonly timeout?: number },
    callback: AnswerCallback,
  ): RetainedMessage {
    return this.#outbox.request(data, options, callback, this.#first());
  }

  /** Gives a request up: its callback gets the error, and it is not sent again. Harmless when it was answered. */
  abandon(request: RetainedMessage, error: Error): void {
    this.#outbox.abandon(request, error);
  }

  write(data: Uint8Array, onSettled?: (error: Error | undefined) => void): boolean {
    // The stream keeps its order, whatever the failover callback sends.
    return this.#outbox.send(this.#outbox.create(data, {}, onSettled));
  }

  get handingOver(): boolean {
    return this.#state === 'handingOver';
  }

  answer(
    connection: MappingConnection,
    data: Uint8Array,
    inAnswerTo: number,
    last: boolean,
    options: SendOptions,
  ): Answered {
    // Another element never asked this.
    if (this.#connection !== connection || this.#state === 'closed' || this.#outbox.isEnded) return 'refused';
    const answer = this.#outbox.create(data, options, undefined, { to: inAnswerTo, last });
    // It belongs to this connection, and so goes before what is held back for the next one.
    return this.#outbox.send(answer, 'first') ? 'room' : 'full';
  }

  end(onSettled?: (error: Error | undefined) => void): void {
    if (!this.#outbox.isEnded && this.#state !== 'closed') this.#linger.restart();
    this.#outbox.end(onSettled);
  }

  destroy(reason: string): void {
    if (this.#state === 'closed') return;
    this.#connection?.abort(abortCode.application, reason);
    this.#close(undefined);
  }

  /** Bytes of the largest message that the element takes; Infinity while there is none. */
  get longestMessage(): number {
    return this.#connection?.longestMessage ?? Number.POSITIVE_INFINITY;
  }

  /** Ends the session for a reason of our own. */
  #fail(error: Error): void {
    if (this.#state === 'closed') return;
    this.#connection?.abort(abortCode.application, error.message);
    this.#close(error);
  }

  /** It takes nothing more; `onClose` may still be to come. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Whom to try first. */
  prefer(elements: readonly PoolElement[]): void {
    this.#search.prefer(elements);
  }

  /** Tells the element whose user this is, and anew when the card has changed; nothing if it is no element's. */
  sendBusinessCard(): void {
    const connection = this.#connection;
    const card = connection && this.#options.businessCard?.(connection.localAddress.host);
    if (card !== undefined) connection?.sendControl(encodeBusinessCard(card));
  }

  /** Leaves the element for another one. */
  failOver(reason: string): void {
    if (this.#state !== 'open') return;
    this.#connection?.abort(abortCode.failedOver, reason);
    const cause = new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', { ...this.#where(), detail: reason });
    this.#leave(cause, 'broken', false);
  }

  retrieve(): Retrieved {
    return this.#outbox.retrieve();
  }

  ref(): void {
    this.#referenced = true;
    this.#search.keepAlive(true);
    this.#connection?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#search.keepAlive(false);
    this.#connection?.unref();
  }

  #hello(failedOver: boolean): SessionHello {
    return { sessionId: this.sessionId, failedOver, cookieFollows: this.#cookie !== undefined };
  }

  #seek(timeout: number): void {
    this.#search.start(timeout, this.#hello(this.#failure !== undefined));
  }

  #exhausted(errors: readonly Error[]): void {
    this.#close(exhaustedError(this.#pool.poolHandle, this.#failure?.cause, errors));
  }

  #reached(element: PoolElement, connection: MappingConnection): MappingHandler {
    const failure = this.#failure;
    this.#element = element;
    this.#connection = connection;
    if (!this.#referenced) connection.unref();
    const handler = this.#connectionHandler(connection);
    if (failure === undefined) {
      this.#state = 'open';
      const held = this.#outbox.attach(connection);
      this.sendBusinessCard();
      this.#outbox.release(held, held);
      if (this.isClosed) return handler;
      opened.publish({ poolHandle: this.#pool.poolHandle, element: element.identifier });
      this.#handler.onOpen();
    } else {
      // First of all the cookie: the new element may need it to understand the rest (RFC 5352 section 3.8).
      if (this.#cookie !== undefined) connection.sendControl(encodeAsap({ type: 'cookieEcho', cookie: this.#cookie }));
      this.#state = 'handingOver';
      this.sendBusinessCard();
      this.#handOver(failure, element, connection);
    }
    return handler;
  }

  #handOver(failure: Failure, to: PoolElement, connection: MappingConnection): void {
    const held = this.#outbox.attach(connection);
    const facts = failoverFacts(failure, to, this.#cookie, held, this.#search.candidates);
    const finish = (chosen: readonly RetainedMessage[] | undefined): void => {
      if (this.#connection !== connection || this.#state !== 'handingOver') return;
      this.#state = 'open';
      this.#failure = undefined;
      this.#outbox.release(held, chosen ?? held);
      if (this.isClosed) return;
      failedOver.publish({ poolHandle: this.#pool.poolHandle, ...facts });
      this.#handler.onFailover(facts);
    };
    const refuse = (cause: unknown): void => {
      if (this.#connection !== connection || this.#state !== 'handingOver') return;
      connection.abort(abortCode.application, 'the failover callback refused');
      this.#close(new RserpoolError('ERR_RSERPOOL_FAILOVER_REFUSED', { ...this.#where(), cause }));
    };
    const send: FailoverSend = (data, options = {}, onSettled) => {
      const first = this.#connection === connection && this.#state === 'handingOver' ? 'first' : undefined;
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      return this.#outbox.send(this.#outbox.create(bytes, options, onSettled), first);
    };
    const ask = (): ReturnType<FailoverCallback> => this.#options.onFailover?.(facts, send);
    const asking = (is: boolean): void => {
      this.#callingBack = is;
    };
    chooseResent(ask, asking, finish, refuse);
  }

  /** What the failover callback sends itself goes before what is held back for it. */
  #first(): 'first' | undefined {
    return this.#callingBack ? 'first' : undefined;
  }

  #connectionHandler(connection: MappingConnection): MappingHandler {
    const current = (): boolean => this.#connection === connection;
    return {
      onOpen() {},
      onMessage: (incoming) => current() && this.#onMessage(connection, incoming),
      onControl: (bytes) => current() && this.#onControl(connection, bytes),
      onAcknowledged: (count) => {
        if (!current()) return;
        this.#progress();
        this.#outbox.acknowledge(count);
        this.#leaveWhenDone();
      },
      onAcknowledgedEarly: (message) => {
        if (!current()) return;
        this.#progress();
        this.#outbox.acknowledgeEarly(message);
      },
      onRoom: () => current() && this.#outbox.room(),
      onGoElsewhere: () => current() && this.#prepareToLeave(),
      onInterrupt: () => current() && this.#onInterrupt(),
      onResume: () => current() && this.#onResume(),
      onClose: (error) => current() && this.#onConnectionClosed(error),
    };
  }

  #onMessage(connection: MappingConnection, incoming: IncomingMessage): void {
    this.#progress();
    const message = new Message(connection, this, incoming);
    if (incoming.type === 'end') {
      this.#peerEnded = true;
      this.#handler.onEnd(message);
      return;
    }
    if (incoming.inAnswerTo === 0 || !this.#outbox.takeAnswer(message)) this.#handler.onMessage(message);
    if (incoming.lastAnswer) this.#leaveWhenDone();
  }

  /** The connection broke, and the same element is tried: if it is dead, who waits shall not wait for the next one too. */
  #onInterrupt(): void {
    if (this.#state === 'open' && !this.#outbox.isSettled)
      this.#search.prepare((this.#element as PoolElement).identifier, this.#hello(true));
  }

  /** The connection broke and goes on at the same element. */
  #onResume(): void {
    this.#search.unprepare();
    resumed.publish({ poolHandle: this.#pool.poolHandle, element: this.#element?.identifier ?? 0 });
    this.#handler.onResume();
  }

  /** The element is to be stopped: what it has it may finish, the rest waits for another one. */
  #prepareToLeave(): void {
    if (this.#leaving !== undefined || this.#state === 'closed') return;
    this.#outbox.hold();
    this.#leaving = this.#clock.setTimeout(() => this.#goElsewhere(), this.#options.handOverTimeout);
    this.#leaveWhenDone();
  }

  #leaveWhenDone(): void {
    if (this.#leaving !== undefined && this.#state === 'open' && this.#outbox.isSettled) this.#goElsewhere();
  }

  #goElsewhere(): void {
    this.#connection?.abort(abortCode.failedOver, 'gone elsewhere, as asked');
    this.#leave(new RserpoolError('ERR_RSERPOOL_HANDED_OVER', { ...this.#where(), origin: 'remote' }), 'silent', false);
  }

  #onControl(connection: MappingConnection, bytes: Uint8Array): void {
    const decoded = decodeAsap(bytes);
    if (decoded.type === 'protocolError') {
      const detail = decoded.fault.reason;
      connection.abort(abortCode.protocolError, detail);
      const cause = new RserpoolError('ERR_RSERPOOL_PROTOCOL', { ...this.#where(), detail, origin: 'remote' });
      this.#leave(cause, 'silent', true);
    } else if (decoded.type === 'message' && decoded.message.type === 'cookie') {
      this.#cookie = decoded.message.cookie;
      this.#handler.onCookie(toCookie(this.#cookie.slice(), false));
    } else if (decoded.type === 'message' && decoded.message.type === 'businessCard') {
      const card = receivedBusinessCard(decoded.message);
      // A card of another pool says nothing of who could have this session.
      if (decoded.message.poolHandle === toPoolHandle(this.#pool.poolHandle)) this.#search.prefer(card.elements);
      this.#handler.onBusinessCard?.(card);
    }
  }

  #onConnectionClosed(error: RserpoolError | undefined): void {
    if (error === undefined || (this.#peerEnded && this.#outbox.isComplete)) this.#close(undefined);
    else if (error.code === 'ERR_RSERPOOL_ABORTED') this.#close(error);
    else if (error.code === 'ERR_RSERPOOL_LIMIT') this.#leave(error, 'broken', false);
    else if (error.code === 'ERR_RSERPOOL_COOKIE_REFUSED') this.#leave(error, 'silent', false);
    else this.#leave(error, error.code === 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT' ? 'silent' : 'broken', true);
  }

  /** The element has failed (or is to be left): what it did not acknowledge waits for the next one. */
  #leave(cause: Error, how: keyof ExclusionTimes, report: boolean): void {
    const from = this.#element as PoolElement;
    const connection = this.#connection as MappingConnection;
    this.#leaving?.cancel();
    this.#leaving = undefined;
    const facts = { ...this.#where(), cause, detail: 'sent without failover' };
    this.#connection = undefined;
    this.#state = 'seeking';
    this.#outbox.detach(() => new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', facts));
    // Who was told of a message that is given up may have ended it all.
    if (this.isClosed) return;
    this.#failure ??= { from, cause };
    left.publish({ poolHandle: this.#pool.poolHandle, element: from.identifier, cause });
    this.#search.exclude(from.identifier, how);
    if (this.#failoversInARow++ >= this.#options.maxFailovers) this.#exhausted([]);
    else this.#seek(this.#options.failoverTimeout);
    if (report && connection.sentMessages > 0) this.#pool.reportUnreachable(from.identifier);
  }

  #progress(): void {
    this.#failoversInARow = 0;
    if (this.#outbox.isEnded) this.#linger.restart();
  }

  #lingeredTooLong(): void {
    const { unsent, unacknowledged } = this.retrieve();
    const undelivered = unsent.length + unacknowledged.length;
    // Waiting for the far side to end is not waiting for acknowledgements.
    if (undelivered === 0 && this.#outbox.isSettled) return;
    this.#connection?.abort(abortCode.application, 'acknowledgements did not come in time');
    this.#close(
      new RserpoolError('ERR_RSERPOOL_LINGER_TIMEOUT', { ...this.#where(), detail: `${undelivered} messages` }),
    );
  }

  #where(): { poolHandle: string; element?: number } {
    const element = this.#element?.identifier;
    return { poolHandle: this.#pool.poolHandle, ...(element === undefined ? {} : { element }) };
  }

  #close(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#search.stop();
    this.#linger.stop();
    this.#leaving?.cancel();
    const cause = error ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', this.#where());
    this.#outbox.close(cause);
    ended.publish({ poolHandle: this.#pool.poolHandle, error });
    this.#clock.defer(() => this.#handler.onClose(error));
  }
}
