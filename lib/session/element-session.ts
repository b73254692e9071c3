/** A session at the element's side: it lives and dies with its connection, which may outlive a byte stream that breaks. */

import type { Clock, Timer } from '../clock.js';
import { RserpoolError } from '../errors.js';
import {
  abortCode,
  type IncomingMessage,
  type MappingConnection,
  type MappingFeatures,
  type MappingHandler,
  type OutgoingMessage,
  type PathMeasurements,
  type PeerHello,
} from '../mapping/mapping.js';
import type { TransportAddress } from '../transport/transport.js';
import { decodeAsap, encodeAsap } from '../wire/asap.js';
import { type BusinessCard, encodeBusinessCard, receivedBusinessCard } from './business-card.js';
import { type Cookie, toCookie } from './cookie.js';
import type { CookieSeal } from './cookie-seal.js';
import { type Answered, Message, type Replier, RetainedMessage, type SendOptions } from './message.js';
import { RetrievalQueue } from './retrieval-queue.js';
import type { Retrieved, Session, SessionHandler } from './session.js';

/** Whom the sessions that users open belong to. */
export interface ElementSessionOwner {
  /**
   * A session begins: its user needs it, and the cookie echo, if any, has come. Undefined: there is no room for it any
   * more, and its user goes elsewhere.
   */
  begin(session: ElementSession, cookie: Cookie | undefined): SessionHandler | undefined;
  /** The connection ended before the session began. */
  onNotBegun(): void;
}

/** How an element lets sessions begin. */
export interface EntranceOptions {
  readonly clock: Clock;
  /** Milliseconds that a user who has announced a cookie echo is waited for. */
  readonly helloTimeout: number;
  /** Without it cookies are plain bytes, and never verified. */
  readonly cookies?: CookieCheck | undefined;
}

/** How an element's sessions protect their cookies. */
export interface CookieCheck {
  readonly seal: CookieSeal;
  /** A cookie was refused, and its session with it: the user goes elsewhere. */
  onRefused(reason: string): void;
}

export class ElementSession implements Session, Replier, MappingHandler {
  readonly #connection: MappingConnection;
  readonly #owner: ElementSessionOwner;
  readonly #entrance: EntranceOptions;
  readonly #queue = new RetrievalQueue();
  #handler: SessionHandler | undefined;
  #sessionId = new Uint8Array(0);
  /** While the cookie echo is awaited. */
  #patience: Timer | undefined;
  #state: 'opening' | 'awaitingCookie' | 'open' | 'closed' = 'opening';
  #nextSequence = 1;
  #end: RetainedMessage | undefined;
  #handedOver = false;
  #peerEnded = false;
  /** The session's own end, when it was not the far side's doing. */
  #error: Error | undefined;

  constructor(connection: MappingConnection, owner: ElementSessionOwner, entrance: EntranceOptions) {
    this.#connection = connection;
    this.#owner = owner;
    this.#entrance = entrance;
  }

  get sessionId(): Uint8Array {
    return this.#sessionId;
  }

  get features(): MappingFeatures {
    return this.#connection.features;
  }

  get path(): PathMeasurements {
    return this.#connection;
  }

  get localAddress(): TransportAddress {
    return this.#connection.localAddress;
  }

  get remoteAddress(): TransportAddress {
    return this.#connection.remoteAddress;
  }

  send(data: Uint8Array, options: SendOptions = {}, onSettled?: (error: Error | undefined) => void): boolean {
    return this.#send(new RetainedMessage('message', this.#nextSequence++, data, options, 0, false, onSettled));
  }

  write(data: Uint8Array, onSettled?: (error: Error | undefined) => void): boolean {
    return this.send(data, {}, onSettled);
  }

  get handingOver(): boolean {
    return false;
  }

