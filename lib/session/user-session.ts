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
import { ElementSearch, type PoolAccess, type SearchOptions, searchError } from './element-search.js';
import { Message, type Replier, RetainedMessage, type SendOptions } from './message.js';
import { RetrievalQueue } from './retrieval-queue.js';
import type { FailoverCallback, FailoverFacts, FailoverSend, Retrieved, Session, SessionHandler } from './session.js';

export interface UserSessionOptions extends SearchOptions {
  /** Milliseconds to reach the first element. Default: 30,000. */
  readonly connectTimeout: number;
  /** Milliseconds to reach another element after one failed. Default: 30,000. */
  readonly failoverTimeout: number;
  /** Failovers in a row without a message taken or received in between. Default: 16. */
  readonly maxFailovers: number;
  /** Milliseconds to wait for acknowledgements after `end`, without any coming. Default: 30,000. */
  readonly lingerTimeout: number;
  readonly onFailover: FailoverCallback | undefined;
}

export const defaultUserSessionOptions: UserSessionOptions = {
  connectTimeout: 30_000,
  failoverTimeout: 30_000,
  maxFailovers: 16,
  lingerTimeout: 30_000,
  exclusion: { broken: 250, silent: 2000 },
  backoff: { first: 100, most: 2000 },
  answerPatience: 250,
  onFailover: undefined,
};

const noFeatures: MappingFeatures = {
  streams: false,
  unordered: false,
  acknowledgesTaken: false,
  rtt: false,
  rto: false,
  pathMtu: false,
};

