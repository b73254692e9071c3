/** Everything that belongs to one `listen` for a pool: the port, the registration, and who is connected. */

import type net from 'node:net';
import { registrationLifeSeconds } from '../asap/options.js';
import { defaultRegistrationLife, type RegisteredElement } from '../asap/registered-element.js';
import { RserpoolError } from '../errors.js';
import type { MappingConnection } from '../mapping/mapping.js';
import { sctpMappingOffer, tcpMappingOffer } from '../mapping/offer.js';
import type { PlainSctpConnection } from '../mapping/sctp/plain-connection.js';
import { ResumableSessions } from '../mapping/tcp/resumable-sessions.js';
import type { BusinessCard } from '../session/business-card.js';
import type { ElementSession } from '../session/element-session.js';
import type { SctpListener } from '../transport/sctp/sctp-stack.js';
import { tlsTransport } from '../transport/tls/tls.js';
import type { ByteStream, ByteStreamHandler, Listener, TransportAddress } from '../transport/transport.js';
import type { PoolElement, Transport } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { ElementLoad } from './element-load.js';
import type { ListenSettings } from './listen-options.js';
import { rehearseOnce } from './rehearsal.js';
import { openSctpPort } from './sctp-port.js';
import type { Socket } from './socket.js';

export interface ListeningElementCallbacks {
  /** The port is open; the registration is on its way. */
  onListening(): void;
  /** The most sessions that there may be: for the load. */
  maxSessions(): number;
  onConnection(stream: ByteStream): ByteStreamHandler;
  /** A user that speaks SCTP without our frames: sets the connection's handler. */
  onPlainSctp(connection: PlainSctpConnection): void;
  /** It cannot listen. */
  onError(error: Error): void;
  /** For the first time, or again after it was lost. */
  onRegistered(): void;
  /** A registrar refused it. It goes on listening. */
  onRejected(error: RserpoolError): void;
  /** No registrar confirms it at present; it goes on trying. */
  onUnregistered(error: Error): void;
  /** A registrar let it run out; it registers again by itself. */
  onExpired(): void;
}

export class ListeningElement {
  readonly settings: ListenSettings;
  readonly sockets: Map<Socket, ElementSession> = new Map();
  /** The same sessions, as their users may resume them. */
  readonly sessions: ResumableSessions;
  /** Users of nameservice mode, where both are served. */
  readonly plain: Set<net.Socket> = new Set();
  /** Accepted, and not yet known to be of a user or of a registrar. */
  readonly undetected: Set<ByteStream> = new Set();
  /** Users whose sessions have not begun: their hello or cookie echo has not come, or the element stands by for them. */
  readonly entering: Set<MappingConnection> = new Set();
  readonly #callbacks: ListeningElementCallbacks;
  #listener: Listener | undefined;
  #sctpListener: SctpListener | undefined;
  #sctpAddress: TransportAddress | undefined;
  #registration: RegisteredElement | undefined;
  #address: TransportAddress | undefined;
  readonly #load: ElementLoad;
  #registered = false;
  #closing = false;
  #portOpen = true;
  /** Who is to be tried should this one fail; empty: this element recommends nobody. */
  #successors: readonly PoolElement[] = [];
  readonly #cardListeners = new Set<() => void>();

