/** `net.Server` as a pool element: the same class and events, listening for a pool. Without a pool handle it is net's own. */

import net from 'node:net';
import { checkInteger, checkPort, checkString } from '../arguments.js';
import type { RegisteredElement } from '../asap/registered-element.js';
import type { OperationalScope } from '../asap/scope.js';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import { tcpMappingOffer } from '../mapping/offer.js';
import { TcpMappingConnection } from '../mapping/tcp/connection.js';
import type { TcpMappingOptions } from '../mapping/tcp/options.js';
import { ResumableSessions } from '../mapping/tcp/resumable-sessions.js';
import { ElementSession } from '../session/element-session.js';
import {
  type ByteStream,
  type ByteStreamHandler,
  formatAddress,
  type Listener,
  noHandler,
  type TransportAddress,
} from '../transport/transport.js';
import type { MemberSelectionPolicy } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { guard } from './guarded.js';
import { incoming } from './incoming.js';
import {
  checkAdvertisement,
  checkDeliveryOptions,
  checkLoad,
  checkMappingOptions,
  checkPolicy,
  checkPoolHandle,
  checkScope,
  type DeliveryOptions,
  type MappingOptions,
  type PolicyOption,
  poolTarget,
} from './options.js';
import { family } from './session-properties.js';
import { Socket } from './socket.js';

/** What `listen` takes for a pool. Times in milliseconds. */
export interface PoolListenOptions extends MappingOptions, DeliveryOptions {
  /** The pool to join. */
  readonly poolHandle: string;
  readonly scope?: OperationalScope;
  /** Default: any free port. */
  readonly port?: number;
  /** The address to listen on. Default: all. */
  readonly host?: string;
  /**
   * What registrars and users are told, where it differs from `host` and `port`: containers, address translation.
   * Default: the listening address, or the one that the registrar sees if that is all addresses.
   */
  readonly advertise?: { readonly host?: string; readonly port?: number };
  /** Member selection policy (RFC 5356). Default: 'roundRobin'. */
  readonly policy?: PolicyOption;
  /** Load for the policies that use it, 0 to 1. Default: 0. */
  readonly load?: number;
  /** Default: 300,000. Infinity: for ever. */
  readonly registrationLife?: number;
  /** PE identifier, unsigned 32 bits. Default: chosen by chance. */
  readonly peIdentifier?: number;
}

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

/** Everything that belongs to one `listen` for a pool. */
interface Element {
  readonly scope: OperationalScope;
  readonly options: PoolListenOptions;
  readonly mapping: TcpMappingOptions;
  readonly identifier: number;
  readonly sockets: Map<Socket, ElementSession>;
  /** The same sessions, as their users may resume them. */
  readonly sessions: ResumableSessions;
  /** Accepted, and not yet known to be of a user or of a registrar. */
  readonly undetected: Set<ByteStream>;
  listener: Listener;
  address: TransportAddress | undefined;
  registration: RegisteredElement | undefined;
  policy: MemberSelectionPolicy;
  registered: boolean;
  /** While closing: what is still open. */
  portOpen: boolean;
}

export class Server extends net.Server {
  static {
    const inherited = Object.getOwnPropertyDescriptor(net.Server.prototype, 'listening');
    Object.defineProperty(Server.prototype, 'listening', {
      configurable: true,
      enumerable: inherited?.enumerable ?? false,
      get(this: Server) {
        const element = this.#element;
        return element === undefined ? inherited?.get?.call(this) : element.address !== undefined && !this.#closing;
      },
    });
  }

  #element: Element | undefined;
  #closing = false;

  /** This element's PE identifier; undefined while it listens for no pool. */
  get peIdentifier(): number | undefined {
    return this.#element?.identifier;
  }

  /** Whether a registrar has accepted the registration and it has not been lost. */
  get registered(): boolean {
    return this.#element?.registered ?? false;
  }

