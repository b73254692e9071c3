/**
 * A registrar: an ENRP server as elements and users see it (RFC 5352). Put together from the handlespace, the
 * registrations and the answers; all state of pools is in the handlespace, owned by server identifiers, so that peers
 * (RFC 5353) join as a further source and a further listener of its changes.
 */

import { EventEmitter } from 'node:events';
import { type AsapChannel, openAsapChannel } from '../asap/asap-channel.js';
import { diagnosticEvent } from '../diagnostics.js';
import { EnrpServer } from '../enrp/enrp-server.js';
import { formatIdentifier, RserpoolError } from '../errors.js';
import type { HandlespaceChange } from '../handlespace/change.js';
import { Handlespace, type HandlespaceOptions } from '../handlespace/handlespace.js';
import type { ByteStream, Listener, TransportAddress } from '../transport/transport.js';
import type { AsapMessage } from '../wire/messages.js';
import { poolHandleText } from '../wire/pool-handle.js';
import { Announcer } from './announcer.js';
import { RegistrarConnection } from './connection.js';
import { Connections } from './connections.js';
import { HomeClaims } from './home-claims.js';
import { type RegistrarOptions, type RegistrarSettings, registrarSettings } from './options.js';
import { PoolAnswers } from './pool-answers.js';
import { Registrations, type RejectedRegistration } from './registrations.js';
import { type PoolStatus, poolStatus, type RegistrarStats, type RegistrarStatus, registrarStatus } from './status.js';

/** A change of the handlespace as the 'change' event tells it. */
export interface RegistrarChange {
  readonly type: HandlespaceChange['type'];
  readonly reason: HandlespaceChange['reason'];
  readonly poolHandle: string;
  readonly identifier: number;
}

/** Events of a registrar. 'error' is one that ended it: it could not listen. */
export interface RegistrarEvents {
  listening: [address: TransportAddress];
  /** The port for peers is open. */
  enrpListening: [address: TransportAddress];
  /** With peers: the handlespace is initialised (RFC 5353 section 3.2). */
  ready: [];
  change: [change: RegistrarChange];
  rejected: [registration: RejectedRegistration];
  error: [error: Error];
  close: [];
}

const changed = diagnosticEvent<RegistrarChange>('registrar', 'change');

export class Registrar extends EventEmitter<RegistrarEvents> {
  /** The ENRP server identifier, unsigned 32 bits. */
  readonly serverId: number;
  /** The pools. Whoever changes it tells subscribers and elements by that alone. */
  readonly handlespace: Handlespace;
  /** The peers; undefined without the option `enrp`. */
  readonly enrp: EnrpServer | undefined;
  readonly #settings: RegistrarSettings;
  readonly #registrations: Registrations;
  readonly #answers: PoolAnswers;
  readonly #claims: HomeClaims;
  readonly #connections: Connections;
  readonly #onHandlespaceChange = new Set<(change: HandlespaceChange) => void>();
  #listener: Listener | undefined;
  #sctpListener: Listener | undefined;
  #announcer: Announcer | undefined;
  #address: TransportAddress | undefined;
  #sctpAddress: TransportAddress | undefined;
  /** new -> listening -> closing -> closed */
  #state: 'new' | 'listening' | 'closing' | 'closed' = 'new';
  /** What is still open while closing: the port and the connections. */
  #portOpen = false;
  #enrpOpen = false;
  /** Of the next connection. */
  #sequence = 0;

