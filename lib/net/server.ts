/** `net.Server` as a pool element: the same class and events, listening for a pool. Without a pool handle it is net's own. */

import net from 'node:net';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import type { MappingConnection } from '../mapping/mapping.js';
import { TcpMappingConnection } from '../mapping/tcp/connection.js';
import type { BusinessCard } from '../session/business-card.js';
import type { Cookie } from '../session/cookie.js';
import { ElementSession } from '../session/element-session.js';
import type { SessionHandler } from '../session/session.js';
import { TcpStream } from '../transport/tcp/tcp.js';
import { checkTls, type TlsTransportOptions } from '../transport/tls/tls.js';
import {
  type ByteStream,
  type ByteStreamHandler,
  formatAddress,
  noHandler,
  type TransportAddress,
} from '../transport/transport.js';
import type { PoolElement } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { checkBlockList, isBlocked } from './block-list.js';
import { type CardHolder, checkBusinessCard } from './business-cards.js';
import { initialise, mirrorAttributes, uninitialised } from './callable.js';
import { guard } from './guarded.js';
import { checkHandOverOptions, type HandOverOptions, onFirstSignal } from './hand-over-signal.js';
import { incoming } from './incoming.js';
import { checkListenOptions, type PoolListenOptions, type ServerOptions } from './listen-options.js';
import { ListeningElement } from './listening-element.js';
import { checkPolicy, type PolicyOption, poolTarget } from './options.js';
import { peerProcesses } from './peer-processes.js';
import { type AcceptanceOptions, acceptPlain, withholdEnd } from './plain-acceptance.js';
import { dropArgument, family } from './session-properties.js';
import { Socket } from './socket.js';

function alreadyListening(): Error {
  const error = new Error('Listen method has been called more than once without closing.');
  return Object.assign(error, { code: 'ERR_SERVER_ALREADY_LISTEN' });
}

function notRunning(): Error {
  return Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' });
}

/** Beyond `maxConnections`, so many connections may be there that have not said what they want. */
const connectionsForRegistrars = 16;

const refused = diagnosticEvent<{ remote: string; reason: string }>('net', 'connection-refused');
const cookieRefused = diagnosticEvent<{ poolHandle: string; remote: string; reason: string }>('net', 'cookie-refused');

const NetServer: typeof net.Server = uninitialised(net.Server);

export class Server extends NetServer implements CardHolder {
  static {
    const inherited = Object.getOwnPropertyDescriptor(net.Server.prototype, 'listening');
    Object.defineProperty(Server.prototype, 'listening', {
      configurable: true,
      enumerable: inherited?.enumerable ?? false,
      get(this: Server) {
        const element = this.#mapped;
        return element === undefined ? inherited?.get?.call(this) : element.address !== undefined && !element.closing;
      },
    });
    mirrorAttributes(Server.prototype);
  }

  #element: ListeningElement | undefined;
  readonly #tls: TlsTransportOptions | undefined;
  readonly #blockList: net.BlockList | undefined;

  /** As net's. */
  constructor(options?: ServerOptions | ((socket: Socket) => void), onConnection?: (socket: Socket) => void) {
    super();
    initialise(net.Server, this, [options, onConnection]);
    if (typeof options !== 'object' || options === null) return;
    this.#tls = checkTls('options.tls', options.tls);
    this.#blockList = checkBlockList(options.blockList);
  }

  /** This element's PE identifier; undefined while it listens for no pool. */
  get peIdentifier(): number | undefined {
    return this.#element?.settings.peIdentifier;
  }

  /** Whether a registrar has accepted the registration and it has not been lost. */
  get registered(): boolean {
    return this.#element?.registered ?? false;
  }

