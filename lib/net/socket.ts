/**
 * `net.Socket` over a session: the same class, events and order, with a pool behind it. Without a pool handle every
 * method is net's own.
 */

import net from 'node:net';
import { checkFunction, invalidArgumentType } from '../arguments.js';
import { RserpoolError } from '../errors.js';
import type { MappingFeatures } from '../mapping/mapping.js';
import type { BusinessCard } from '../session/business-card.js';
import type { Cookie } from '../session/cookie.js';
import { ElementSession } from '../session/element-session.js';
import type { Message, SendOptions } from '../session/message.js';
import type { Retrieved, SessionHandler } from '../session/session.js';
import { UserSession } from '../session/user-session.js';
import { tlsTransport } from '../transport/tls/tls.js';
import { connectingFrom } from '../transport/transport.js';
import type { PoolElement } from '../wire/parameters.js';
import { checkBlockList } from './block-list.js';
import { checkBusinessCard, checkCardHolder } from './business-cards.js';
import { initialise, mirrorAttributes } from './callable.js';
import { checkCookie } from './cookies.js';
import { NameserviceSocket } from './nameservice-socket.js';
import { onReadOf, readInto } from './onread.js';
import {
  checkDeliveryOptions,
  checkMappingOptions,
  checkMappings,
  checkOwnOptions,
  checkPoolHandle,
  checkScope,
  checkSendOptions,
  checkTimeout,
  checkTlsOf,
  checkUserSessionOptions,
  type ElementInfo,
  type ElementSocketOptions,
  type PoolConnectOptions,
  poolTarget,
} from './options.js';
import { poolAccess } from './pool-access.js';
import { type RequestOptions, requestOver } from './request.js';
import { defineBufferSize, defineSessionProperties, family, waitingBytes } from './session-properties.js';
import { SocketSession, type SocketSessionOptions, setConnecting } from './socket-session.js';
import { ownBytes, type WriteCallback } from './written-bytes.js';

export type { ElementInfo };

/** What `new Socket` takes: net's options, and a pool for every `connect`, whatever that says. */
export type SocketOptions = net.SocketConstructorOpts & Partial<PoolConnectOptions>;

export class Socket extends NameserviceSocket {
  static {
    defineSessionProperties(Socket.prototype, (socket: Socket) => {
      const pooled = socket.#pooled;
      if (pooled === undefined) return undefined;
      const { session, delivery, outgoing } = pooled;
      return {
        session,
        connecting: socket.connecting,
        destroyed: socket.destroyed,
        peer: pooled.peer,
        bytesRead: delivery.bytesRead,
        bytesWritten: outgoing.bytesWritten + waitingBytes(socket),
      };
    });
    defineBufferSize(Socket.prototype, (socket: Socket) => socket.mode !== undefined);
    mirrorAttributes(Socket.prototype);
  }

  /** Until the first session: from then on it is a listener. */
  #onRead: ReturnType<typeof onReadOf>;
  /** The pool that the constructor was given. */
  readonly #ownTarget: PoolConnectOptions | undefined;
  /** While it is with a pool in failover mode, and afterwards; undefined for a socket of net's own. */
  #pooled: SocketSession | undefined;
  /** The PE identifier of the element's own side. */
  #ownIdentifier: number | undefined;

  constructor(options?: SocketOptions) {
    super();
    this.#ownTarget = poolTarget(options);
    this.#onRead = onReadOf(options);
    initialise(net.Socket, this, [options]);
  }

  /** The mode of a socket that is with a pool; undefined for one of net's own. */
  get mode(): 'failover' | 'nameservice' | undefined {
    if (this.plainConnection !== undefined) return 'nameservice';
    return this.#pooled === undefined ? undefined : 'failover';
  }

