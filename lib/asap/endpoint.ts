/**
 * The ASAP endpoint (RFC 5352 section 3): what a process that uses or offers pools needs of registrars. One home
 * server, any number of elements, resolutions and subscriptions.
 */

import { EventEmitter } from 'eventemitter3';
import { invalidArgumentValue } from '../arguments.js';
import type { Clock } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import type { Random } from '../random.js';
import { joinAnnouncements } from '../transport/announcements.js';
import { systemNames } from '../transport/system-names.js';
import type {
  ByteStream,
  ByteStreamHandler,
  ByteStreamTransport,
  MulticastChannel,
  MulticastGroup,
  MulticastTransport,
  NameResolver,
  TransportAddress,
} from '../transport/transport.js';
import { defaultWireLimits } from '../wire/limits.js';
import type { AsapMessage, EndpointKeepAlive } from '../wire/messages.js';
import type { PoolHandle } from '../wire/parameters.js';
import { poolHandleText } from '../wire/pool-handle.js';
import { announcedAddresses } from './announcement.js';
import { type AsapChannel, type AsapChannelLimits, openAsapChannel } from './asap-channel.js';
import { HomeServer, type HomeServerState } from './home-server.js';
import { answerKeepAlive } from './keep-alive.js';
import type { AsapTimers } from './options.js';
import { awaitPool } from './pool-polling.js';
import { type ElementDescription, RegisteredElement, type RegistrationHandler } from './registered-element.js';
import type { Cancellable, ResolveCallback, ResolveOptions } from './resolution.js';
import { Resolver } from './resolver.js';
import { ServerList } from './server-list.js';
import { type PoolListener, Subscriptions } from './subscriptions.js';
import { Suspicion } from './suspicion.js';

export interface AsapEndpointOptions {
  /** The registrars that are configured, by address or name (see ServerList); at least one, unless they announce themselves. */
  readonly servers: readonly TransportAddress[];
  /** Registrars prove who they are when they are called: none that calls us is believed to be our home. Default: false. */
  readonly proven?: boolean;
  /** What the policy of a pool at the registrar is told (Selection Hint, 256 bytes at most). Default: nothing. */
  readonly hintFor?: (poolHandle: PoolHandle) => Uint8Array | undefined;
  /** Default: the system's. */
  readonly names?: NameResolver;
  /** Where registrars announce themselves (section 3.6). Default: nowhere. */
  readonly announcements?: { readonly transport: MulticastTransport; readonly group: MulticastGroup };
  readonly transport: ByteStreamTransport;
  /** Whether `transport` takes SCTP addresses. */
  readonly sctp?: boolean;
  /** 'rsplib': registration life in milliseconds on the wire. */
  readonly compatibility?: 'rsplib' | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: AsapTimers;
  readonly limits: AsapChannelLimits;
}

/** What the endpoint tells of by itself. */
export interface AsapEndpointEvents {
  /** There is a (new) home server. */
  home: [server: TransportAddress];
}

const unreachable = diagnosticEvent<{ poolHandle: string; identifier: number; reported: boolean }>(
  'asap',
  'unreachable-reported',
);

/** Reports that wait for a home server; further ones are dropped, the failures are remembered all the same. */
const maxWaitingReports = 256;
/** Milliseconds. */
const reportDelay = 10;

export class AsapEndpoint extends EventEmitter<AsapEndpointEvents> {
  readonly #options: AsapEndpointOptions;
  readonly #servers: ServerList;
  readonly #home: HomeServer;
  readonly #suspicion: Suspicion;
  readonly #resolver: Resolver;
  readonly #subscriptions: Subscriptions;
  readonly #elements = new Set<RegisteredElement>();
  readonly #accepted = new Set<AsapChannel>();
  #waitingReports: { readonly poolHandle: PoolHandle; readonly peIdentifier: number }[] = [];
  /** The group in which registrars announce themselves, from the first hunt on. */
  #announcements: MulticastChannel | undefined;
  #closed = false;