  /** As an element of a pool; any other form is net's, which takes any handle too. */
  override listen(options: PoolListenOptions, onListening?: () => void): this;
  override listen(...args: unknown[]): this;
  override listen(...args: unknown[]): this {
    const options = poolTarget(args[0]);
    // Net could not listen, and has said so.
    if (this.#element?.isNets === true && !this.listening) this.#element = undefined;
    if (this.#element !== undefined || (options !== undefined && this.listening)) throw alreadyListening();
    if (options === undefined) {
      // Nobody is to take it for a server with TLS.
      if (this.#tls !== undefined) this.#poolElement('a server with tls');
      return (super.listen as (...all: unknown[]) => this)(...args);
    }
    const callback = args.find((arg) => typeof arg === 'function') as (() => void) | undefined;
    this.#listenForPool(options as PoolListenOptions, callback);
    return this;
  }

  override address(): net.AddressInfo | string | null {
    const element = this.#mapped;
    if (element === undefined) return super.address();
    const { address } = element;
    return address === undefined
      ? null
      : { address: address.host, family: family(address.host) as string, port: address.port };
  }

  /** Deregisters, stops accepting, and closes when the sessions that are open have ended (RFC 3237 section 2.7). */
  override close(callback?: (error?: Error) => void): this {
    const element = this.#element;
    if (element === undefined) return super.close(callback);
    if (element.isNets) {
      this.#element = undefined;
      element.close(() => {});
      return super.close(callback);
    }
    if (element.closing) {
      // As net answers a second close: when the first is through.
      if (callback !== undefined) this.once('close', () => callback(notRunning()));
      return this;
    }
    if (callback !== undefined) this.once('close', callback);
    element.close(() => this.#closeIfDone(element));
    return this;
  }

  /**
   * Closes, and asks the users to go on elsewhere: each does so when everything that it has sent is answered or
   * acknowledged, so that a rolling restart loses and repeats nothing. Resolves when all have gone ('close').
   */
  async handOver(options: HandOverOptions = {}): Promise<void> {
    const element = this.#poolElement('handOver');
    const timeout = checkHandOverOptions(options);
    const closed = new Promise<void>((resolve) => this.once('close', resolve));
    if (!element.closing) this.close();
    for (const session of element.sockets.values()) session.goElsewhere();
    const late = element.settings.scope.clock.setTimeout(() => element.breakOff(), timeout);
    await closed;
    late.cancel();
  }

  /** Connections of net's own server: it counts them, but tells nobody at once, and older ones know no block list. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const element = this.#element;
    if (event === 'connection' && element?.isNets === true) {
      const socket = args[0] as net.Socket;
      if (isBlocked(this.#blockList, socket.remoteAddress)) {
        socket.destroy();
        return true;
      }
      element.plain.add(socket);
      socket.once('close', () => element.plain.delete(socket));
    }
    return (super.emit as (name: string | symbol, ...all: unknown[]) => boolean)(event, ...args);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.#mapped === undefined) await super[Symbol.asyncDispose]();
    else await new Promise<void>((resolve) => void this.close(() => resolve()));
  }

  override getConnections(callback: (error: Error | null, count: number) => void): this {
    const element = this.#mapped;
    if (element === undefined) return super.getConnections(callback);
    const count = element.connections;
    element.settings.scope.clock.defer(() => callback(null, count));
    return this;
  }

  override ref(): this {
    if (this.#mapped === undefined) return super.ref();
    this.#mapped.ref();
    return this;
  }

  override unref(): this {
    if (this.#mapped === undefined) return super.unref();
    this.#mapped.unref();
    return this;
  }

  /** Changes the load and tells the registrar (RFC 5352 section 6.5.2). 0 to 1. */
  setLoad(load: number): void {
    this.#poolElement('setLoad').load.set(load);
  }

  /** Changes the policy values; the policy's type is the pool's and stays. */
  setPolicy(policy: PolicyOption): void {
    this.#poolElement('setPolicy').load.setPolicy(checkPolicy(policy));
  }

  /**
   * Tells each user, now and when it comes, in which order to try others should this element fail (RFC 5352 section
   * 3.9): elements as `OperationalScope.resolve` gives them. An empty list recommends nobody.
   */
  setBusinessCard(elements: readonly PoolElement[]): void {
    const element = this.#poolElement('setBusinessCard');
    element.setBusinessCard(checkBusinessCard(element.settings.options.poolHandle, elements));
  }

  /** For `connect({ server })`. */
  userCard(host: string): BusinessCard | undefined {
    return this.#element?.userCard(host);
  }

  /** For `connect({ server })`. */
  whenCardChanges(listener: () => void): () => void {
    return this.#poolElement('server').whenCardChanges(listener);
  }

  /** The element whose connections are told apart here; net's own server looks after those of the other kind. */
  get #mapped(): ListeningElement | undefined {
    return this.#element?.isNets === true ? undefined : this.#element;
  }

  #poolElement(what: string): ListeningElement {
    if (this.#element !== undefined) return this.#element;
    throw new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', {
      detail: `${what} needs a pool: listen with a poolHandle`,
    });
  }

  #listenForPool(options: PoolListenOptions, onListening: (() => void) | undefined): void {
    const settings = checkListenOptions(this.#tls === undefined ? options : { tls: this.#tls, ...options });
    // From the start: an element that is stopped before it is registered closes too.
    const forgetSignals = onFirstSignal(settings.handOverOn, () => this.handOver());
    this.once('close', forgetSignals);
    const element: ListeningElement = new ListeningElement(settings, {
      onListening: () => void this.emit('listening'),
      maxSessions: () => this.maxConnections ?? 1_000,
      onConnection: (stream) => this.#onConnection(stream, element),
      onPlainSctp: (connection) => {
        if (isBlocked(this.#blockList, connection.remoteAddress.host)) connection.abort(0, 'its address is blocked');
        else this.#attachSession(connection, element);
      },
      onError: (error) => {
        this.#element = undefined;
        forgetSignals();
        this.removeListener('close', forgetSignals);
        this.emit('error', error);
      },
      onRegistered: () => void this.emit('registered'),
      onRejected: (error) => void this.emit('error', error),
      onUnregistered: (error) => void this.emit('unregistered', error),
      onExpired: () => void this.emit('expired'),
    });
    if (onListening !== undefined) this.once('listening', onListening);
    if (element.isNets) this.#listenPlain(element);
    else {
      this.#element = element;
      element.open();
    }
    if (options.signal !== undefined) this.#closeOn(options.signal);
  }

  /** As net's `listen` does with a signal. */
  #closeOn(signal: AbortSignal): void {
    const onAbort = (): void => void this.close();
    if (signal.aborted) this.#element?.settings.scope.clock.defer(onAbort);
    else {
      signal.addEventListener('abort', onAbort, { once: true });
      this.once('close', () => signal.removeEventListener('abort', onAbort));
    }
  }

  /** Net's own server, which is an element all the same. */
  #listenPlain(element: ListeningElement): void {
    const { host, port, options } = element.settings;
    this.#element = element;
    this.prependOnceListener('listening', () => {
      const at = super.address();
      if (at === null || typeof at === 'string' || this.#element !== element) return;
      element.listening({ host: at.address, port: at.port });
    });
    super.listen({
      port,
      ...(host === undefined ? {} : { host }),
      ...(options.backlog === undefined ? {} : { backlog: options.backlog }),
    });
  }

  #onConnection(stream: ByteStream, element: ListeningElement): ReturnType<typeof incoming> {
    const { undetected } = element;
    const { scope, mapping, options, detectTimeout } = element.settings;
    const onRefused = (refusedStream: ByteStream, reason: string): void => {
      undetected.delete(refusedStream);
      refused.publish({ remote: formatAddress(refusedStream.remoteAddress), reason });
    };
    if (isBlocked(this.#blockList, stream.remoteAddress.host)) {
      stream.destroy();
      onRefused(stream, 'its address is blocked');
      return noHandler;
    }
    // Registrars must be able to look after an element that is full.
    if (undetected.size >= element.entrances(this.maxConnections) + connectionsForRegistrars) {
      stream.destroy();
      onRefused(stream, 'too many connections that have not said what they want');
      return noHandler;
    }
    if (options.tls?.ca !== undefined && stream.certified !== true) {
      stream.destroy();
      onRefused(stream, 'it has shown no certificate that the authorities given as `ca` vouch for');
      return noHandler;
    }
    if (element.isPlain && stream instanceof TcpStream) {
      this.#onPlain(stream, new Uint8Array(0), 'spoke', element);
      return noHandler;
    }
    undetected.add(stream);
    const servesPlain = options.mode !== 'failover' && stream instanceof TcpStream;
    const end = servesPlain ? withholdEnd(stream.socket, () => stream.handler.onEnd()) : undefined;
    return incoming(
      stream,
      scope.clock,
      { timeout: servesPlain ? detectTimeout : mapping.helloTimeout },
      {
        onMapping: (accepted) => {
          undetected.delete(accepted);
          end?.forget();
          return this.#onMapping(accepted, element);
        },
        onAsap: (accepted, firstBytes) => {
          undetected.delete(accepted);
          end?.forget();
          return scope.endpoint.acceptChannel(accepted, firstBytes);
        },
        onPlain: (accepted, firstBytes, how) => {
          if (!servesPlain || element.closing) return false;
          undetected.delete(accepted);
          end?.forget();
          this.#onPlain(accepted as TcpStream, firstBytes, how, element);
          // After 'connection'.
          scope.clock.defer(() => end?.let());
          return true;
        },
        onRefused,
      },
    );
  }

  #onPlain(stream: TcpStream, firstBytes: Uint8Array, how: 'spoke' | 'silent', element: ListeningElement): void {
    if (this.#refusal(stream, element) !== undefined) {
      stream.handler = noHandler;
      stream.destroy();
      return;
    }
    const options = this as AcceptanceOptions;
    const socket = acceptPlain(stream, firstBytes, how, options);
    (socket as { server?: net.Server }).server = this;
    element.plain.add(socket);
    socket.once('close', () => {
      element.plain.delete(socket);
      this.#closeIfDone(element);
    });
    element.settings.scope.clock.defer(() => {
      if (options.pauseOnConnect === true) socket.pause();
      this.emit('connection', socket);
    });
  }

  #onMapping(stream: ByteStream, element: ListeningElement): ByteStreamHandler {
    const { options, scope, mapping, peIdentifier } = element.settings;
    const poolHandle = toPoolHandle(options.poolHandle);
    const connection = new TcpMappingConnection(stream, scope.clock, mapping, {
      role: 'element',
      peIdentifier,
      isMeant: (pool, target) => pool === poolHandle && target === peIdentifier,
      refusal: () => this.#refusal(stream, element),
      sessions: element.sessions,
      processes: peerProcesses(scope),
    });
    this.#attachSession(connection, element);
    return connection.streamHandler;
  }

