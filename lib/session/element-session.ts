/** A session at the element's side: it lives and dies with its connection, which may outlive a byte stream that breaks. */

import { RserpoolError } from '../errors.js';
import {
  abortCode,
  type IncomingMessage,
  type MappingConnection,
  type MappingFeatures,
  type MappingHandler,
  type OutgoingMessage,
  type PeerHello,
} from '../mapping/mapping.js';
import type { TransportAddress } from '../transport/transport.js';
import { decodeAsap, encodeAsap } from '../wire/asap.js';
import { type Answered, Message, type Replier, RetainedMessage, type SendOptions } from './message.js';
import { RetrievalQueue } from './retrieval-queue.js';
import type { Retrieved, Session, SessionHandler } from './session.js';

/** Makes the owner of a session that a user has opened. It is asked when the cookie echo, if any, has come. */
export type ElementSessionOwner = (session: ElementSession, cookie: Uint8Array | undefined) => SessionHandler;

export class ElementSession implements Session, Replier, MappingHandler {
  readonly #connection: MappingConnection;
  readonly #owner: ElementSessionOwner;
  readonly #queue = new RetrievalQueue();
  #handler: SessionHandler | undefined;
  #sessionId = new Uint8Array(0);
  #state: 'opening' | 'awaitingCookie' | 'open' | 'closed' = 'opening';
  #nextSequence = 1;
  #end: RetainedMessage | undefined;
  #handedOver = false;
  /** The session's own end, when it was not the far side's doing. */
  #error: Error | undefined;

  constructor(connection: MappingConnection, owner: ElementSessionOwner) {
    this.#connection = connection;
    this.#owner = owner;
  }

  get sessionId(): Uint8Array {
    return this.#sessionId;
  }

  get features(): MappingFeatures {
    return this.#connection.features;
  }

  get rtt(): number | undefined {
    return this.#connection.rtt;
  }

  get rto(): number | undefined {
    return this.#connection.rto;
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

  /** Ends the session because its handler failed: the user may try another element. */
  fail(error: Error): void {
    if (this.#state === 'closed') return;
    this.#error = error;
    this.#connection.abort(abortCode.handlerFailed, 'the message handler failed');
  }

  /** There is no room for the session here: its user goes elsewhere. */
  refuse(): void {
    this.#connection.abort(abortCode.limit, 'the element has no room for another session');
  }

  /** Sends the user a cookie, which it echoes to the next element should this one fail (RFC 5352 section 3.8). */
  setCookie(cookie: Uint8Array): void {
    this.#connection.sendControl(encodeAsap({ type: 'cookie', cookie }));
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
    if (peer.cookieFollows) this.#state = 'awaitingCookie';
    else this.#open(undefined);
  }

  onMessage(incoming: IncomingMessage): void {
    if (this.#handler === undefined) {
      this.#connection.abort(abortCode.protocolError, 'a message before the cookie echo');
      return;
    }
    const message = new Message(this.#connection, this, incoming);
    if (incoming.type === 'end') this.#handler.onEnd(message);
    else this.#handler.onMessage(message);
  }

  onControl(bytes: Uint8Array): void {
    const decoded = decodeAsap(bytes);
    if (decoded.type !== 'message') {
      if (decoded.type === 'protocolError') this.#connection.abort(abortCode.protocolError, decoded.fault.reason);
      return;
    }
    if (decoded.message.type === 'cookieEcho' && this.#state === 'awaitingCookie') this.#open(decoded.message.cookie);
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
    // A user that went elsewhere because it was asked to, and left nothing behind, has closed in order.
    const cause = this.#error ?? (this.#handedOver && this.#queue.isSettled ? undefined : error);
    for (const message of this.#queue.list()) message.settle(cause ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED'));
    this.#handler?.onClose(cause);
  }

  #open(cookie: Uint8Array | undefined): void {
    this.#state = 'open';
    this.#handler = this.#owner(this, cookie);
    this.#handler.onOpen();
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
