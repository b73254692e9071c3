/**
 * `net.Socket` over a session: the same class, events and order, with a pool behind it. Without a pool handle every
 * method is net's own.
 */

import net from 'node:net';
import { checkFunction, checkMilliseconds, checkObject, invalidArgumentValue } from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import { type Clock, systemClock } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { MappingFeatures } from '../mapping/mapping.js';
import { ElementSession } from '../session/element-session.js';
import { type Handled, handle, type Message, type SendOptions } from '../session/message.js';
import type { Retrieved, Session, SessionHandler } from '../session/session.js';
import { UserSession } from '../session/user-session.js';
import { Delivery } from './delivery.js';
import { IdleTimer } from './idle-timer.js';
import { copyLimit, LargeWrites, type WriteCallback } from './large-writes.js';
import {
  checkDeliveryOptions,
  checkMappingOptions,
  checkPoolHandle,
  checkScope,
  checkUserSessionOptions,
  type DeliveryOptions,
  type PoolConnectOptions,
} from './options.js';
import { poolAccess } from './pool-access.js';
import { family, sessionProperties } from './session-properties.js';

/** Which element a socket is with. */
export interface ElementInfo {
  /** PE identifier. */
  readonly identifier: number;
  readonly address: string | undefined;
  readonly port: number | undefined;
}

