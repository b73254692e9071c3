/**
 * What a socket has while it is with a pool in failover mode: its session, and the two sides of its stream joined to
 * that. One lasts from `connect` (or the acceptance at an element) to 'close'; a socket that connects again gets another.
 */

import type { Clock } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { BusinessCard } from '../session/business-card.js';
import type { Cookie } from '../session/cookie.js';
import { ElementSession } from '../session/element-session.js';
import type { HoldBack, Message } from '../session/message.js';
import type { Session, SessionHandler } from '../session/session.js';
import type { TransportAddress } from '../transport/transport.js';
import { Delivery, type ReadableSide } from './delivery.js';
import { guard, guarded } from './guarded.js';
import { IdleTimer } from './idle-timer.js';
import { MessageHandling } from './message-handling.js';
import type { DeliveryOptions } from './options.js';
import { Outgoing } from './outgoing.js';
import type { WriteCallback } from './written-bytes.js';

/** What the session needs of its socket. */
export interface SessionSocket extends ReadableSide {
  readonly connecting: boolean;
  readonly readableEnded: boolean;
  readonly writableFinished: boolean;
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  emit(event: string, ...args: unknown[]): boolean;
  once(event: string, listener: () => void): unknown;
  destroy(error?: Error): unknown;
}

export interface SocketSessionOptions extends DeliveryOptions {
  readonly clock: Clock;
  readonly poolHandle: string;
  /** Emits 'close'. */
  readonly emitClose: (hadError: boolean) => void;
  /** At an element: the cookie that the user brought. */
  readonly cookie?: Cookie | undefined;
}

/** Bytes of the largest fragment and of the largest message that our side sends. */
export interface SendLimits {
  readonly longestPayload: number;
  readonly longestMessage: number;
}

export class SocketSession {
  readonly poolHandle: string;
  /** Who is told of the session: for its constructor, before `start`. */
  readonly handler: SessionHandler;
  readonly idle: IdleTimer;
  readonly delivery: Delivery;
  /** For `remoteAddress` after the end. */
  readonly peer: { at: TransportAddress | undefined } = { at: undefined };
  readonly #socket: SessionSocket;
  readonly #clock: Clock;
  readonly #emitClose: (hadError: boolean) => void;
  readonly #handling: MessageHandling;
  #running: { readonly session: Session; readonly outgoing: Outgoing } | undefined;
  /** What the session ended with. */
  #error: Error | undefined;
  #closed = false;
  #whenClosed: ((error: Error | undefined) => void) | undefined;
  #resetting = false;
  #destroyedConnecting = false;
  /** It is connected, and the listeners of 'connect' have been told. */
  #announced = false;
  #cookie: Cookie | undefined;
  readonly #holdBack: HoldBack = (message) => this.outgoing.holdBack(message, this.#socket.writableLength);
  #businessCard: BusinessCard | undefined;