  /** Whoever opens the connection has a session with this element. */
  #attachSession(connection: MappingConnection, element: ListeningElement): void {
    const { options, scope, mapping, peIdentifier, seal } = element.settings;
    const onRefused = (reason: string): void => this.#cookieRefused(element, connection.remoteAddress, reason);
    const cookies = seal === undefined ? undefined : { seal, onRefused };
    const begin = (session: ElementSession, cookie: Cookie | undefined): SessionHandler | undefined => {
      element.entering.delete(connection);
      // What has changed since the hello, while its cookie echo was on the way or its user did not need us.
      if (this.#refusal(connection, element) !== undefined) return undefined;
      const { allowHalfOpen = false, pauseOnConnect = false, highWaterMark } = this as net.ServerOpts;
      const socket = new Socket({ allowHalfOpen, ...(highWaterMark === undefined ? {} : { highWaterMark }) });
      (socket as { server?: net.Server }).server = this;
      if (pauseOnConnect) socket.pause();
      const handler = socket.attach(session, {
        scope,
        poolHandle: options.poolHandle,
        peIdentifier,
        cookie,
        longestPayload: mapping.longestPayload,
        longestMessage: mapping.longestMessage,
        ...(options.onMessage === undefined ? {} : { onMessage: options.onMessage }),
        ...(options.acknowledge === undefined ? {} : { acknowledge: options.acknowledge }),
      });
      element.sockets.set(socket, session);
      element.sendBusinessCard(session);
      socket.once('close', () => {
        element.sockets.delete(socket);
        this.#closeIfDone(element);
      });
      guard(scope.clock, () => this.emit('connection', socket));
      return handler;
    };
    element.entering.add(connection);
    const onNotBegun = (): void => void element.entering.delete(connection);
    const entrance = { clock: scope.clock, helloTimeout: mapping.helloTimeout, cookies };
    connection.handler = new ElementSession(connection, { begin, onNotBegun }, entrance);
  }

  /** Why a user that says hello is to go elsewhere. */
  #refusal(stream: Pick<ByteStream, 'localAddress' | 'remoteAddress'>, element: ListeningElement): string | undefined {
    if (element.closing) return 'the element closes';
    if (this.maxConnections === undefined || element.connections < this.maxConnections) return undefined;
    guard(element.settings.scope.clock, () => this.emit('drop', dropArgument(stream)));
    return 'the element has no room for another session';
  }

  #cookieRefused(element: ListeningElement, remote: TransportAddress, detail: string): void {
    const { scope, options } = element.settings;
    const { poolHandle } = options;
    cookieRefused.publish({ poolHandle, remote: formatAddress(remote), reason: detail });
    const error = new RserpoolError('ERR_RSERPOOL_COOKIE_REFUSED', { poolHandle, detail, origin: 'remote' });
    const from = { remoteAddress: remote.host, remotePort: remote.port, remoteFamily: family(remote.host) };
    guard(scope.clock, () => this.emit('cookieRefused', error, from));
  }

  #closeIfDone(element: ListeningElement): void {
    if (!element.isDone) return;
    this.#element = undefined;
    element.settings.scope.clock.defer(() => this.emit('close'));
  }
}