/** Why the element that had the session was left. */
interface Failure {
  readonly from: PoolElement;
  readonly cause: Error;
}

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
  #endMessage: RetainedMessage | undefined;
  #nextSequence = 1;
  #cookie: Uint8Array | undefined;
  /** The element that failed, until the session is open again; undefined before the first one. */
  #failure: Failure | undefined;
  #failoversInARow = 0;
  #linger: Timer | undefined;
  #peerEnded = false;
  #roomWanted = false;
  /** The failover callback is running: what is sent now is its own, and goes first. */
  #callingBack = false;

  constructor(pool: PoolAccess, clock: Clock, random: Random, options: UserSessionOptions, handler: SessionHandler) {
    this.sessionId = random.bytes(16);
    this.#pool = pool;
    this.#clock = clock;
    this.#options = options;
    this.#handler = handler;
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

  /** Whether an element is excluded because it has just failed. */
  isExcluded(identifier: number): boolean {
    return this.#search.isExcluded(identifier);
  }

  send(data: Uint8Array, options: SendOptions = {}, onSettled?: (error: Error | undefined) => void): boolean {
    return this.#send(new RetainedMessage('message', this.#nextSequence++, data, options, 0, false, onSettled));
  }

  answer(data: Uint8Array, inAnswerTo: number, last: boolean, options: SendOptions): boolean {
    return this.#send(new RetainedMessage('message', this.#nextSequence++, data, options, inAnswerTo, last, undefined));
  }

  end(onSettled?: (error: Error | undefined) => void): void {
    if (this.#endMessage !== undefined || this.#state === 'closed') return;
    const end = new RetainedMessage('end', this.#nextSequence++, new Uint8Array(0), {}, 0, false, onSettled);
    // While a failover callback decides, the end waits for what is sent again.
    if (this.#state !== 'handingOver') this.#send(end);
    this.#endMessage = end;
    this.#restartLinger();
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
    this.#leave(
      new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', { ...this.#where(), detail: reason }),
      'broken',
      false,
    );
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
    this.#connection?.ref();
  }

  unref(): void {
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
    else this.#close(searchError('ERR_RSERPOOL_FAILOVER_EXHAUSTED', poolHandle, [this.#failure.cause, ...errors]));
  }

  #reached(element: PoolElement, connection: MappingConnection): MappingHandler {
    const failure = this.#failure;
    this.#element = element;
    this.#connection = connection;
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
    const facts: FailoverFacts = Object.freeze({
      from: failure.from,
      to,
      cause: failure.cause,
      cookie: this.#cookie,
      unsent: Object.freeze(held.filter((message) => !message.redelivered)),
      unacknowledged: Object.freeze(held.filter((message) => message.redelivered)),
    });
    const finish = (chosen: void | readonly RetainedMessage[]): void => {
      if (this.#connection !== connection || this.#state !== 'handingOver') return;
      this.#state = 'open';
      this.#failure = undefined;
      const known = new Set(held);
      const resend = new Set(chosen ?? held);
      for (const message of held) if (!resend.has(message)) message.settle(undefined);
      const sentMeanwhile = this.#waiting.filter((message) => message.type === 'message' && !known.has(message));
      this.#waiting = [];
      this.#release([...resend].filter((message) => known.has(message)));
      this.#release(sentMeanwhile);
      const end = this.#endMessage;
      if (end !== undefined) this.#release([end]);
      this.#handler.onFailover(facts);
    };
    const refuse = (cause: unknown): void => {
      if (this.#connection !== connection) return;
      connection.abort(abortCode.application, 'the failover callback refused');
      this.#close(new RserpoolError('ERR_RSERPOOL_FAILOVER_REFUSED', { ...this.#where(), cause }));
    };
    const send: FailoverSend = (data, options = {}, onSettled) => {
      const message = new RetainedMessage('message', this.#nextSequence++, data, options, 0, false, onSettled);
      const first = this.#connection === connection && this.#state === 'handingOver';
      return first ? this.#sendNow(message) : this.#send(message);
    };
    const { onFailover } = this.#options;
    if (onFailover === undefined) {
      finish(undefined);
      return;
    }
    try {
      this.#callingBack = true;
      const chosen = onFailover(facts, send);
      this.#callingBack = false;
      if (chosen === undefined || chosen === null || !('then' in chosen))
        finish(chosen as void | readonly RetainedMessage[]);
      else chosen.then(finish, refuse);
    } catch (error) {
      this.#callingBack = false;
      refuse(error);
    }
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
      message.settle(new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { poolHandle: this.#pool.poolHandle }));
      return false;
    }
    // What is held back for the failover callback stands before what comes meanwhile.
    if (this.#state === 'seeking' || (this.#state === 'handingOver' && !this.#callingBack)) {
      this.#waiting.push(message);
      this.#roomWanted = true;
      return false;
    }
    return this.#sendNow(message);
  }

  #sendNow(message: RetainedMessage): boolean {
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
      },
      onRoom: () => {
        if (!current() || !this.#roomWanted) return;
        this.#roomWanted = false;
        this.#handler.onRoom();
      },
      onGoElsewhere: () => current() && this.failOver('the element asked to go elsewhere'),
      onClose: (error) => current() && this.#onConnectionClosed(error),
    };
  }

  #onMessage(connection: MappingConnection, incoming: IncomingMessage): void {
    this.#progress();
    if (incoming.inAnswerTo !== 0 && incoming.lastAnswer) this.#queue.answered(incoming.inAnswerTo);
    const message = new Message(connection, this, incoming);
    if (incoming.type === 'end') {
      this.#peerEnded = true;
      this.#handler.onEnd(message);
    } else this.#handler.onMessage(message);
  }

  #onControl(connection: MappingConnection, bytes: Uint8Array): void {
    const decoded = decodeAsap(bytes);
    if (decoded.type === 'protocolError') {
      connection.abort(abortCode.protocolError, decoded.fault.reason);
      this.#leave(
        new RserpoolError('ERR_RSERPOOL_PROTOCOL', {
          ...this.#where(),
          detail: decoded.fault.reason,
          origin: 'remote',
        }),
        'silent',
        true,
      );
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
    const kept = this.#queue.begin().flatMap((message, index) => {
      if (index < sent) message.redelivered = true;
      if (message.answered || message.type === 'end') return [];
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
    if (this.#endMessage !== undefined) this.#restartLinger();
  }

  #restartLinger(): void {
    this.#linger?.cancel();
    this.#linger = this.#clock.setTimeout(() => {
      const { unsent, unacknowledged } = this.retrieve();
      const undelivered = unsent.length + unacknowledged.length;
      // Waiting for the far side to end is not waiting for acknowledgements.
      if (undelivered === 0 && this.#queue.length === 0) return;
      this.#connection?.abort(abortCode.application, 'acknowledgements did not come in time');
      this.#close(
        new RserpoolError('ERR_RSERPOOL_LINGER_TIMEOUT', { ...this.#where(), detail: `${undelivered} messages` }),
      );
    }, this.#options.lingerTimeout);
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
    this.#linger?.cancel();
    for (const message of outstanding)
      message.settle(error ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', this.#where()));
    this.#clock.defer(() => this.#handler.onClose(error));
  }
}
