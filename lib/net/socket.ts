/**
 * `net.Socket` over a session: the same class, events and order, with a pool behind it. Without a pool handle every
 * method is net's own.
 */

import net from 'node:net';
import { checkFunction, checkMilliseconds, invalidArgumentType } from '../arguments.js';
import { type Clock, systemClock } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { MappingFeatures } from '../mapping/mapping.js';
import { ElementSession } from '../session/element-session.js';
import type { Message, SendOptions } from '../session/message.js';
import type { Retrieved, Session, SessionHandler } from '../session/session.js';
import { UserSession } from '../session/user-session.js';
import { Delivery } from './delivery.js';
import { guarded } from './guarded.js';
import { IdleTimer } from './idle-timer.js';
import { copyLimit, type WriteCallback } from './large-writes.js';
import { MessageHandling } from './message-handling.js';
import {
  checkDeliveryOptions,
  checkMappingOptions,
  checkPoolHandle,
  checkScope,
  checkSendOptions,
  checkUserSessionOptions,
  type DeliveryOptions,
  type ElementInfo,
  type ElementSocketOptions,
  type PoolConnectOptions,
  poolTarget,
} from './options.js';
import { Outgoing } from './outgoing.js';
import { poolAccess } from './pool-access.js';
import { type RequestOptions, requestOver } from './request.js';
import { defineSessionProperties, family } from './session-properties.js';

export type { ElementInfo };

export class Socket extends net.Socket {
  static {
    defineSessionProperties(Socket.prototype, (socket: Socket) => {
      const session = socket.#session;
      if (session === undefined) return undefined;
      const bytesRead = socket.#delivery?.bytesRead ?? 0;
      const bytesWritten = socket.#outgoing?.bytesWritten ?? 0;
      return { session, connecting: socket.connecting, bytesRead, bytesWritten };
    });
  }

