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
} from '../mapping/mapping.js';
import type { Random } from '../random.js';
import type { TransportAddress } from '../transport/transport.js';
import { decodeAsap, encodeAsap } from '../wire/asap.js';
import type { PoolElement } from '../wire/parameters.js';
import type { ExclusionTimes } from './candidates.js';
import { aggregatedSearchError, ElementSearch, type PoolAccess, searchError } from './element-search.js';
import { consult, type Failure, failoverFacts } from './failover-callback.js';
import { Linger } from './linger.js';
import { type Answered, Message, type Replier, RetainedMessage, type SendOptions } from './message.js';
import { type AnswerCallback, Requests } from './requests.js';
import { RetrievalQueue } from './retrieval-queue.js';
import { noFeatures, type Retrieved, type Session, type SessionHandler } from './session.js';
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
  /** Given to the connection, not yet acknowledged. */
  readonly #queue = new RetrievalQueue();
  /** Not given to the connection: while none is open, and what a failover callback has not yet released. */
  #waiting: RetainedMessage[] = [];
  readonly #requests: Requests;
  #endMessage: RetainedMessage | undefined;
  #nextSequence = 1;
  #cookie: Uint8Array | undefined;
  /** The element that failed, until the session is open again; undefined before the first one. */
  #failure: Failure | undefined;
  #failoversInARow = 0;
  readonly #linger: Linger;
  #peerEnded = false;
  #roomWanted = false;
  /** Whether this session, wherever it is, keeps the process alive. */
  #referenced = true;
  /** The element asked to go elsewhere: it gets nothing new, and is left when all that it has is acknowledged. */
  #leaving: Timer | undefined;

  constructor(pool: PoolAccess, clock: Clock, random: Random, options: UserSessionOptions, handler: SessionHandler) {
    this.sessionId = random.bytes(16);
    this.#pool = pool;
    this.#clock = clock;
    this.#options = options;
    this.#handler = handler;
    this.#requests = new Requests(clock, pool.poolHandle);
    this.#linger = new Linger(clock, options.lingerTimeout, () => this.#lingeredTooLong());
    this.#search = new ElementSearch(pool, clock, random, options, {
      onReached: (element, connection) => this.#reached(element, connection),
      onExhausted: (errors) => this.#exhausted(errors),
      hasSomethingToSend: () => this.#waiting.length > 0,
    });
    this.#seek(options.connectTimeout);
  }

  get features(): MappingFeatures {
    return this.#connection?.features ?? noFeatures;
  }

  get rtt(): number | undefined {
    return this.#connection?.rtt;
  }

  get rto(): number | undefined {
    return this.#connection?.rto;
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

  send(data: Uint8Array, options: SendOptions = {}, onSettled?: (error: Error | undefined) => void): boolean {
    return this.#send(new RetainedMessage('message', this.#nextSequence++, data, options, 0, false, onSettled));
  }

  /**
   * Sends a request and waits for its answer: sent again over failovers until it has come. `timeout` in ms. Returns
   * what gives it up.
   */
  request(
    data: Uint8Array,
    options: SendOptions & { readonly timeout?: number },
    callback: AnswerCallback,
  ): (error: Error) => void {
    const message = new RetainedMessage('message', this.#nextSequence++, data, options, 0, false, (error) => {
      if (error !== undefined) this.#requests.abandon(message.sequence, error);
    });
    message.awaitsAnswer = true;
    this.#requests.add(message, options.timeout, (error, answer) => {
      this.#connection?.expect(this.#requests.size > 0);
      callback(error, answer);
    });
    this.#send(message);
    this.#connection?.expect(true);
    return (error) => this.#requests.abandon(message.sequence, error);
  }

  write(data: Uint8Array, onSettled?: (error: Error | undefined) => void): boolean {
    if (this.#state !== 'handingOver' || this.#endMessage !== undefined) return this.send(data, {}, onSettled);
    // The stream keeps its order, whatever the failover callback sends.
    this.#waiting.push(new RetainedMessage('message', this.#nextSequence++, data, {}, 0, false, onSettled));
    this.#roomWanted = true;
    return false;
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
    if (this.#connection !== connection || this.#state === 'closed' || this.#endMessage !== undefined) return 'refused';
    const answer = new RetainedMessage('message', this.#nextSequence++, data, options, inAnswerTo, last, undefined);
    return this.#send(answer) ? 'room' : 'full';
  }

  end(onSettled?: (error: Error | undefined) => void): void {
    if (this.#endMessage === undefined) {
      const end = new RetainedMessage('end', this.#nextSequence++, new Uint8Array(0), {}, 0, false, undefined);
      // While a failover callback decides, the end waits for what is sent again.
      if (this.#state !== 'handingOver') this.#send(end);
      this.#endMessage = end;
      if (this.#state !== 'closed') this.#linger.restart();
    }
    if (onSettled !== undefined) this.#endMessage.whenSettled(onSettled);
  }

  destroy(reason: string): void {
    if (this.#state === 'closed') return;
    this.#connection?.abort(abortCode.application, reason);
    this.#close(undefined);
  }

  /** Leaves the element for another one. */
  failOver(reason: string): void {
    if (this.#state !== 'open') return;
    this.#connection?.abort(abortCode.failedOver, reason);
    const cause = new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', { ...this.#where(), detail: reason });
    this.#leave(cause, 'broken', false);
  }

  retrieve(): Retrieved {
    const list = this.#queue.list();
    const sent = this.#queue.sent(this.#connection?.sentMessages ?? 0);
    const left = [...list.slice(0, sent), ...this.#waiting.filter((message) => message.redelivered)];
    const unsent = [...list.slice(sent), ...this.#waiting.filter((message) => !message.redelivered)];
    const wanted = (message: RetainedMessage): boolean => message.type === 'message' && !message.answered;
    return { unacknowledged: left.filter(wanted), unsent: unsent.filter(wanted) };
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

  #seek(timeout: number): void {
    this.#search.start(timeout, {
      sessionId: this.sessionId,
      failedOver: this.#failure !== undefined,
      cookieFollows: this.#cookie !== undefined,
    });
  }

  #exhausted(errors: readonly Error[]): void {
    const { poolHandle } = this.#pool;
    if (this.#failure === undefined) this.#close(searchError('ERR_RSERPOOL_CONNECT_TIMEOUT', poolHandle, errors));
    else {
      const all = [this.#failure.cause, ...errors];
      this.#close(aggregatedSearchError('ERR_RSERPOOL_FAILOVER_EXHAUSTED', poolHandle, all));
    }
  }

  #reached(element: PoolElement, connection: MappingConnection): MappingHandler {
    const failure = this.#failure;
    this.#element = element;
    this.#connection = connection;
    connection.expect(this.#requests.size > 0);
    if (!this.#referenced) connection.unref();
    const handler = this.#connectionHandler(connection);
    if (failure === undefined) {
      this.#state = 'open';
      this.#release(this.#waiting.splice(0));
      this.#handler.onOpen();
    } else {
      // First of all the cookie: the new element may need it to understand the rest (RFC 5352 section 3.8).
      if (this.#cookie !== undefined) connection.sendControl(encodeAsap({ type: 'cookieEcho', cookie: this.#cookie }));
      this.#state = 'handingOver';
      this.#handOver(failure, element, connection);
    }
    return handler;
  }

  #handOver(failure: Failure, to: PoolElement, connection: MappingConnection): void {
    const held = this.#waiting.filter((message) => message.type === 'message');
    const facts = failoverFacts(failure, to, this.#cookie, held);
    const decide = (chosen: readonly RetainedMessage[] | undefined): void => {
      if (this.#connection !== connection || this.#state !== 'handingOver') return;
      const ours = new Set(held);
      const resend = new Set(chosen ?? held);
      this.#state = 'open';
      this.#failure = undefined;
      // What was written meanwhile comes behind.
      const later = this.#waiting.filter((message) => message.type === 'message' && !ours.has(message));
      for (const message of held) if (!resend.has(message)) this.#drop(message);
      this.#waiting = [];
      this.#release([...resend].filter((message) => ours.has(message)));
      this.#release(later);
      const end = this.#endMessage;
      if (end !== undefined) this.#release([end]);
      this.#handler.onFailover(facts);
    };
    const refuse = (cause: unknown): void => {
      if (this.#connection !== connection || this.#state !== 'handingOver') return;
      connection.abort(abortCode.application, 'the failover callback refused');
      this.#close(new RserpoolError('ERR_RSERPOOL_FAILOVER_REFUSED', { ...this.#where(), cause }));
    };
    consult(this.#options.onFailover, facts, decide, refuse);
  }

  /** The failover callback does not want it sent again: nobody waits for it but who waits for its answer. */
  #drop(message: RetainedMessage): void {
    const detail = 'the failover callback did not send it again';
    message.settle(
      message.awaitsAnswer ? new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', { ...this.#where(), detail }) : undefined,
    );
  }

  /** Gives messages to the connection. */
  #release(messages: readonly RetainedMessage[]): void {
    const connection = this.#connection as MappingConnection;
    let room = true;
    for (const message of messages) {
      this.#queue.push(message);
      room = connection.send(message);
    }
    if (room && this.#roomWanted) {
      this.#roomWanted = false;
      this.#clock.defer(() => this.#state === 'open' && this.#handler.onRoom());
    }
  }

  #send(message: RetainedMessage): boolean {
    if (this.#state === 'closed' || this.#endMessage !== undefined) {
      message.settle(new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', this.#where()));
      return false;
    }
    if (this.#state === 'seeking' || (this.#leaving !== undefined && message.inAnswerTo === 0)) {
      this.#waiting.push(message);
      this.#roomWanted = true;
      return false;
    }
    this.#queue.push(message);
    const room = (this.#connection as MappingConnection).send(message);
    if (!room) this.#roomWanted = true;
    return room;
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
        this.#queue.acknowledge(count);
        this.#leaveWhenDone();
      },
      onRoom: () => {
        if (!current() || !this.#roomWanted) return;
        this.#roomWanted = false;
        this.#handler.onRoom();
      },
      onGoElsewhere: () => current() && this.#prepareToLeave(),
      onClose: (error) => current() && this.#onConnectionClosed(error),
    };
  }

  #onMessage(connection: MappingConnection, incoming: IncomingMessage): void {
    this.#progress();
    const answers = incoming.inAnswerTo !== 0 && incoming.lastAnswer;
    if (answers) this.#queue.answered(incoming.inAnswerTo);
    const message = new Message(connection, this, incoming);
    if (incoming.type === 'end') {
      this.#peerEnded = true;
      this.#handler.onEnd(message);
    } else if (incoming.inAnswerTo === 0 || !this.#requests.take(message)) this.#handler.onMessage(message);
    if (answers) this.#leaveWhenDone();
  }

  /** The element is to be stopped: what it has it may finish, the rest waits for another one. */
  #prepareToLeave(): void {
    if (this.#leaving !== undefined || this.#state === 'closed') return;
    this.#leaving = this.#clock.setTimeout(() => this.#goElsewhere(), this.#options.handOverTimeout);
    this.#leaveWhenDone();
  }

  #leaveWhenDone(): void {
    if (this.#leaving !== undefined && this.#state === 'open' && this.#queue.isSettled) this.#goElsewhere();
  }

  #goElsewhere(): void {
    this.#connection?.abort(abortCode.failedOver, 'gone elsewhere, as asked');
    this.#leave(new RserpoolError('ERR_RSERPOOL_HANDED_OVER', { ...this.#where(), origin: 'remote' }), 'silent', false);
  }

  #onControl(connection: MappingConnection, bytes: Uint8Array): void {
    const decoded = decodeAsap(bytes);
    if (decoded.type === 'protocolError') {
      connection.abort(abortCode.protocolError, decoded.fault.reason);
      const facts = { ...this.#where(), detail: decoded.fault.reason, origin: 'remote' } as const;
      this.#leave(new RserpoolError('ERR_RSERPOOL_PROTOCOL', facts), 'silent', true);
    } else if (decoded.type === 'message' && decoded.message.type === 'cookie') {
      this.#cookie = decoded.message.cookie;
      this.#handler.onCookie(this.#cookie);
    }
  }

  #onConnectionClosed(error: RserpoolError | undefined): void {
    if (error === undefined || this.#isComplete()) this.#close(undefined);
    else if (error.code === 'ERR_RSERPOOL_ABORTED') this.#close(error);
    else this.#leave(error, error.code === 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT' ? 'silent' : 'broken', true);
  }

  /** Nothing is left that another element could do: only our end was not acknowledged. */
  #isComplete(): boolean {
    if (!this.#peerEnded || this.#endMessage === undefined) return false;
    return this.#queue.list().every((message) => message.type === 'end' || message.answered);
  }

  /** The element has failed (or is to be left): what it did not acknowledge waits for the next one. */
  #leave(cause: Error, how: keyof ExclusionTimes, report: boolean): void {
    const from = this.#element as PoolElement;
    const connection = this.#connection as MappingConnection;
    const sent = this.#queue.sent(connection.sentMessages);
    this.#leaving?.cancel();
    this.#leaving = undefined;
    this.#requests.restart();
    const kept = this.#queue.begin().flatMap((message, index) => {
      if (index < sent) message.redelivered = true;
      // Nobody else asked what our answers answer.
      if (message.answered || message.type === 'end' || message.inAnswerTo !== 0) return [];
      if (message.failover || index >= sent) return [message];
      message.settle(
        new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', { ...this.#where(), cause, detail: 'sent without failover' }),
      );
      return [];
    });
    // What the former failover still held back stands before what was written since.
    this.#waiting = [...this.#waiting.filter((message) => message.type === 'message'), ...kept].sort(
      (a, b) => a.sequence - b.sequence,
    );
    this.#connection = undefined;
    this.#state = 'seeking';
    this.#failure ??= { from, cause };
    this.#search.exclude(from.identifier, how);
    if (report && connection.sentMessages > 0) this.#pool.reportUnreachable(from.identifier);
    if (this.#failoversInARow++ >= this.#options.maxFailovers) {
      this.#exhausted([]);
      return;
    }
    this.#seek(this.#options.failoverTimeout);
  }

  #progress(): void {
    this.#failoversInARow = 0;
    if (this.#endMessage !== undefined) this.#linger.restart();
  }

  #lingeredTooLong(): void {
    const { unsent, unacknowledged } = this.retrieve();
    const undelivered = unsent.length + unacknowledged.length;
    // Waiting for the far side to end is not waiting for acknowledgements.
    if (undelivered === 0 && this.#queue.length === 0) return;
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
    const outstanding = [...this.#queue.list(), ...this.#waiting];
    this.#state = 'closed';
    this.#search.stop();
    this.#linger.stop();
    for (const message of outstanding)
      message.settle(error ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', this.#where()));
    this.#clock.defer(() => this.#handler.onClose(error));
  }
}