  get poolHandle(): string | undefined {
    return (this.#pooled ?? this.plainConnection)?.poolHandle;
  }

  /** The element that serves this session; at an element's side, itself. */
  get element(): ElementInfo | undefined {
    if (this.plainConnection !== undefined) return this.plainConnection.element;
    const session = this.#pooled?.session;
    const identifier = session instanceof UserSession ? session.element?.identifier : this.#ownIdentifier;
    const at = session instanceof UserSession ? session.remoteAddress : session?.localAddress;
    return identifier === undefined ? undefined : { identifier, address: at?.host, port: at?.port };
  }

  /** What the mapping of this session can do; undefined before 'connect'. */
  get features(): MappingFeatures | undefined {
    return this.connecting ? undefined : this.#pooled?.session.features;
  }

  /** Round-trip time in ms; throws ERR_RSERPOOL_FEATURE_NOT_AVAILABLE where the mapping has none; undefined until measured. */
  get rtt(): number | undefined {
    return this.#measured('rtt');
  }

  /** Retransmission time-out in ms, as `rtt`. */
  get rto(): number | undefined {
    return this.#measured('rto');
  }

  /** Path MTU in bytes, as `rtt`: over SCTP what the stack is told to use, no mapping over TCP knows it. */
  get pathMtu(): number | undefined {
    return this.#measured('pathMtu');
  }

  /** 16 secret bytes that both sides know; undefined for net's own sockets. */
  get sessionId(): Uint8Array | undefined {
    return this.#pooled?.session.sessionId;
  }

  /** At an element: the cookie that the user brought from the element that it was with before. At a user: the last one that came. */
  get cookie(): Cookie | undefined {
    return this.#pooled?.cookie;
  }

  /** The far side's business card (RFC 5352 section 3.9): an element's, or that of a user which is an element too. */
  get businessCard(): BusinessCard | undefined {
    return this.#pooled?.businessCard;
  }

  override connect(...args: unknown[]): this {
    const target = poolTarget(args[0]) ?? this.#ownTarget;
    if (target !== undefined) {
      const given: readonly unknown[] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
      return this.#connectPool(target, given.find((arg) => typeof arg === 'function') as (() => void) | undefined);
    }
    if (this.closed) this.#leavePool();
    return (super.connect as (...all: unknown[]) => this)(...args);
  }

  /** Takes a session that a user opened with an element (for Server). */
  attach(session: ElementSession, options: ElementSocketOptions): SessionHandler {
    this.#ownIdentifier = options.peIdentifier;
    const pooled = this.#pool({ ...options, clock: options.scope.clock });
    pooled.start(session, options);
    return pooled.handler;
  }

  /**
   * Sends one message. False: wait for 'drain'. It is kept until the far application has taken it, and sent again to
   * another element if this one fails (`failover: false`: given up instead). `callback` when it was acknowledged, or with
   * the error when it was given up.
   */
  send(data: Uint8Array | string, options: SendOptions = {}, callback?: WriteCallback): boolean {
    const { outgoing } = this.#needPool('send');
    checkSendOptions(options);
    if (callback !== undefined) checkFunction('callback', callback);
    this.#checkSending(data);
    return outgoing.send(data, options, callback);
  }

  /**
   * Sends one message and resolves with its answer (users only): the element's last `message.reply()`, with the ones
   * before it in `earlier`. It is sent again over failovers until it is answered, so an element may execute it again;
   * that one sees it marked `redelivered`. Rejects with ERR_RSERPOOL_REQUEST_TIMEOUT after `timeout` ms, with the
   * signal's reason, or with the session's error.
   */
  request(data: Uint8Array | string, options: RequestOptions = {}): Promise<Message> {
    const { session, outgoing } = this.#needPool('request');
    checkSendOptions(options);
    if (!(session instanceof UserSession)) throw this.#notHere('request is for users');
    this.#checkSending(data);
    return requestOver(session, options, () => outgoing.prepare(data));
  }

  #checkSending(data: unknown): void {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw invalidArgumentType('data', 'of type string or an instance of Buffer or Uint8Array', data);
    }
    // The far side's failure may come at any time and has an event of its own; sending after one's own end is a mistake.
    if (this.writableEnded && !this.destroyed) {
      throw new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { detail: 'send after end', ...this.#where() });
    }
    this.#pooled?.idle.touch();
  }

  /** Everything that was not acknowledged: after an error, what the application may send elsewhere (RFC 5352 section 6.7). */
  retrieve(): Retrieved {
    return this.#pooled?.session.retrieve() ?? { unsent: [], unacknowledged: [] };
  }

  /** Leaves the element for another one (users only). */
  failOver(): void {
    const { session } = this.#needPool('failOver');
    if (!(session instanceof UserSession)) throw this.#notHere('failOver is for users');
    session.failOver('the application asked for it');
  }

  /** Gives the user a cookie that it shows to the next element should this one fail (elements only, RFC 5352 section 3.8). */
  setCookie(cookie: Uint8Array): void {
    const { session } = this.#needPool('setCookie');
    checkCookie(cookie);
    if (!(session instanceof ElementSession)) throw this.#notHere('setCookie is for elements');
    session.setCookie(cookie);
  }