  #session: Session | undefined;
  #clock: Clock = systemClock;
  #poolHandle: string | undefined;
  #delivery: Delivery | undefined;
  #handling: MessageHandling | undefined;
  #outgoing: Outgoing | undefined;
  /** What the session ended with. */
  #sessionError: Error | undefined;
  #resetting = false;
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
    const at = session instanceof UserSession ? session.remoteAddress : session?.localAddress;
    return identifier === undefined ? undefined : { identifier, address: at?.host, port: at?.port };
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
    const target = poolTarget(args[0]);
    if (target === undefined) return (super.connect as (...all: unknown[]) => this)(...args);
    return this.#connectPool(target, args.find((arg) => typeof arg === 'function') as (() => void) | undefined);
  }

  /** Takes a session that a user opened with an element (for Server). */
  attach(session: ElementSession, options: ElementSocketOptions): SessionHandler {
    this.#poolHandle = options.poolHandle;
    this.#ownIdentifier = options.peIdentifier;
    this.#cookie = options.cookie;
    const handler = this.#begin(options.scope.clock, options);
    this.#use(session, options);
    return handler;
  }

  /**
   * Sends one message. False: wait for 'drain'. It is kept until the far application has taken it, and sent again to
   * another element if this one fails (`failover: false`: given up instead). `callback` when it was acknowledged, or with
   * the error when it was given up.
   */
  send(data: Uint8Array | string, options: SendOptions = {}, callback?: WriteCallback): boolean {
    this.#poolSession('send');
    checkSendOptions(options);
    if (callback !== undefined) checkFunction('callback', callback);
    this.#checkSending(data);
    return this.#outgoing?.send(data, options, callback) ?? false;
  }

  /**
   * Sends one message and resolves with its answer (users only): the element's last `message.reply()`, with the ones
   * before it in `earlier`. It is sent again over failovers until it is answered, so an element may execute it again;
   * that one sees it marked `redelivered`. Rejects with ERR_RSERPOOL_REQUEST_TIMEOUT after `timeout` ms, with the
   * signal's reason, or with the session's error.
   */
  request(data: Uint8Array | string, options: RequestOptions = {}): Promise<Message> {
    const session = this.#poolSession('request');
    checkSendOptions(options);
    if (!(session instanceof UserSession)) throw this.#notHere('request is for users');
    this.#checkSending(data);
    return requestOver(session, options, () => (this.#outgoing as Outgoing).prepare(data));
  }

  #checkSending(data: unknown): void {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw invalidArgumentType('data', 'of type string or an instance of Buffer or Uint8Array', data);
    }
    // The far side's failure may come at any time and has an event of its own; sending after one's own end is a mistake.
    if (this.writableEnded && !this.destroyed) {
      throw new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { detail: 'send after end', ...this.#where() });
    }
    this.#idle?.touch();
  }

  /** Everything that was not acknowledged: after an error, what the application may send elsewhere (RFC 5352 section 6.7). */
  retrieve(): Retrieved {
    return this.#session?.retrieve() ?? { unsent: [], unacknowledged: [] };
  }

  /** Leaves the element for another one (users only). */
  failOver(): void {
    const session = this.#poolSession('failOver');
    if (!(session instanceof UserSession)) throw this.#notHere('failOver is for users');
    session.failOver('the application asked for it');
  }

  /** Gives the user a cookie that it shows to the next element should this one fail (elements only, RFC 5352 section 3.8). */
  setCookie(cookie: Uint8Array): void {
    const session = this.#poolSession('setCookie');
    if (!(cookie instanceof Uint8Array))
      throw invalidArgumentType('cookie', 'an instance of Buffer or Uint8Array', cookie);
    if (!(session instanceof ElementSession)) throw this.#notHere('setCookie is for elements');
    session.setCookie(cookie);
  }

  override address(): net.AddressInfo | Record<string, never> {
    if (this.#session === undefined) return super.address();
    const local = this.#session.localAddress;
    return local === undefined ? {} : { address: local.host, family: family(local.host) as string, port: local.port };
  }

  /**
   * What becomes of a user is no reason for its server to die: at an element, the error of a session that its user broke
   * off is emitted only if anybody listens. 'close' follows with hadError in any case.
   */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const unheard = event === 'error' && args[0] === this.#sessionError && this.#session instanceof ElementSession;
    if (unheard && this.listenerCount('error') === 0) return false;
    return (super.emit as (name: string | symbol, ...all: unknown[]) => boolean)(event, ...args);
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
    if (callback !== undefined) checkFunction('callback', callback);
    if (callback !== undefined && timeout === 0) this.removeListener('timeout', callback);
    else if (callback !== undefined) this.once('timeout', callback);
    this.#idle.set(timeout);
    return this;
  }

  override setEncoding(encoding?: BufferEncoding): this {
    if (this.#delivery === undefined) super.setEncoding(encoding);
    else this.#delivery.setEncoding(() => super.setEncoding(encoding));
    return this;
  }

  /** Ends both sides at once, without waiting for acknowledgements. */
  override resetAndDestroy(): this {
    if (this.#session === undefined) return super.resetAndDestroy();
    this.#resetting = true;
    return this.destroy();
  }

  override setNoDelay(noDelay?: boolean): this {
    return this.#session === undefined ? super.setNoDelay(noDelay) : this;
  }

  override setKeepAlive(enable?: boolean, initialDelay?: number): this {
    return this.#session === undefined ? super.setKeepAlive(enable, initialDelay) : this;
  }

  override write(chunk: Uint8Array | string, callback?: (error?: Error) => void): boolean;
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding, callback?: (error?: Error) => void): boolean;
  // biome-ignore lint/suspicious/noExplicitAny: what the overloads do not say is Node's to check
  override write(chunk: any, encodingOrCallback?: any, callback?: any): boolean {
    const large = this.#session !== undefined && chunk instanceof Uint8Array && chunk.length > copyLimit;
    if (!large || this.writableEnded || this.destroyed) return super.write(chunk, encodingOrCallback, callback);
    const done: WriteCallback | undefined = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback;
    // A Buffer of the same memory: the stream would make one of its own, which could not be recognised.
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // The buffer is the session's until its message is acknowledged; only then is it the caller's again.
    this.#outgoing?.largeWrites.add(bytes, done);
    return super.write(bytes, undefined, (error) => error && this.#outgoing?.largeWrites.drop(bytes, error));
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Node types it; with anything else this is no NodeJS.ReadableStream
  override read(size?: number): any {
    const delivery = this.#delivery;
    return delivery === undefined ? super.read(size) : delivery.read(size, () => super.read(size) as unknown);
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
    this.#idle?.touch();
    this.#outgoing?.write([{ chunk, encoding }], callback);
  }

  override _writev(chunks: { chunk: Uint8Array | string; encoding: BufferEncoding }[], callback: WriteCallback): void {
    if (this.#session === undefined) {
      super._writev?.(chunks, callback);
      return;
    }
    this.#idle?.touch();
    this.#outgoing?.write(chunks, callback);
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
    const wasConnecting = this.connecting;
    this.#connecting(false);
    this.#idle?.set(0);
    const finish = (cause: Error | null): void => {
      callback(cause);
      this.#clock.nextTurn(() => this.emit('close', cause !== null));
    };
    if (this.#sessionClosed || error !== null || !this.writableFinished || wasConnecting || this.#resetting) {
      if (!this.#sessionClosed) session.destroy('the socket was destroyed');
      finish(error);
      return;
    }
    // What was accepted is not lost because the application is done: the rest is taken unread.
    this.#whenSessionClosed = (cause) => finish(cause ?? null);
    if (this.readableEnded) return;
    this.#delivery?.discard();
    this.#handling?.discard();
    session.end(() => session.destroy('the socket was destroyed'));
  }

  #poolSession(what: string): Session {
    if (this.#session !== undefined) return this.#session;
    throw this.#notHere(`${what} needs a pool: connect with a poolHandle`);
  }

  #notHere(detail: string): RserpoolError {
    return new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', { detail, ...this.#where() });
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
    if (this.#session !== undefined && !this.closed) {
      throw new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', {
        detail: 'connect on a socket in use',
        ...this.#where(),
      });
    }
    // As net.Socket does, so that a closed socket can connect again: it puts a write() of its own in front after the end.
    delete (this as { write?: unknown }).write;
    if (this.destroyed) (this as unknown as { _undestroy(): void })._undestroy();
    this.#connecting(true);
    if (onConnect !== undefined) this.once('connect', onConnect);
    const handler = this.#begin(scope.clock, options);
    const access = poolAccess(scope, poolHandle, mapping, options.mapping === 'tcp');
    this.#use(new UserSession(access, scope.clock, scope.random, session, handler), mapping);
    return this;
  }

  #begin(clock: Clock, options: DeliveryOptions): SessionHandler {
    this.#clock = clock;
    this.#handling = new MessageHandling(options, this, {
      onEnd: (end) => this.#delivery?.addEnd(end),
      onFailed: (error) => this.#onHandlerFailed(error),
    });
    this.#sessionClosed = false;
    this.#sessionError = undefined;
    this.#resetting = false;
    // A time-out that was set before goes on by this clock.
    const timeout = this.timeout ?? 0;
    if (timeout > 0) super.setTimeout(0);
    this.#idle = new IdleTimer(clock, () => this.emit('timeout'));
    if (timeout > 0) this.setTimeout(timeout);
    const delivery = new Delivery(this);
    this.#delivery = delivery;
    this.once('end', () => delivery.endTaken());
    return this.#sessionHandler();
  }

  #use(session: Session, limits: { readonly longestPayload: number; readonly longestMessage: number }): void {
    this.#session = session;
    this.#outgoing = new Outgoing(session, limits);
  }

  #sessionHandler(): SessionHandler {
    return guarded(this.#clock, {
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
        if (this.destroyed) message.acknowledge();
        else this.#handling?.end(message);
      },
      onRoom: () => {
        // Where write() returned false too, the stream has its own 'drain' to come.
        if (this.#outgoing?.onRoom() === true && !this.destroyed && !this.writableNeedDrain) this.emit('drain');
      },
      onCookie: (cookie) => {
        this.#cookie = cookie;
        this.emit('cookie', cookie);
      },
      onFailover: (facts) => this.emit('failover', facts),
      onResume: () => this.#session instanceof ElementSession && this.emit('resumed'),
      onClose: (error) => this.#onSessionClosed(error),
    });
  }

  /** net's own property, which its typings call read-only. */
  #connecting(connecting: boolean): void {
    (this as { connecting: boolean }).connecting = connecting;
  }

  #onMessage(message: Message): void {
    this.#idle?.touch();
    if (!this.destroyed) message.holdBackWith((taken) => this.#outgoing?.afterWrites(this.writableLength, taken));
    if (this.destroyed) message.acknowledge();
    else if (this.#handling?.wanted === true) this.#handling.handle(message);
    else this.#delivery?.add(message);
  }

  #onHandlerFailed(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error('the message handler failed', { cause });
    if (this.#session instanceof ElementSession) this.#session.fail(error);
    this.destroy(error);
  }

  #onSessionClosed(error: Error | undefined): void {
    this.#sessionClosed = true;
    this.#sessionError = error;
    const whenClosed = this.#whenSessionClosed;
    this.#whenSessionClosed = undefined;
    if (whenClosed !== undefined) whenClosed(error);
    else if (!this.destroyed) this.destroy(error);
    this.#outgoing?.fail(error ?? new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', this.#where()));
  }

  #where(): { poolHandle: string } | undefined {
    return this.#poolHandle === undefined ? undefined : { poolHandle: this.#poolHandle };
  }
}