  constructor(settings: ListenSettings, callbacks: ListeningElementCallbacks) {
    this.settings = settings;
    this.sessions = new ResumableSessions(settings.scope.clock, settings.mapping);
    this.#callbacks = callbacks;
    this.#load = new ElementLoad(settings.scope, settings.policy, settings.options, {
      sessions: () => this.connections / Math.max(1, callbacks.maxSessions()),
      onChange: (policy) => this.#registration?.update({ policy }),
    });
  }

  /** It serves nameservice mode alone: no session can reach it. */
  get isPlain(): boolean {
    return this.settings.options.mode === 'nameservice';
  }

  /** Net's own server listens for it. */
  get isNets(): boolean {
    return this.isPlain && this.settings.options.tls === undefined;
  }

  /** How many users there are, of both modes. */
  get connections(): number {
    return this.sockets.size + this.plain.size;
  }

  /** How many connections may be there that have not said what they want. */
  entrances(maxConnections: number | undefined): number {
    if (maxConnections === undefined) return this.settings.mapping.undetectedConnections;
    // Those whose connections broke count as sessions, and their users must be let in to resume them.
    return Math.max(0, maxConnections - this.connections - this.entering.size + this.sessions.parkedSessions);
  }

  /** Undefined until it listens. */
  get address(): TransportAddress | undefined {
    return this.#address;
  }

  /** Whether a registrar has accepted the registration and it has not been lost. */
  get registered(): boolean {
    return this.#registered;
  }

  /** Its policy's values, to be changed. */
  get load(): ElementLoad {
    return this.#load;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Closed, and nobody is connected any more. */
  get isDone(): boolean {
    return this.#closing && !this.#portOpen && this.connections === 0;
  }

  /** Listens on all addresses unless told otherwise: on IPv4 alone where the system has no IPv6, as net does. */
  open(host: string = this.settings.host ?? '::'): void {
    const { scope, port, mappings } = this.settings;
    if (!mappings.includes('tcp')) {
      this.#openSctp(port, () => this.#callbacks.onListening());
      return;
    }
    const { tls } = this.settings.options;
    const stream = tls === undefined ? scope.transports.stream : tlsTransport(tls);
    this.#listener = stream.listen(
      { host, port },
      {
        onListening: (address) => {
          const listening = (): void => {
            this.listening(address);
            this.#callbacks.onListening();
          };
          if (mappings.includes('sctp')) this.#openSctp(address.port, listening, address);
          else listening();
        },
        onConnection: (stream) => this.#callbacks.onConnection(stream),
        onError: (error) => {
          const { code } = error as NodeJS.ErrnoException;
          const noIpv6 = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
          if (this.settings.host === undefined && host === '::' && noIpv6) this.open('0.0.0.0');
          else this.#callbacks.onError(error);
        },
      },
    );
  }

  /** SCTP beside TCP, at the port of the same number, or alone. */
  #openSctp(port: number, onListening: () => void, tcpAddress?: TransportAddress): void {
    const { scope, mapping } = this.settings;
    this.#sctpListener = openSctpPort(scope, port, mapping, {
      onListening: (address) => {
        this.#sctpAddress = address;
        if (tcpAddress === undefined) this.listening(address);
        onListening();
      },
      onConnection: (stream) => this.#callbacks.onConnection(stream),
      onPlain: (connection) => this.#callbacks.onPlainSctp(connection),
      onError: (error) => {
        this.#listener?.close();
        this.#callbacks.onError(error);
      },
    });
  }

  /** The port is open. */
  listening(address: TransportAddress): void {
    this.#address = address;
    if (!this.isPlain) rehearseOnce(this.settings.scope.clock);
    this.#register(address);
    this.#load.start();
    this.#cardChanged();
  }

  /** Deregisters and stops accepting; `onClosed` when the port is free. */
  close(onClosed: () => void): void {
    this.#closing = true;
    this.#load.stop();
    this.#registered = false;
    this.#registration?.deregister(() => {});
    this.#sctpListener?.close();
    this.sessions.close();
    const closed = (): void => {
      this.#portOpen = false;
      onClosed();
    };
    if (this.#listener !== undefined) this.#listener.close(closed);
    else this.settings.scope.clock.nextTurn(closed);
  }

  /** Ends at once with everybody who is still there; users of sessions go elsewhere. */
  breakOff(): void {
    const { poolHandle } = this.settings.options;
    const error = new RserpoolError('ERR_RSERPOOL_HANDED_OVER', { poolHandle, detail: 'it took too long' });
    for (const session of [...this.sockets.values()]) session.fail(error, error.message);
    for (const socket of [...this.plain]) socket.destroy();
  }

  /** Tells the users, now and when they come, whom to try should this element fail. */
  setBusinessCard(card: BusinessCard): void {
    this.#successors = card.elements;
    for (const session of this.sockets.values()) this.sendBusinessCard(session);
    this.#cardChanged();
  }

  #cardChanged(): void {
    for (const listener of [...this.#cardListeners]) listener();
  }

  /** A PE should always send one (RFC 5352 section 3.9); one that recommends nobody names itself. */
  sendBusinessCard(session: ElementSession): void {
    const { poolHandle } = this.settings.options;
    const elements = this.#successors.length > 0 ? this.#successors : [this.#describe(session.localAddress.host)];
    session.sendBusinessCard({ poolHandle, elements });
  }

  /** As CardHolder: this element first, then its successors. */
  userCard(host: string): BusinessCard | undefined {
    if (this.#address === undefined) return undefined;
    const others = this.#successors.filter(({ identifier }) => identifier !== this.settings.peIdentifier);
    return { poolHandle: this.settings.options.poolHandle, elements: [this.#describe(host), ...others] };
  }

  /** As CardHolder. */
  whenCardChanges(listener: () => void): () => void {
    this.#cardListeners.add(listener);
    return () => void this.#cardListeners.delete(listener);
  }

  /** This element as registered; `seenAs`: the address of the connection that it is told on, if it listens on all. */
  #describe(seenAs: string): PoolElement {
    const { peIdentifier, options } = this.settings;
    const at = this.#reachableAt(this.#address as TransportAddress, seenAs);
    const registrationLife = registrationLifeSeconds(options.registrationLife ?? defaultRegistrationLife);
    const { policy } = this.#load;
    return { identifier: peIdentifier, homeServerId: 0, registrationLife, ...at, policy };
  }

  /** The transports that are told. */
  #reachableAt(address: TransportAddress, seenAs: string): Pick<PoolElement, 'userTransport' | 'mappings'> {
    const { advertise } = this.settings.options;
    const everywhere = address.host === '::' || address.host === '0.0.0.0';
    const port = advertise?.port ?? address.port;
    const host = advertise?.host ?? (everywhere ? seenAs : address.host);
    const userTransport = { type: 'tcp', address: host, port } as const;
    if (this.isPlain) return { userTransport };
    const udpPort = this.#sctpAddress?.encapsulationPort;
    const { mappings } = this.settings;
    const offers = mappings.map((mapping) =>
      mapping === 'tcp' ? tcpMappingOffer([{ host, port }]) : sctpMappingOffer([host], port, udpPort),
    );
    if (mappings[0] === 'tcp') return { userTransport, mappings: offers };
    return { userTransport: { type: 'sctp', port, use: 'dataPlusControl', addresses: [host] }, mappings: offers };
  }

  ref(): void {
    this.#sctpListener?.ref();
    this.#listener?.ref();
  }

  unref(): void {
    this.#sctpListener?.unref();
    this.#listener?.unref();
  }

  #register(address: TransportAddress): void {
    const { options, scope, peIdentifier } = this.settings;
    // 0.0.0.0 asks the registrar to put in the address that it sees.
    const at = this.#reachableAt(address, '0.0.0.0');
    this.#registration = scope.endpoint.register(
      {
        poolHandle: toPoolHandle(options.poolHandle),
        identifier: peIdentifier,
        ...at,
        // Where the service speaks for itself, or TLS, registrars use the connection that this element opened.
        ...(this.isPlain || options.tls !== undefined ? {} : { asapTransport: asapTransportOf(at.userTransport) }),
        policy: this.#load.policy,
        ...(options.registrationLife === undefined ? {} : { registrationLife: options.registrationLife }),
      },
      {
        onRegistered: () => {
          const first = !this.#registered;
          this.#registered = true;
          if (first) this.#callbacks.onRegistered();
        },
        onExpired: () => this.#callbacks.onExpired(),
        onFailed: (error, ended) => {
          this.#registered = false;
          if (error instanceof RserpoolError && error.code === 'ERR_RSERPOOL_REGISTRATION_REJECTED')
            this.#callbacks.onRejected(error);
          else {
            this.#callbacks.onUnregistered(error);
            // An element waits for its registrar as long as it takes.
            if (ended && !this.#closing) this.#register(address);
          }
        },
      },
    );
  }
}

/** Registrars reach the element where its users do. */
function asapTransportOf(transport: Transport): Transport {
  return transport.type === 'sctp' ? { ...transport, use: 'dataOnly' } : transport;
}