export class Socket extends net.Socket {
  static {
    for (const [name, ofSession] of Object.entries(sessionProperties)) {
      const inherited = Object.getOwnPropertyDescriptor(net.Socket.prototype, name);
      Object.defineProperty(Socket.prototype, name, {
        configurable: true,
        enumerable: inherited?.enumerable ?? false,
        get(this: Socket) {
          const session = this.#session;
          if (session === undefined) return inherited?.get?.call(this);
          const bytesRead = this.#delivery?.bytesRead ?? 0;
          return ofSession({ session, connecting: this.connecting, bytesRead, bytesWritten: this.#bytesWritten });
        },
      });
    }
  }

  #session: Session | undefined;
  #clock: Clock = systemClock;
  #poolHandle: string | undefined;
  #delivery: Delivery | undefined;
  #deliveryOptions: DeliveryOptions = {};
  #longestWrite = 0;
  #longestMessage = 0;
  #bytesWritten = 0;
  /** The write that waits for room. */
  #blocked: WriteCallback | undefined;
  readonly #largeWrites = new LargeWrites();
  #sessionClosed = false;
  #whenSessionClosed: ((error: Error | undefined) => void) | undefined;
  #cookie: Uint8Array | undefined;
  #idle: IdleTimer | undefined;
  /** The PE identifier of the element's own side. */
  #ownIdentifier: number | undefined;

  /** The mode of a socket that is with a pool; undefined for one of net's own. */
  get mode(): 'failover' | undefined {
    return this.#session === undefined ? undefined : 'failover';
  }

  get poolHandle(): string | undefined {
    return this.#poolHandle;
  }

  /** The element that serves this session; at an element's side, itself. */
  get element(): ElementInfo | undefined {
    const session = this.#session;
    const identifier = session instanceof UserSession ? session.element?.identifier : this.#ownIdentifier;
    if (session === undefined || identifier === undefined) return undefined;
    const at = session instanceof UserSession ? session.remoteAddress : session.localAddress;
    return { identifier, address: at?.host, port: at?.port };
  }

  /** What the mapping of this session can do; undefined before 'connect'. */
  get features(): MappingFeatures | undefined {
    return this.connecting ? undefined : this.#session?.features;
  }

  /** Round-trip time in ms; throws ERR_RSERPOOL_FEATURE_NOT_AVAILABLE where the mapping has none; undefined until measured. */
  get rtt(): number | undefined {
    return this.#measured('rtt', this.#session?.rtt);
  }

  /** Retransmission time-out in ms, as `rtt`. */
  get rto(): number | undefined {
    return this.#measured('rto', this.#session?.rto);
  }

  /** Path MTU in bytes: no mapping over TCP knows it, so this throws ERR_RSERPOOL_FEATURE_NOT_AVAILABLE. */
  get pathMtu(): number | undefined {
    return this.#measured('pathMtu', undefined);
  }

  /** 16 secret bytes that both sides know; undefined for net's own sockets. */
  get sessionId(): Uint8Array | undefined {
    return this.#session?.sessionId;
  }

  /** At an element: the cookie that the user brought from the element that it was with before. At a user: the last one that came. */
  get cookie(): Uint8Array | undefined {
    return this.#cookie;
  }

  override connect(...args: unknown[]): this {
    const [first] = args;
    if (isPoolTarget(first)) {
      const callback = args.find((arg) => typeof arg === 'function') as (() => void) | undefined;
      return this.#connectPool(first, callback);
    }
    return (super.connect as (...all: unknown[]) => this)(...args);
  }

  /** Takes a session that a user opened with an element (for Server). */
  attach(session: ElementSession, options: ElementSocketOptions): SessionHandler {
    this.#poolHandle = options.poolHandle;
    this.#ownIdentifier = options.peIdentifier;
    this.#cookie = options.cookie;
    this.#begin(options.scope.clock, options, options.longestPayload, options.longestMessage);
    this.#session = session;
    return this.#sessionHandler();
  }

  /**
   * Sends one message. False: wait for 'drain'. It is kept until the far application has taken it, and sent again to
   * another element if this one fails (`failover: false`: handed back instead).
   */
  send(data: Uint8Array | string, options: SendOptions = {}): boolean {
    const session = this.#poolSession('send');
    checkObject('options', options);
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (!(bytes instanceof Uint8Array)) throw invalidArgumentValue('data', data, 'must be a string or a Uint8Array');
    if (bytes.length > this.#longestMessage) {
      throw new RserpoolError('ERR_RSERPOOL_MESSAGE_TOO_LARGE', {
        detail: `${bytes.length} bytes; the limit is ${this.#longestMessage}`,
        ...(this.#poolHandle === undefined ? {} : { poolHandle: this.#poolHandle }),
      });
    }
    this.#bytesWritten += bytes.length;
    this.#idle?.touch();
    return session.send(bytes.length <= copyLimit ? bytes.slice() : bytes, options);
  }

  /** Everything that was not acknowledged: after an error, what the application may send elsewhere (RFC 5352 section 6.7). */
  retrieve(): Retrieved {
    return this.#session?.retrieve() ?? { unsent: [], unacknowledged: [] };
  }

  /** Leaves the element for another one (users only). */
  failOver(): void {
    const session = this.#poolSession('failOver');
    if (session instanceof UserSession) session.failOver('the application asked for it');
  }

  /** Gives the user a cookie that it shows to the next element should this one fail (elements only, RFC 5352 section 3.8). */
  setCookie(cookie: Uint8Array): void {
    const session = this.#poolSession('setCookie');
    if (session instanceof ElementSession) session.setCookie(cookie);
  }

  override address(): net.AddressInfo | Record<string, never> {
    if (this.#session === undefined) return super.address();
    const local = this.#session.localAddress;
    return local === undefined ? {} : { address: local.host, family: family(local.host) as string, port: local.port };
  }

  override ref(): this {
    if (this.#session === undefined) return super.ref();
    this.#session.ref();
    return this;
  }

  override unref(): this {
    if (this.#session === undefined) return super.unref();
    this.#session.unref();
    return this;
  }

  override setTimeout(timeout: number, callback?: () => void): this {
    if (this.#idle === undefined) return super.setTimeout(timeout, callback);
    (this as { timeout?: number }).timeout = checkMilliseconds('msecs', timeout);
    if (callback !== undefined) {
      checkFunction('callback', callback);
      if (timeout === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    this.#idle.set(timeout);
    return this;
  }

  override setNoDelay(noDelay?: boolean): this {
    return this.#session === undefined ? super.setNoDelay(noDelay) : this;
  }

  override setKeepAlive(enable?: boolean, initialDelay?: number): this {
    return this.#session === undefined ? super.setKeepAlive(enable, initialDelay) : this;
  }

  // biome-ignore lint/suspicious/noExplicitAny: write's overloads are Node's
  override write(chunk: any, encodingOrCallback?: any, callback?: any): boolean {
    if (this.#session === undefined) return super.write(chunk, encodingOrCallback, callback);
    const done: unknown = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback;
    const encoding = typeof encodingOrCallback === 'function' ? undefined : encodingOrCallback;
    if (typeof done !== 'function' || !(chunk instanceof Uint8Array) || chunk.length <= copyLimit) {
      return super.write(chunk, encoding, typeof done === 'function' ? (done as WriteCallback) : undefined);
    }
    // The buffer is the session's until its message is acknowledged; only then is it the caller's again.
    this.#largeWrites.add(chunk, done as WriteCallback);
    return super.write(chunk, encoding, (error) => error && this.#largeWrites.drop(chunk, error));
  }

  override read(size?: number): unknown {
    const delivery = this.#delivery;
    return delivery === undefined ? super.read(size) : delivery.read(() => super.read(size) as unknown);
  }

  override _read(size: number): void {
    if (this.#delivery === undefined) super._read(size);
    else this.#delivery.deliver();
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.#session === undefined) {
      super._write(chunk, encoding, callback);
      return;
    }
    if (this.#sendStream(chunk, encoding)) callback();
    else this.#blocked = callback;
  }

  override _writev(chunks: { chunk: Uint8Array | string; encoding: BufferEncoding }[], callback: WriteCallback): void {
    if (this.#session === undefined) {
      super._writev?.(chunks, callback);
      return;
    }
    let room = true;
    for (const { chunk, encoding } of chunks) room = this.#sendStream(chunk, encoding);
    if (room) callback();
    else this.#blocked = callback;
  }

  override _final(callback: WriteCallback): void {
    if (this.#session === undefined) {
      super._final(callback);
      return;
    }
    this.#session.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const session = this.#session;
    if (session === undefined) {
      super._destroy(error, callback);
      return;
    }
    this.#connecting(false);
    this.#idle?.set(0);
    const finish = (cause: Error | null): void => {
      callback(cause);
      this.#clock.nextTurn(() => this.emit('close', cause !== null));
    };
    if (this.#sessionClosed || error !== null || !this.writableFinished) {
      if (!this.#sessionClosed) session.destroy(error?.message ?? 'the socket was destroyed');
      finish(error);
      return;
    }
    // What was accepted is not lost because the application is done: the rest is taken unread.
    this.#whenSessionClosed = (cause) => finish(cause ?? null);
    if (!this.readableEnded) session.end(() => session.destroy('the socket was destroyed'));
  }

  #poolSession(what: string): Session {
    if (this.#session !== undefined) return this.#session;
    throw new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', {
      detail: `${what} needs a pool: connect with a poolHandle`,
    });
  }

  #measured(name: 'rtt' | 'rto' | 'pathMtu', value: number | undefined): number | undefined {
    const features = this.features;
    if (this.#session === undefined || features === undefined || features[name]) return value;
    throw new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', { detail: name });
  }

  #connectPool(options: PoolConnectOptions, onConnect: (() => void) | undefined): this {
    const poolHandle = checkPoolHandle(options.poolHandle);
    const scope = checkScope(options.scope);
    const mapping = checkMappingOptions(options);
    const session = checkUserSessionOptions(options);
    checkDeliveryOptions(options);
    this.#poolHandle = poolHandle;
    this.#connecting(true);
    if (onConnect !== undefined) this.once('connect', onConnect);
    this.#begin(scope.clock, options, mapping.longestPayload, mapping.longestMessage);
    const access = poolAccess(scope, poolHandle, mapping, options.mapping === 'tcp');
    this.#session = new UserSession(access, scope.clock, scope.random, session, this.#sessionHandler());
    return this;
  }

  #begin(clock: Clock, delivery: DeliveryOptions, longestWrite: number, longestMessage: number): void {
    this.#clock = clock;
    this.#deliveryOptions = delivery;
    this.#longestWrite = longestWrite;
    this.#longestMessage = longestMessage;
    this.#idle = new IdleTimer(clock, () => this.emit('timeout'));
    this.#delivery = new Delivery(this);
    this.once('end', () => this.#delivery?.endTaken());
  }

  #sessionHandler(): SessionHandler {
    return {
      onOpen: () => {
        if (!this.connecting) return;
        this.#connecting(false);
        this.#idle?.touch();
        this.emit('connect');
        this.emit('ready');
      },
      onMessage: (message) => this.#onMessage(message),
      onEnd: (message) => {
        this.#idle?.touch();
        if (this.destroyed) {
          message.acknowledge();
          return;
        }
        this.#delivery?.addEnd(message);
        // Nobody reads: the end has to be noticed all the same.
        if (this.#takesMessages()) this.resume();
      },
      onRoom: () => {
        const blocked = this.#blocked;
        this.#blocked = undefined;
        if (blocked !== undefined) blocked();
        else if (!this.destroyed && !this.writableNeedDrain) this.emit('drain');
      },
      onCookie: (cookie) => {
        this.#cookie = cookie;
        this.emit('cookie', cookie);
      },
      onFailover: (facts) => this.emit('failover', facts),
      onClose: (error) => this.#onSessionClosed(error),
    };
  }

  /** net's own property, which its typings call read-only. */
  #connecting(connecting: boolean): void {
    (this as { connecting: boolean }).connecting = connecting;
  }

  #takesMessages(): boolean {
    return this.#deliveryOptions.onMessage !== undefined || this.listenerCount('message') > 0;
  }

  #onMessage(message: Message): void {
    this.#idle?.touch();
    if (this.destroyed) {
      message.acknowledge();
      return;
    }
    const { onMessage, acknowledge } = this.#deliveryOptions;
    if (!this.#takesMessages()) {
      this.#delivery?.add(message);
      return;
    }
    const handler = onMessage ?? ((one: Message): Handled => void this.emit('message', one));
    if (acknowledge === 'manual') handler(message);
    else handle(message, handler, (error) => this.#onHandlerFailed(error));
  }

  #onHandlerFailed(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error('the message handler failed', { cause });
    if (this.#session instanceof ElementSession) this.#session.fail(error);
    this.destroy(error);
  }

  #onSessionClosed(error: Error | undefined): void {
    this.#sessionClosed = true;
    const whenClosed = this.#whenSessionClosed;
    this.#whenSessionClosed = undefined;
    const blocked = this.#blocked;
    this.#blocked = undefined;
    if (whenClosed !== undefined) whenClosed(error);
    else if (!this.destroyed && (error !== undefined || (this.readableEnded && this.writableFinished)))
      this.destroy(error);
    blocked?.(error ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED'));
  }

  /** Sends bytes of the stream: cut to frames, since a stream has no message boundaries to keep. */
  #sendStream(chunk: Uint8Array | string, encoding: BufferEncoding): boolean {
    const session = this.#session as Session;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.#bytesWritten += bytes.length;
    this.#idle?.touch();
    if (bytes.length <= copyLimit) return session.send(typeof chunk === 'string' ? bytes : bytes.slice());
    const callback = this.#largeWrites.take(chunk);
    let room = true;
    for (let at = 0; at < bytes.length; at += this.#longestWrite) {
      const last = at + this.#longestWrite >= bytes.length;
      const settled =
        last && callback !== undefined ? (error: Error | undefined) => callback(error ?? null) : undefined;
      room = session.send(bytes.subarray(at, at + this.#longestWrite), {}, settled);
    }
    return room;
  }
}

/** What a server's socket is given beside its session. */
export interface ElementSocketOptions extends DeliveryOptions {
  readonly scope: OperationalScope;
  readonly poolHandle: string;
  readonly peIdentifier: number;
  readonly cookie: Uint8Array | undefined;
  readonly longestPayload: number;
  readonly longestMessage: number;
}

/** Whether an argument of `connect` names a pool. */
export function isPoolTarget(target: unknown): target is PoolConnectOptions {
  return typeof target === 'object' && target !== null && 'poolHandle' in target && target.poolHandle !== undefined;
}