  answer(
    _connection: MappingConnection,
    data: Uint8Array,
    inAnswerTo: number,
    last: boolean,
    options: SendOptions,
  ): Answered {
    if (this.#state === 'closed' || this.#end !== undefined) return 'refused';
    const answer = new RetainedMessage('message', this.#nextSequence++, data, options, inAnswerTo, last, undefined);
    return this.#send(answer) ? 'room' : 'full';
  }

  end(onSettled?: (error: Error | undefined) => void): void {
    if (this.#end === undefined) {
      const end = new RetainedMessage('end', this.#nextSequence++, new Uint8Array(0), {}, 0, false, undefined);
      this.#send(end);
      this.#end = end;
    }
    if (onSettled !== undefined) this.#end.whenSettled(onSettled);
  }

  destroy(reason: string): void {
    if (this.#state === 'closed') return;
    this.#connection.abort(abortCode.application, reason);
  }

  /** Bytes of the largest message that the user takes. */
  get longestMessage(): number {
    return this.#connection.longestMessage;
  }

  /** Ends the session because its handler failed, or for another reason of ours: the user may try another element. */
  fail(error: Error, reason: string = 'the message handler failed'): void {
    if (this.#state === 'closed') return;
    this.#error = error;
    this.#connection.abort(abortCode.handlerFailed, reason);
  }

  /** Sends the user a cookie, which it echoes to the next element should this one fail (RFC 5352 section 3.8). */
  setCookie(cookie: Uint8Array): void {
    const sealed = this.#entrance.cookies?.seal.seal(cookie, this.#sessionId) ?? cookie;
    this.#connection.sendControl(encodeAsap({ type: 'cookie', cookie: sealed }));
  }

  /** Tells the user which elements to try should this one fail, in this order (RFC 5352 section 3.9). */
  sendBusinessCard(card: BusinessCard): void {
    this.#connection.sendControl(encodeBusinessCard(card));
  }

  /** Asks the user to go on elsewhere. */
  goElsewhere(): void {
    this.#handedOver = true;
    this.#connection.goElsewhere();
  }

  retrieve(): Retrieved {
    const list = this.#queue.list().filter((message) => !message.answered);
    return {
      unacknowledged: list.filter((message) => message.left),
      unsent: list.filter((message) => !message.left),
    };
  }

  ref(): void {
    this.#connection.ref();
  }

  unref(): void {
    this.#connection.unref();
  }

  onOpen(peer: PeerHello): void {
    this.#sessionId = peer.sessionId.slice();
    if (peer.cookieFollows) this.#awaitCookie();
    else this.#begin(undefined);
  }

  onMessage(incoming: IncomingMessage): void {
    if (this.#handler === undefined) {
      this.#connection.abort(abortCode.protocolError, 'a message before the cookie echo');
      return;
    }
    const message = new Message(this.#connection, this, incoming);
    if (incoming.type === 'end') {
      this.#peerEnded = true;
      this.#handler.onEnd(message);
    } else this.#handler.onMessage(message);
  }

  onControl(bytes: Uint8Array): void {
    const decoded = decodeAsap(bytes);
    if (decoded.type !== 'message') {
      if (decoded.type === 'protocolError') this.#connection.abort(abortCode.protocolError, decoded.fault.reason);
      return;
    }
    if (decoded.message.type === 'cookieEcho' && this.#state === 'awaitingCookie') {
      this.#checkCookie(decoded.message.cookie);
    } else if (decoded.message.type === 'businessCard' && this.#state === 'open') {
      this.#handler?.onBusinessCard?.(receivedBusinessCard(decoded.message));
    }
  }

  onAcknowledged(count: number): void {
    this.#queue.acknowledge(count);
  }

  onAcknowledgedEarly(message: OutgoingMessage): void {
    (message as RetainedMessage).acknowledgedEarly();
  }

  onRoom(): void {
    this.#handler?.onRoom();
  }

  onResume(): void {
    this.#handler?.onResume();
  }

  onGoElsewhere(): void {}

  onClose(error: RserpoolError | undefined): void {
    this.#state = 'closed';
    this.#patience?.cancel();
    if (this.#handler === undefined) this.#owner.onNotBegun();
    // A user that went elsewhere because it was asked to, and left nothing behind, has closed in order; so has one that
    // had ended, and of which nothing is missing but that it knows of our end.
    const inOrder = (this.#handedOver && this.#queue.isSettled) || (this.#peerEnded && this.#isComplete);
    const cause = this.#error ?? (inOrder ? undefined : error);
    for (const message of this.#queue.list()) message.settle(cause ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED'));
    this.#handler?.onClose(cause);
  }

  /** Whether we have ended, and the user has everything but perhaps that end. */
  get #isComplete(): boolean {
    return this.#end !== undefined && this.#queue.list().every(({ type, answered }) => type === 'end' || answered);
  }

  #awaitCookie(): void {
    const { clock, helloTimeout } = this.#entrance;
    this.#state = 'awaitingCookie';
    const late = (): void => {
      if (this.#state === 'awaitingCookie') {
        this.#connection.abort(abortCode.protocolError, `no cookie echo came within ${helloTimeout} ms`);
      }
    };
    // If we were stopped, what it said meanwhile waits to be read: that first.
    this.#patience = clock.setTimeout(() => clock.nextTurn(late), helloTimeout, 'background');
  }

  /** Who brings a cookie that is none of the pool's is not served without it either: its state would be lost unnoticed. */
  #checkCookie(echoed: Uint8Array): void {
    const { cookies } = this.#entrance;
    const opened = cookies?.seal.open(echoed, this.#sessionId);
    if (opened === undefined) this.#begin(toCookie(echoed, false));
    else if (opened.type === 'verified') this.#begin(toCookie(opened.cookie, true));
    else {
      this.#connection.abort(abortCode.cookieRefused, opened.reason);
      cookies?.onRefused(opened.reason);
    }
  }

  #begin(cookie: Cookie | undefined): void {
    this.#patience?.cancel();
    this.#state = 'open';
    this.#handler = this.#owner.begin(this, cookie);
    if (this.#handler === undefined) this.#connection.abort(abortCode.limit, 'the element takes no session any more');
    else this.#handler.onOpen();
  }

  #send(message: RetainedMessage): boolean {
    if (this.#state === 'closed' || this.#end !== undefined) {
      message.settle(new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED'));
      return false;
    }
    this.#queue.push(message);
    return this.#connection.send(message);
  }
}