  override listen(...args: unknown[]): this {
    const options = poolTarget(args[0]);
    if (this.#element !== undefined || (options !== undefined && this.listening)) throw alreadyListening();
    if (options === undefined) return (super.listen as (...all: unknown[]) => this)(...args);
    const callback = args.find((arg) => typeof arg === 'function') as (() => void) | undefined;
    this.#listenForPool(options as PoolListenOptions, callback);
    return this;
  }

  override address(): net.AddressInfo | string | null {
    if (this.#element === undefined) return super.address();
    const { address } = this.#element;
    return address === undefined
      ? null
      : { address: address.host, family: family(address.host) as string, port: address.port };
  }

  /** Deregisters, stops accepting, and closes when the sessions that are open have ended (RFC 3237 section 2.7). */
  override close(callback?: (error?: Error) => void): this {
    const element = this.#element;
    if (element === undefined) return super.close(callback);
    if (this.#closing) {
      // As net answers a second close: when the first is through.
      if (callback !== undefined) this.once('close', () => callback(notRunning()));
      return this;
    }
    if (callback !== undefined) this.once('close', callback);
    this.#closing = true;
    element.registered = false;
    element.registration?.deregister(() => {});
    element.listener.close(() => {
      element.portOpen = false;
      this.#closeIfDone(element);
    });
    return this;
  }

  /**
   * Closes, and asks the users to go on elsewhere: each does so when everything that it has sent is answered or
   * acknowledged, so that a rolling restart loses and repeats nothing. Resolves when all have gone ('close').
   */
  async handOver(): Promise<void> {
    const element = this.#poolElement('handOver');
    const closed = new Promise<void>((resolve) => this.once('close', resolve));
    if (!this.#closing) this.close();
    for (const session of element.sockets.values()) session.goElsewhere();
    await closed;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.#element === undefined) await super[Symbol.asyncDispose]();
    else await new Promise<void>((resolve) => void this.close(() => resolve()));
  }

  override getConnections(callback: (error: Error | null, count: number) => void): this {
    if (this.#element === undefined) return super.getConnections(callback);
    const count = this.#element.sockets.size;
    this.#element.scope.clock.defer(() => callback(null, count));
    return this;
  }

  override ref(): this {
    if (this.#element === undefined) return super.ref();
    this.#element.listener.ref();
    return this;
  }

  override unref(): this {
    if (this.#element === undefined) return super.unref();
    this.#element.listener.unref();
    return this;
  }

  /** Changes the load and tells the registrar (RFC 5352 section 6.5.2). 0 to 1. */
  setLoad(load: number): void {
    const element = this.#poolElement('setLoad');
    const value = checkLoad(load);
    if ('load' in element.policy) this.#updatePolicy(element, { ...element.policy, load: value });
  }

  /** Changes the policy values; the policy's type is the pool's and stays. */
  setPolicy(policy: PolicyOption): void {
    this.#updatePolicy(this.#poolElement('setPolicy'), checkPolicy(policy, undefined));
  }

  #poolElement(what: string): Element {
    if (this.#element !== undefined) return this.#element;
    throw new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', {
      detail: `${what} needs a pool: listen with a poolHandle`,
    });
  }

  #updatePolicy(element: Element, policy: MemberSelectionPolicy): void {
    element.policy = policy;
    element.registration?.update({ policy });
  }

  #listenForPool(options: PoolListenOptions, onListening: (() => void) | undefined): void {
    checkPoolHandle(options.poolHandle);
    checkDeliveryOptions(options);
    const scope = checkScope(options.scope);
    const port = options.port === undefined ? 0 : checkPort('options.port', options.port);
    const host = options.host === undefined ? '::' : checkString('options.host', options.host);
    checkAdvertisement(options);
    const identifier =
      options.peIdentifier === undefined
        ? scope.random.identifier()
        : checkInteger('options.peIdentifier', options.peIdentifier, 1, 0xffffffff);
    const mapping = checkMappingOptions(options);
    const element: Omit<Element, 'listener'> & Partial<Pick<Element, 'listener'>> = {
      scope,
      options,
      mapping,
      identifier,
      sockets: new Map(),
      sessions: new ResumableSessions(scope.clock, mapping),
      undetected: new Set(),
      address: undefined,
      registration: undefined,
      policy: checkPolicy(options.policy ?? 'roundRobin', options.load),
      registered: false,
      portOpen: true,
    };
    if (onListening !== undefined) this.once('listening', onListening);
    this.#closing = false;
    element.listener = this.#openPort({ host, port }, element as Element);
    this.#element = element as Element;
  }

  /** Listens on all addresses unless told otherwise: on IPv4 alone where the system has no IPv6, as net does. */
  #openPort(at: TransportAddress, element: Element): Listener {
    return element.scope.transports.stream.listen(at, {
      onListening: (address) => {
        element.address = address;
        this.#register(element);
        this.emit('listening');
      },
      onConnection: (stream) => this.#onConnection(stream, element),
      onError: (error) => {
        const { code } = error as NodeJS.ErrnoException;
        if (
          element.options.host === undefined &&
          at.host === '::' &&
          (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')
        ) {
          element.listener = this.#openPort({ host: '0.0.0.0', port: at.port }, element);
          return;
        }
        this.#element = undefined;
        this.emit('error', error);
      },
    });
  }

  #register(element: Element): void {
    const { options, scope } = element;
    const address = element.address as TransportAddress;
    const everywhere = address.host === '::' || address.host === '0.0.0.0';
    const port = options.advertise?.port ?? address.port;
    // 0.0.0.0 asks the registrar to put in the address that it sees.
    const host = options.advertise?.host ?? (everywhere ? '0.0.0.0' : address.host);
    const transport = { type: 'tcp', address: host, port } as const;
    element.registration = scope.endpoint.register(
      {
        poolHandle: toPoolHandle(options.poolHandle),
        identifier: element.identifier,
        userTransport: transport,
        asapTransport: transport,
        mappings: [tcpMappingOffer([{ host, port }])],
        policy: element.policy,
        ...(options.registrationLife === undefined ? {} : { registrationLife: options.registrationLife }),
      },
      {
        onRegistered: () => {
          const first = !element.registered;
          element.registered = true;
          if (first) this.emit('registered');
        },
        onExpired: () => this.emit('expired'),
        onFailed: (error, ended) => {
          element.registered = false;
          if (error instanceof RserpoolError && error.code === 'ERR_RSERPOOL_REGISTRATION_REJECTED')
            this.emit('error', error);
          else {
            this.emit('unregistered', error);
            // An element waits for its registrar as long as it takes.
            if (ended && !this.#closing) this.#register(element);
          }
        },
      },
    );
  }

  #onConnection(stream: ByteStream, element: Element): ReturnType<typeof incoming> {
    const { scope, mapping, undetected } = element;
    const onRefused = (refusedStream: ByteStream, reason: string): void => {
      undetected.delete(refusedStream);
      refused.publish({ remote: formatAddress(refusedStream.remoteAddress), reason });
    };
    // Registrars must be able to look after an element that is full.
    const room = Math.max(0, (this.maxConnections ?? mapping.undetectedConnections) - element.sockets.size);
    if (undetected.size >= room + connectionsForRegistrars) {
      stream.destroy();
      onRefused(stream, 'too many connections that have not said what they want');
      return noHandler;
    }
    undetected.add(stream);
    return incoming(stream, scope.clock, mapping, {
      onMapping: (accepted) => {
        undetected.delete(accepted);
        return this.#onMapping(accepted, element);
      },
      onAsap: (accepted, firstBytes) => {
        undetected.delete(accepted);
        return scope.endpoint.acceptChannel(accepted, firstBytes);
      },
      onRefused,
    });
  }

  #onMapping(stream: ByteStream, element: Element): ByteStreamHandler {
    const { options, scope, mapping, identifier } = element;
    const poolHandle = toPoolHandle(options.poolHandle);
    const connection = new TcpMappingConnection(stream, scope.clock, mapping, {
      role: 'element',
      peIdentifier: identifier,
      isMeant: (pool, target) => pool === poolHandle && target === identifier,
      sessions: element.sessions,
    });
    connection.handler = new ElementSession(connection, (session, cookie) => {
      const { allowHalfOpen = false, pauseOnConnect = false } = this as net.ServerOpts;
      const socket = new Socket({ allowHalfOpen });
      if (pauseOnConnect) socket.pause();
      const handler = socket.attach(session, {
        scope,
        poolHandle: options.poolHandle,
        peIdentifier: identifier,
        cookie,
        longestPayload: mapping.longestPayload,
        longestMessage: mapping.longestMessage,
        ...(options.onMessage === undefined ? {} : { onMessage: options.onMessage }),
        ...(options.acknowledge === undefined ? {} : { acknowledge: options.acknowledge }),
      });
      if (this.maxConnections !== undefined && element.sockets.size >= this.maxConnections) {
        this.#drop(session, socket);
        return handler;
      }
      element.sockets.set(socket, session);
      socket.once('close', () => {
        element.sockets.delete(socket);
        this.#closeIfDone(element);
      });
      guard(scope.clock, () => this.emit('connection', socket));
      return handler;
    });
    return connection.streamHandler;
  }

  /** One session too many: its user goes elsewhere. */
  #drop(session: ElementSession, socket: Socket): void {
    this.emit('drop', {
      localAddress: socket.localAddress,
      localPort: socket.localPort,
      localFamily: socket.localFamily,
      remoteAddress: socket.remoteAddress,
      remotePort: socket.remotePort,
      remoteFamily: socket.remoteFamily,
    });
    socket.on('error', () => {});
    session.refuse();
  }

  #closeIfDone(element: Element): void {
    if (!this.#closing || element.portOpen || element.sockets.size > 0) return;
    this.#element = undefined;
    this.#closing = false;
    element.scope.clock.defer(() => this.emit('close'));
  }
}