  constructor(socket: SessionSocket, options: SocketSessionOptions) {
    this.poolHandle = options.poolHandle;
    this.#socket = socket;
    this.#clock = options.clock;
    this.#emitClose = options.emitClose;
    this.#cookie = options.cookie;
    this.idle = new IdleTimer(options.clock, () => void socket.emit('timeout'));
    this.delivery = new Delivery(socket);
    this.#handling = new MessageHandling(options, socket, {
      onEnd: (end) => this.delivery.addEnd(end),
      onFailed: (error) => this.#onHandlerFailed(error),
    });
    this.handler = this.#sessionHandler();
    socket.once('end', () => this.delivery.endTaken());
  }

  /** The session that `handler` was given to. */
  start(session: Session, limits: SendLimits): void {
    this.#running = { session, outgoing: new Outgoing(session, this.#clock, limits) };
    // The socket of an element's side is connected from the first, and never says so.
    this.#announced = session instanceof ElementSession;
  }

  get session(): Session {
    return this.#started.session;
  }

  get outgoing(): Outgoing {
    return this.#started.outgoing;
  }

  /** What the session ended with, if it has. */
  get error(): Error | undefined {
    return this.#error;
  }

  get cookie(): Cookie | undefined {
    return this.#cookie;
  }

  get businessCard(): BusinessCard | undefined {
    return this.#businessCard;
  }

  /**
   * Somebody waits for 'connect': if that has been, and data flow to a listener, it is called at the end of this tick
   * (true). What it does may wait for the next 'connect' as ever.
   */
  tellConnected(listener: () => void): boolean {
    const socket = this.#socket;
    if (!this.#announced || socket.destroyed || socket.listenerCount('data') === 0) return false;
    this.#clock.defer(() => {
      this.#announced = false;
      guard(this.#clock, listener);
      this.#announced = true;
    });
    return true;
  }

  /** Writes of the stream, in one batch. */
  write(chunks: readonly { chunk: Uint8Array | string; encoding: BufferEncoding }[], callback: WriteCallback): void {
    this.idle.touch();
    this.outgoing.write(chunks, callback);
  }

  /** `destroy` shall not wait for acknowledgements. */
  reset(): void {
    this.#resetting = true;
  }

  /** The socket's `_destroy`: `callback` when the session is over; 'close' follows on the next turn. */
  destroy(error: Error | null, wasConnecting: boolean, callback: (error?: Error | null) => void): void {
    const { session } = this;
    const socket = this.#socket;
    this.idle.set(0);
    this.#destroyedConnecting = wasConnecting;
    const finish = (cause: Error | null): void => {
      callback(cause);
      this.#clock.nextTurn(() => this.#emitClose(cause !== null));
    };
    if (this.#closed || error !== null || !socket.writableFinished || wasConnecting || this.#resetting) {
      if (!this.#closed) session.destroy(destroyedByApplication);
      finish(error);
      return;
    }
    // What was accepted is not lost because the application is done: the rest is taken unread.
    this.#whenClosed = (cause) => finish(cause ?? null);
    if (socket.readableEnded) return;
    this.delivery.discard();
    this.#handling.discard();
    session.end(() => session.destroy(destroyedByApplication));
  }

  get #started(): { readonly session: Session; readonly outgoing: Outgoing } {
    if (this.#running === undefined) throw new TypeError('the session was not started');
    return this.#running;
  }

  #sessionHandler(): SessionHandler {
    const socket = this.#socket;
    return guarded(this.#clock, {
      onOpen: () => {
        if (!socket.connecting) return;
        setConnecting(socket, false);
        this.idle.touch();
        socket.emit('connect');
        socket.emit('ready');
        this.#announced = true;
      },
      onMessage: (message) => this.#onMessage(message),
      onEnd: (message) => {
        this.idle.touch();
        if (socket.destroyed) message.acknowledge();
        else this.#handling.end(message);
      },
      onRoom: () => {
        // Where write() returned false too, the stream has its own 'drain' to come.
        if (this.outgoing.onRoom() && !socket.destroyed && !socket.writableNeedDrain) socket.emit('drain');
      },
      onCookie: (cookie) => {
        this.#cookie = cookie;
        socket.emit('cookie', cookie);
      },
      onBusinessCard: (card) => {
        this.#businessCard = card;
        socket.emit('businessCard', card);
      },
      onFailover: (facts) => socket.emit('failover', facts),
      onResume: () => this.session instanceof ElementSession && socket.emit('resumed'),
      onClose: (error) => this.#onClosed(error),
    });
  }

  #onMessage(message: Message): void {
    const socket = this.#socket;
    this.idle.touch();
    if (socket.destroyed) {
      message.acknowledge();
      return;
    }
    message.holdBackWith(this.#holdBack);
    if (this.#handling.wanted) this.#handling.handle(message);
    else this.delivery.add(message);
  }

  #onHandlerFailed(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error('the message handler failed', { cause });
    const { session } = this;
    if (session instanceof ElementSession) session.fail(error);
    this.#socket.destroy(error);
  }

  #onClosed(error: Error | undefined): void {
    this.#closed = true;
    this.#error = error;
    const whenClosed = this.#whenClosed;
    this.#whenClosed = undefined;
    if (whenClosed !== undefined) whenClosed(error);
    else if (!this.#socket.destroyed) this.#socket.destroy(error);
    if (this.#destroyedConnecting) this.outgoing.fail(closedBeforeConnection());
    else this.outgoing.fail(error ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { poolHandle: this.poolHandle }));
  }
}

/** What the far side is told. */
const destroyedByApplication = 'its application destroyed the socket';

/** What net tells those whose write was waiting for a connection. */
function closedBeforeConnection(): Error {
  const error = new Error('Socket closed before the connection was established');
  return Object.assign(error, { code: 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION' });
}

/** net's own property, which its typings call read-only. */
export function setConnecting(socket: { readonly connecting: boolean }, connecting: boolean): void {
  (socket as { connecting: boolean }).connecting = connecting;
}