  /** Tells this user in which order to try others should this element fail, as `Server.setBusinessCard` (elements only). */
  setBusinessCard(elements: readonly PoolElement[]): void {
    const { session, poolHandle } = this.#needPool('setBusinessCard');
    const card = checkBusinessCard(poolHandle, elements);
    if (!(session instanceof ElementSession)) throw this.#notHere('setBusinessCard is for elements');
    if (card.elements.length > 0) session.sendBusinessCard(card);
  }

  override address(): net.AddressInfo | Record<string, never> {
    if (this.#pooled === undefined) return super.address();
    const local = this.destroyed ? undefined : this.#pooled.session.localAddress;
    return local === undefined ? {} : { address: local.host, family: family(local.host) as string, port: local.port };
  }

  /**
   * What becomes of a user is no reason for its server to die: at an element, the error of a session that its user broke
   * off is emitted only if anybody listens. 'close' follows with hadError in any case.
   */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const pooled = event === 'error' ? this.#pooled : undefined;
    const brokenOff = pooled !== undefined && args[0] === pooled.error && pooled.session instanceof ElementSession;
    if (brokenOff && this.listenerCount('error') === 0) return false;
    return (super.emit as (name: string | symbol, ...all: unknown[]) => boolean)(event, ...args);
  }

  /**
   * A wrapper that finds no handle of Node's in a net.Socket takes it for one that is still connecting (tls.TLSSocket
   * does) and waits for its 'connect': if that has been, it is told so.
   */
  override once(event: string | symbol, listener: (...args: never[]) => void): this {
    const wrapped = event === 'connect' && typeof listener === 'function' && this.#pooled !== undefined;
    if (wrapped && this.#pooled?.tellConnected(() => listener.call(this))) return this;
    return (super.once as (name: string | symbol, one: (...args: never[]) => void) => this)(event, listener);
  }

  override ref(): this {
    if (this.#pooled === undefined) return super.ref();
    this.#pooled.session.ref();
    return this;
  }

  override unref(): this {
    if (this.#pooled === undefined) return super.unref();
    this.#pooled.session.unref();
    return this;
  }

  override setTimeout(timeout: number, callback?: () => void): this {
    if (this.#pooled === undefined) return super.setTimeout(timeout, callback);
    (this as { timeout?: number }).timeout = checkTimeout(timeout);
    if (callback !== undefined) checkFunction('callback', callback);
    if (callback !== undefined && timeout === 0) this.removeListener('timeout', callback);
    else if (callback !== undefined) this.once('timeout', callback);
    this.#pooled.idle.set(timeout);
    return this;
  }

  override setEncoding(encoding?: BufferEncoding): this {
    if (this.#pooled === undefined) super.setEncoding(encoding);
    else this.#pooled.delivery.setEncoding(() => super.setEncoding(encoding));
    return this;
  }

  /** Ends both sides at once, without waiting for acknowledgements. */
  override resetAndDestroy(): this {
    if (this.#pooled === undefined) return super.resetAndDestroy();
    this.#pooled.reset();
    return this.destroy();
  }

  override setNoDelay(noDelay?: boolean): this {
    return this.#pooled === undefined ? super.setNoDelay(noDelay) : this;
  }

  override setKeepAlive(enable?: boolean, initialDelay?: number): this {
    return this.#pooled === undefined ? super.setKeepAlive(enable, initialDelay) : this;
  }

  override write(chunk: Uint8Array | string, callback?: (error?: Error) => void): boolean;
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding, callback?: (error?: Error) => void): boolean;
  // biome-ignore lint/suspicious/noExplicitAny: what the overloads do not say is Node's to check
  override write(chunk: any, encodingOrCallback?: any, callback?: any): boolean {
    return super.write(
      this.#pooled === undefined ? chunk : ownBytes(chunk, encodingOrCallback, callback),
      encodingOrCallback,
      callback,
    );
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Node types it; with anything else this is no NodeJS.ReadableStream
  override read(size?: number): any {
    const delivery = this.#pooled?.delivery;
    return delivery === undefined ? super.read(size) : delivery.read(size, () => super.read(size) as unknown);
  }

  override _read(size: number): void {
    if (this.#pooled === undefined) super._read(size);
    else this.#pooled.delivery.deliver();
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.#pooled === undefined) super._write(chunk, encoding, callback);
    else this.#pooled.write([{ chunk, encoding }], callback);
  }

  override _writev(chunks: { chunk: Uint8Array | string; encoding: BufferEncoding }[], callback: WriteCallback): void {
    if (this.#pooled === undefined) super._writev?.(chunks, callback);
    else this.#pooled.write(chunks, callback);
  }

  override _final(callback: WriteCallback): void {
    if (this.#pooled === undefined) super._final(callback);
    else {
      this.#pooled.session.end();
      callback();
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#pooled === undefined) super._destroy(error, callback);
    else {
      const wasConnecting = this.connecting;
      setConnecting(this, false);
      this.#pooled.destroy(error, wasConnecting, callback);
    }
  }

  #needPool(what: string): SocketSession {
    if (this.#pooled !== undefined) return this.#pooled;
    throw this.#notHere(`${what} needs a pool: connect with a poolHandle`);
  }

  #notHere(detail: string): RserpoolError {
    return new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', { detail, ...this.#where() });
  }

  #measured(name: 'rtt' | 'rto' | 'pathMtu'): number | undefined {
    const features = this.features;
    if (this.#pooled === undefined || features === undefined || features[name])
      return this.#pooled?.session.path?.[name];
    throw new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', { detail: name });
  }

  #connectPool(options: PoolConnectOptions, onConnect: (() => void) | undefined): this {
    const poolHandle = checkPoolHandle(options.poolHandle);
    const { scope, poolHandle: located } = checkScope(options.scope).locate(poolHandle);
    const mapping = checkMappingOptions(options);
    const holder = options.server === undefined ? undefined : checkCardHolder(options.server);
    const businessCard = holder && ((host: string) => holder.userCard(host));
    const session = { ...checkUserSessionOptions(options), businessCard };
    checkDeliveryOptions(options);
    const tls = checkTlsOf(options.tls, poolHandle);
    if (tls !== undefined && options.mode === 'nameservice')
      throw this.#notHere('connect() makes TLS sockets in nameservice mode, a socket that exists cannot become one');
    const blockList = checkBlockList(options.blockList);
    const { localAddress, own, family: wantedFamily } = checkOwnOptions(options);
    if (this.mode !== undefined && !this.closed) {
      const detail = 'connect on a socket in use';
      throw new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { detail, ...this.#where() });
    }
    if (this.destroyed) this.revive();
    let onCardChange = (): void => {};
    if (holder !== undefined)
      this.once(
        'close',
        holder.whenCardChanges(() => onCardChange()),
      );
    setConnecting(this, true);
    if (onConnect !== undefined) this.once('connect', onConnect);
    this.#leavePool();
    if (options.mode === 'nameservice') {
      const { failureTimeout } = mapping;
      const { connectTimeout } = session;
      this.connectPlain({
        scope,
        poolHandle: located,
        clock: scope.clock,
        timeout: connectTimeout,
        failureTimeout,
        blockList,
        own,
        family: wantedFamily,
      });
      return this;
    }
    const pooled = this.#pool({ ...options, poolHandle, clock: scope.clock });
    const mappings = checkMappings(options.mappings, scope, scope.sctp.isOn ? ['tcp', 'sctp'] : ['tcp']);
    const transport = tls === undefined ? scope.transports.stream : tlsTransport(tls);
    const stream = localAddress === undefined ? transport : connectingFrom(transport, localAddress);
    const access = poolAccess(scope, located, mapping, options.mapping === 'tcp', options, mappings, stream);
    const user = new UserSession(access, scope.clock, scope.random, session, pooled.handler);
    pooled.start(user, mapping);
    onCardChange = () => user.sendBusinessCard();
    return this;
  }

  #leavePool(): void {
    this.#pooled = undefined;
    this.leaveNameserviceMode();
  }

  /** From here on this socket is with a pool in failover mode. */
  #pool(options: Omit<SocketSessionOptions, 'emitClose'>): SocketSession {
    // A time-out that was set before goes on by the pool's clock.
    const timeout = this.timeout ?? 0;
    if (timeout > 0) super.setTimeout(0);
    const pooled = new SocketSession(this, { ...options, emitClose: (hadError) => super.emit('close', hadError) });
    this.#pooled = pooled;
    if (this.#onRead !== undefined) readInto(this, this.#onRead);
    this.#onRead = undefined;
    if (timeout > 0) this.setTimeout(timeout);
    return pooled;
  }

  #where(): { poolHandle: string } | undefined {
    return this.#pooled === undefined ? undefined : { poolHandle: this.#pooled.poolHandle };
  }
}