  constructor(options: AsapEndpointOptions) {
    super();
    const { clock, timers } = options;
    this.#options = options;
    this.#suspicion = new Suspicion(timers.suspicionTime, timers.reportInterval);
    this.#servers = new ServerList({
      configured: options.servers,
      clock,
      random: options.random,
      names: options.names ?? systemNames,
      announcementLifetime: timers.announcementLifetime,
      maxAnnounced: timers.maxAnnouncedServers,
    });
    const awaitsAnnouncements = options.announcements !== undefined;
    this.#home = new HomeServer(
      { ...options, servers: this.#servers, awaitsAnnouncements },
      {
        onHome: () => this.#onHome(),
        onLost: () => this.#resolver.onLost(),
        onMessage: (message, channel) => this.#onMessage(message, channel),
        onRoundFailed: (failures) => {
          this.#resolver.onRoundFailed(failures);
          for (const element of [...this.#elements]) element.onRoundFailed(failures);
        },
        onNeeded: () => this.#listen(),
        needed: () => this.#needed(),
      },
    );
    const home = this.#home;
    this.#subscriptions = new Subscriptions({
      clock,
      random: options.random,
      timers,
      ask: (poolHandle) => this.#resolver.refresh(poolHandle),
      release: (poolHandle) => this.#resolver.release(poolHandle),
    });
    this.#resolver = new Resolver({
      clock,
      timers,
      home,
      suspicion: this.#suspicion,
      isSubscribed: (poolHandle) => this.#subscriptions.has(poolHandle),
      hintFor: options.hintFor ?? (() => undefined),
      onAnswer: (...answer) => this.#subscriptions.onAnswer(...answer),
    });
  }

  /** Where the home server is, or undefined while there is none. */
  get homeServer(): TransportAddress | undefined {
    return this.#home.address;
  }

  /** The identifier of the home server, as far as it told. */
  get homeServerId(): number | undefined {
    return this.#home.serverId;
  }

  get state(): HomeServerState {
    return this.#home.state;
  }

  /** The elements that are registered here or about to be. */
  get elements(): ReadonlySet<RegisteredElement> {
    return this.#elements;
  }

  /**
   * Resolves a pool handle (section 3.3). An unknown pool is an error at once: ERR_RSERPOOL_UNKNOWN_POOL_HANDLE.
   * Resolutions of one pool at the same time share one request. ERR_INVALID_ARG_VALUE for a pool handle above 1,024 bytes.
   */
  resolve(poolHandle: PoolHandle, options: ResolveOptions, callback: ResolveCallback): Cancellable {
    if (this.#closed) return this.#refuse(callback, closedError());
    const tooLong = handleError(poolHandle);
    if (tooLong !== undefined) return this.#refuse(callback, tooLong);
    return this.#resolver.resolve(poolHandle, options, callback);
  }

  /**
   * Resolves a pool handle, and as long as the pool is unknown asks again (100 ms to 2 s, with jitter), until
   * `options.timeout` has passed.
   */
  awaitPool(
    poolHandle: PoolHandle,
    options: ResolveOptions & { readonly timeout: number },
    callback: ResolveCallback,
  ): Cancellable {
    if (this.#closed) return this.#refuse(callback, closedError());
    const { clock, random, timers } = this.#options;
    return awaitPool(poolHandle, options, callback, {
      clock,
      random,
      timers,
      resolve: (...all) => this.resolve(...all),
    });
  }

  /** CachePopulateRequest (section 6.3): asks the registrar whatever the cache holds. */
  populate(poolHandle: PoolHandle, callback: ResolveCallback): Cancellable {
    return this.resolve(poolHandle, { fresh: true }, callback);
  }

  /** CachePurgeRequest (section 6.4). */
  purge(poolHandle: PoolHandle): void {
    this.#resolver.purge(poolHandle);
  }

  /**
   * Tells `listener` of the pool now and at each change, across registrars (the S bit, section 2.2.5), until it is
   * cancelled. While the pool does not exist it is asked for again, since a subscription covers existing pools only.
   */
  subscribe(poolHandle: PoolHandle, listener: PoolListener): Cancellable {
    const tooLong = handleError(poolHandle);
    if (tooLong !== undefined) throw tooLong;
    return this.#subscriptions.add(poolHandle, listener);
  }

  /** Registers an element (section 3.1). The handler is told how it goes, now and for as long as it is registered. */
  register(description: ElementDescription, handler: RegistrationHandler): RegisteredElement {
    const { clock, timers, random } = this.#options;
    if (this.#closed) throw closedError();
    const tooLong = handleError(description.poolHandle);
    if (tooLong !== undefined) throw tooLong;
    const identifier = description.identifier ?? random.identifier();
    const element = new RegisteredElement({ ...description, identifier }, handler, {
      clock,
      timers,
      home: this.#home,
      compatibility: this.#options.compatibility,
      onEnded: (ended) => this.#elements.delete(ended),
    });
    this.#elements.add(element);
    return element;
  }

  /**
   * An element was found unreachable (sections 3.5 and 6.9.2). Call it once per event, and only if something was sent
   * to the element. It counts as suspected for `suspicionTime`, and is reported to the home server, at most once per
   * `reportInterval`, and a little later: who lost it has something more urgent to do.
   */
  reportUnreachable(poolHandle: PoolHandle, peIdentifier: number): void {
    const reported = this.#suspicion.add(poolHandle, peIdentifier, this.#options.clock.now());
    if (unreachable.watched)
      unreachable.publish({ poolHandle: poolHandleText(poolHandle), identifier: peIdentifier, reported });
    if (!reported || this.#closed) return;
    this.#options.clock.setTimeout(() => this.#report(poolHandle, peIdentifier), reportDelay, 'background');
  }

  #report(poolHandle: PoolHandle, peIdentifier: number): void {
    if (this.#closed) return;
    const message = { type: 'endpointUnreachable', poolHandle, peIdentifier } as const;
    if (!this.#home.send(message) && this.#waitingReports.length < maxWaitingReports) {
      this.#waitingReports.push({ poolHandle, peIdentifier });
    }
  }

  /** Whether the element failed lately: a registrar that names it may not know yet. */
  isSuspected(poolHandle: PoolHandle, peIdentifier: number): boolean {
    return this.#suspicion.isSuspected(poolHandle, peIdentifier, this.#options.clock.now());
  }

  /**
   * Speaks ASAP on a connection that a registrar opened to an advertised address (sections 3.4 and 3.5).
   * `firstBytes`: what was read of it already. Returns the stream's handler, which it has also set. When there are too
   * many, the oldest that is not the home server's makes room: strangers must not keep registrars out.
   */
  acceptChannel(stream: ByteStream, firstBytes?: Uint8Array): ByteStreamHandler {
    const { clock, limits, timers } = this.#options;
    const { channel, receive }: { channel: AsapChannel; receive: (chunk: Uint8Array) => void } = openAsapChannel(
      stream,
      {
        onMessage: (message) => this.#onMessage(message, channel),
        onClose: (error) => {
          this.#accepted.delete(channel);
          this.#home.onChannelClosed(channel, error);
        },
      },
      clock,
      limits,
    );
    channel.unref();
    const { handler } = stream;
    this.#accepted.add(channel);
    if (this.#accepted.size > timers.maxAcceptedChannels) this.#evictOldest();
    if (this.#closed) channel.abort();
    else if (firstBytes !== undefined) receive(firstBytes);
    return handler;
  }

  #evictOldest(): void {
    for (const channel of this.#accepted) {
      if (this.#home.isHome(channel)) continue;
      this.#accepted.delete(channel);
      channel.abort();
      return;
    }
  }

  /** Ends everything at once, with ERR_RSERPOOL_SESSION_CLOSED for what is pending. Deregister elements before. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = closedError();
    this.#subscriptions.close();
    this.#home.close();
    this.#announcements?.close();
    for (const channel of this.#accepted) channel.close();
    for (const element of [...this.#elements]) element.abandon(error);
    this.#resolver.close(error);
  }

  /** Registrars that announce themselves are known from now on. */
  #listen(): void {
    const { announcements, clock } = this.#options;
    if (announcements === undefined || this.#announcements !== undefined) return;
    const { transport, group } = announcements;
    this.#announcements = joinAnnouncements(transport, group, clock, (bytes, from) => {
      const announced = announcedAddresses(bytes, from, this.#options.sctp === true);
      if (announced.length > 0 && this.#servers.announced(announced, from.host)) this.#home.onServerAdded();
    });
  }

  #needed(): boolean {
    if (this.#resolver.pending || this.#subscriptions.size > 0 || this.#waitingReports.length > 0) return true;
    for (const element of this.#elements) if (element.needsHome) return true;
    return false;
  }

  #onHome(): void {
    const waiting = this.#waitingReports;
    this.#waitingReports = [];
    // Elements first: what others ask for may be them.
    for (const element of [...this.#elements]) element.onHome();
    this.#resolver.onHome();
    for (const poolHandle of this.#subscriptions.pools()) this.#resolver.refresh(poolHandle);
    for (const report of waiting) this.#home.send({ type: 'endpointUnreachable', ...report });
    if (this.#home.address !== undefined) this.emit('home', this.#home.address);
  }

  #onMessage(message: AsapMessage, channel: AsapChannel): void {
    if (message.type === 'endpointKeepAlive') {
      this.#onKeepAlive(message, channel);
      return;
    }
    // Only a home server has answers for us: a stranger at the service port must not tell us who is in a pool.
    if (!this.#home.isHome(channel)) return;
    switch (message.type) {
      case 'registrationResponse':
      case 'deregistrationResponse': {
        const element = this.#find(message.poolHandle, message.peIdentifier);
        if (message.type === 'deregistrationResponse') element?.onDeregistrationResponse(message);
        else element?.onRegistrationResponse(message, channel.remoteAddress.host);
        return;
      }
      case 'handleResolutionResponse':
        this.#home.trust();
        this.#resolver.onResponse(message);
        return;
      default:
      // The rest is between users and elements, or for registrars: nothing to do with it here (section 4).
    }
  }

  #onKeepAlive(message: EndpointKeepAlive, channel: AsapChannel): void {
    if (!answerKeepAlive(message, channel, this.#elements)) return;
    if (message.home && this.#options.proven !== true) this.#home.adopt(channel, message.serverId);
    this.#home.identify(channel, message.serverId);
  }

  #find(poolHandle: PoolHandle, identifier: number): RegisteredElement | undefined {
    for (const element of this.#elements) {
      if (element.identifier === identifier && element.poolHandle === poolHandle) return element;
    }
    return undefined;
  }

  #refuse(callback: ResolveCallback, error: Error): Cancellable {
    let wanted = true;
    this.#options.clock.defer(() => {
      if (wanted) callback(error, undefined);
    });
    return {
      cancel() {
        wanted = false;
      },
    };
  }
}

function closedError(): RserpoolError {
  return new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { detail: 'the operational scope is closed' });
}

/** A registrar ends the connection on which a longer one comes, and everything else on it would suffer. */
function handleError(poolHandle: PoolHandle): Error | undefined {
  const most = defaultWireLimits.maxPoolHandleLength;
  if (poolHandle.length <= most) return undefined;
  return invalidArgumentValue('poolHandle', poolHandleText(poolHandle), `must have ${most} bytes at most`);
}