  /** Throws Node's argument errors; does nothing until `listen`. */
  constructor(options: RegistrarOptions = {}) {
    super();
    const settings = registrarSettings(options);
    const { clock, random, limits, policies } = settings;
    this.#settings = settings;
    this.#connections = new Connections(settings);
    this.serverId = settings.serverId;
    const handlespaceOptions: HandlespaceOptions = {
      random,
      maxPools: limits.maxPools,
      maxElements: limits.maxElements,
      maxElementsPerPool: limits.maxElementsPerPool,
      maxElementsPerAnswer: limits.maxElementsPerAnswer,
      onChange: (change) => this.#onChange(change),
      lifeUnit: settings.compatibility === undefined ? 1000 : 1,
      ...(policies === undefined ? undefined : { policies }),
    };
    this.handlespace = new Handlespace(handlespaceOptions);
    const { handlespace } = this;
    this.#answers = new PoolAnswers({ clock, handlespace, limits, pushInterval: settings.timers.pushInterval });
    this.#registrations = new Registrations({
      settings,
      handlespace,
      onRejected: (facts) => void this.emit('rejected', facts),
    });
    const registrations = this.#registrations;
    this.#claims = new HomeClaims({ settings, handlespace, registrations, serve: (stream) => this.#serve(stream) });
    this.enrp = this.#createEnrp();
  }

  /** Where it listens, once it does. */
  get address(): TransportAddress | undefined {
    return this.#address;
  }

  /** Where it listens for SCTP, once it does. */
  get sctpAddress(): TransportAddress | undefined {
    return this.#sctpAddress;
  }

  get stats(): RegistrarStats {
    const { accepted, rejected, keepAlives } = this.#registrations.counts;
    return {
      connections: this.#connections.size,
      pools: this.handlespace.poolCount,
      elements: this.handlespace.elementCount,
      ownedElements: this.handlespace.owned(this.serverId).size,
      subscriptions: this.#answers.subscriptions,
      registrationsAccepted: accepted,
      registrationsRejected: rejected,
      resolutions: this.#answers.resolutions,
      pushes: this.#answers.pushes,
      keepAlivesSent: keepAlives,
    };
  }

  /** All that there is to see, as plain data; costs as much as there are peers. */
  status(): RegistrarStatus {
    const { serverId, handlespace, enrp, stats } = this;
    return registrarStatus({ serverId, handlespace, enrp, stats, claims: this.#claims.size });
  }

  /** The pools with their elements, at most `maxElements` of them in all; default: 1,000. */
  pools(maxElements: number = 1_000): PoolStatus[] {
    return poolStatus(this.handlespace, maxElements);
  }

  /**
   * Starts to serve ASAP over TCP; 'listening' or 'error' follows. With peers it first gets the handlespace of one of
   * them, or finds that it is alone, unless `enrp.serveWhileStarting`. Once only.
   */
  listen(onListening?: (address: TransportAddress) => void): this {
    if (this.#state !== 'new') {
      throw new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { detail: 'a registrar listens once' });
    }
    if (onListening !== undefined) this.once('listening', onListening);
    this.#state = 'listening';
    const { enrp } = this;
    if (enrp === undefined || this.#settings.enrp?.serveWhileStarting === true) this.#listenToElements();
    if (enrp === undefined) return this;
    this.#enrpOpen = true;
    enrp.listen();
    return this;
  }

  #listenToElements(): void {
    if (this.#listener !== undefined || this.#state !== 'listening') return;
    const { host, port, servingTransport } = this.#settings;
    this.#portOpen = true;
    this.#listener = servingTransport.listen(
      { host, port },
      {
        onListening: (address) => {
          this.#address = address;
          if (this.#state !== 'listening') return;
          this.#listenOnSctp(() => {
            this.#announceAt(address);
            this.emit('listening', address);
          });
        },
        onConnection: (stream) => {
          this.#serve(stream, this.#trusts(stream));
          return stream.handler;
        },
        onError: (error) => {
          this.#portOpen = false;
          this.close();
          this.emit('error', error);
        },
      },
    );
  }

  /** Beside TCP, if it is switched on. */
  #listenOnSctp(onListening: () => void): void {
    const { host, sctp, sctpPort, transport } = this.#settings;
    if (!sctp.isOn) {
      onListening();
      return;
    }
    this.#sctpListener = transport.listen(
      { host, port: sctpPort, protocol: 'sctp' },
      {
        onListening: (address) => {
          this.#sctpAddress = address;
          if (this.#state === 'listening') onListening();
        },
        onConnection: (stream) => {
          this.#serve(stream);
          return stream.handler;
        },
        onError: (error) => {
          this.close();
          this.emit('error', error);
        },
      },
    );
  }

  #announceAt({ host, port }: TransportAddress): void {
    const { group, advertise, serverId, clock, multicast, timers } = this.#settings;
    if (group === undefined) return;
    const address = { host: advertise.host ?? host, port: advertise.port ?? port };
    const interval = timers.announceInterval;
    this.#announcer = new Announcer({
      serverId,
      clock,
      transport: multicast,
      group,
      interval,
      address,
      sctpPort: this.#sctpAddress?.port,
    });
  }

  #createEnrp(): EnrpServer | undefined {
    const { enrp, clock, random, enrpTransport, sctp, multicast, limits, serverId } = this.#settings;
    if (enrp === undefined) return undefined;
    const registrations = this.#registrations;
    return new EnrpServer({
      ...{ serverId, clock, random, multicast },
      transport: enrpTransport,
      certifiedPeers: this.#settings.trusts !== 'all',
      sctp: sctp.isOn,
      settings: enrp,
      handlespace: this.handlespace,
      // A mentor may hold what registered there and what its peers told of, see handlespace/room.ts.
      maxElements: 3 * limits.maxElements,
      elements: {
        isConnected: (entry) => registrations.isConnected(entry),
        claim: (entries) => this.#claims.claim(entries),
        verify: (entry) => registrations.verify(entry),
      },
      onListening: (address) => void this.emit('enrpListening', address),
      onReady: () => {
        this.#listenToElements();
        this.emit('ready');
      },
      onError: (error) => {
        this.#enrpOpen = false;
        this.close();
        this.emit('error', error);
      },
    });
  }

  /** Tells `listener` of each change of the handlespace, at once: for peers (RFC 5353 section 3.3). */
  onHandlespaceChange(listener: (change: HandlespaceChange) => void): void {
    this.#onHandlespaceChange.add(listener);
  }

  /**
   * Stops accepting, ends all connections after what was sent, forgets all pools. 'close' and `onClosed` follow when
   * everything is closed. Elements and users look for another registrar.
   */
  close(onClosed?: () => void): this {
    if (this.#state === 'closed') {
      if (onClosed !== undefined) this.#settings.clock.nextTurn(onClosed);
      return this;
    }
    if (onClosed !== undefined) this.once('close', onClosed);
    if (this.#state === 'closing') return this;
    this.#state = 'closing';
    this.#registrations.close();
    this.#claims.close();
    this.#announcer?.close();
    this.#sctpListener?.close();
    if (this.#enrpOpen) {
      this.enrp?.close(() => {
        this.#enrpOpen = false;
        this.#closeIfDone();
      });
    }
    if (this.#portOpen) {
      this.#listener?.close(() => {
        this.#portOpen = false;
        this.#closeIfDone();
      });
    }
    for (const { channel } of [...this.#connections]) channel.close();
    this.#settings.clock.nextTurn(() => this.#closeIfDone());
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => void this.close(resolve));
  }

  #closeIfDone(): void {
    if (this.#state !== 'closing' || this.#portOpen || this.#enrpOpen || this.#connections.size > 0) return;
    this.#state = 'closed';
    this.#settings.sctp.close(() => this.emit('close'));
  }

  /** Whether who called us may change anything. */
  #trusts(stream: ByteStream): boolean {
    return this.#settings.trusts !== 'certified' || stream.certified === true;
  }

  /**
   * Serves ASAP on a connection, whose handler it sets; one too many is reset. `trusted`: the far side may change something.
   * Where TLS is demanded those that we call, in the clear, may not.
   */
  #serve(stream: ByteStream, trusted: boolean = this.#settings.trusts === 'all'): RegistrarConnection {
    const { clock, limits } = this.#settings;
    const { channel }: { channel: AsapChannel } = openAsapChannel(
      stream,
      {
        onMessage: (message, size) => this.#onMessage(connection, message, size),
        onClose: (error) => this.#onClose(connection, error),
      },
      clock,
      limits,
    );
    const connection = new RegistrarConnection(channel, this.#sequence++, stream.remoteHosts, trusted);
    if (this.#state !== 'listening' || !this.#connections.add(connection)) channel.abort();
    return connection;
  }

  #onClose(connection: RegistrarConnection, error: Error | undefined): void {
    if (!this.#connections.remove(connection, error)) return;
    this.#answers.forget(connection);
    this.#claims.onClosed(connection);
    if (this.#state === 'listening') this.#registrations.forget(connection);
    else this.#closeIfDone();
  }

  #onMessage(connection: RegistrarConnection, message: AsapMessage, size: number): void {
    if (this.#state !== 'listening') return;
    this.#connections.heard(connection);
    switch (message.type) {
      case 'registration':
        this.#registrations.register(connection, message, size);
        return;
      case 'deregistration':
        this.#registrations.deregister(connection, message);
        return;
      case 'handleResolution':
        this.#answers.answer(connection, message);
        return;
      case 'endpointKeepAliveAck':
        if (!this.#claims.onAck(connection, message)) this.#registrations.onKeepAliveAck(message, connection);
        return;
      case 'endpointUnreachable':
        this.#registrations.onUnreachable(message, connection);
        return;
      default:
      // The others are not for registrars (RFC 5352 section 4): known, and of no consequence here.
    }
  }

  #onChange(change: HandlespaceChange): void {
    this.#registrations.onChange(change);
    this.#answers.onChange(change);
    this.enrp?.onHandlespaceChange(change);
    for (const listener of this.#onHandlespaceChange) listener(change);
    if (!changed.watched && this.listenerCount('change') === 0) return;
    const { type, reason, poolHandle, entry } = change;
    const facts = { type, reason, poolHandle: poolHandleText(poolHandle), identifier: entry.identifier };
    if (changed.watched) changed.publish(facts);
    this.emit('change', facts);
  }

  /** For logs. */
  override toString(): string {
    return `registrar ${formatIdentifier(this.serverId)}`;
  }
}

/** Makes a registrar; `listen` starts it. */
export function createRegistrar(options?: RegistrarOptions): Registrar {
  return new Registrar(options);
}
