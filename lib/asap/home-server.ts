/**
 * The home ENRP server of an endpoint (RFC 5352 sections 1.1, 3.6 and 3.7): at most one channel, found by the server
 * hunt when somebody needs it, replaced when it breaks, when another one is found after a time-out, or when a
 * registrar takes the endpoint over (section 3.4 KA2.4).
 */

import type { Clock } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import {
  type ByteStream,
  type ByteStreamHandler,
  formatAddress,
  type TransportAddress,
} from '../transport/transport.js';
import type { AsapMessage } from '../wire/messages.js';
import { type AsapChannel, type AsapChannelHandler, type AsapChannelLimits, openAsapChannel } from './asap-channel.js';
import { type HuntFailures, ServerHunt, type ServerHuntOptions } from './server-hunt.js';
import type { ServerList } from './server-list.js';

export interface HomeServerCallbacks {
  /** There is a new home: whatever was sent to the old one is to be sent again. */
  onHome(): void;
  /** The home server is gone, and its subscriptions with it. */
  onLost(): void;
  onMessage(message: AsapMessage, channel: AsapChannel): void;
  /** A round of the hunt found nobody. */
  onRoundFailed(failures: HuntFailures): void;
  /** A registrar is about to be looked for. */
  onNeeded(): void;
  /** Whether anybody needs a registrar at present: asked before a hunt goes on. */
  needed(): boolean;
}

/** none -> hunting -> connected -> (connectedHunting ->) ... -> closed */
export type HomeServerState = 'none' | 'hunting' | 'connected' | 'connectedHunting' | 'closed';

const homeFound = diagnosticEvent<{ server: string; how: 'hunt' | 'keepAlive' }>('asap', 'home-found');
const homeLost = diagnosticEvent<{ server: string; error: Error | undefined }>('asap', 'home-lost');

export class HomeServer {
  readonly #callbacks: HomeServerCallbacks;
  readonly #clock: Clock;
  readonly #limits: AsapChannelLimits;
  readonly #hunt: ServerHunt;
  readonly #servers: ServerList;
  /** Hosts at which a registrar was reached: those, and those that are known, may claim this endpoint by a keep-alive. */
  readonly #reachedHosts = new Set<string>();
  #state: HomeServerState = 'none';
  #channel: AsapChannel | undefined;
  #server: TransportAddress | undefined;
  #serverId: number | undefined;
  /** The home server has answered a request, or called us. */
  #answered = false;

  constructor(options: ServerHuntOptions & { readonly limits: AsapChannelLimits }, callbacks: HomeServerCallbacks) {
    this.#callbacks = callbacks;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#servers = options.servers;
    this.#hunt = new ServerHunt(options, {
      onFound: (stream, server) => this.#onFound(stream, server),
      onRoundFailed: (failures) => this.#onRoundFailed(failures),
    });
  }

  get state(): HomeServerState {
    return this.#state;
  }

  /** Where the home server is, as configured (or as it called us). */
  get address(): TransportAddress | undefined {
    return this.#channel === undefined ? undefined : this.#server;
  }

  /** The server identifier, once a keep-alive has told it. */
  get serverId(): number | undefined {
    return this.#channel === undefined ? undefined : this.#serverId;
  }

  /** What the last unsuccessful round of the hunt met with. */
  get failures(): HuntFailures {
    return this.#hunt.failures;
  }

  /** A registrar announced itself that was not known. */
  onServerAdded(): void {
    this.#hunt.onServerAdded();
  }

  /** Sends to the home server. False: there is none at present; a hunt is under way and `onHome` will tell. */
  send(message: AsapMessage): boolean {
    if (this.#channel?.send(message) === true) return true;
    this.need();
    return false;
  }

  /** Somebody needs a home server: starts the hunt if there is none. */
  need(): void {
    if (this.#state !== 'none') return;
    this.#state = 'hunting';
    this.#callbacks.onNeeded();
    this.#hunt.start(this.#server);
  }

  /** The home server leaves a request unanswered: looks for another one beside it (section 3.7.2). */
  seekAnother(): void {
    if (this.#state !== 'connected') {
      this.need();
      return;
    }
    if (this.#server !== undefined) this.#hunt.suspect(this.#server);
    this.#state = 'connectedHunting';
    this.#hunt.start(this.#server);
  }

  /** The home server answered a request. */
  trust(): void {
    this.#answered = true;
    if (this.#server !== undefined) this.#hunt.trust(this.#server);
    if (this.#state !== 'connectedHunting') return;
    this.#hunt.stop();
    this.#state = 'connected';
  }

  /** Remembers who the home server is, as its keep-alive says. */
  identify(channel: AsapChannel, serverId: number): void {
    if (channel === this.#channel) this.#serverId = serverId;
  }

  isHome(channel: AsapChannel): boolean {
    return channel === this.#channel;
  }

  /**
   * Adopts the registrar at the far end of an accepted channel (KA2.4). Refused, with false, unless it calls from a
   * host at which a registrar is known: anybody can connect to a service port.
   */
  adopt(channel: AsapChannel, serverId: number): boolean {
    if (this.#state === 'closed') return false;
    if (this.#channel !== undefined && (channel === this.#channel || this.#serverId === serverId)) return true;
    const host = plainHost(channel.remoteAddress.host);
    if (!this.#reachedHosts.has(host) && !this.#servers.hasHost(host)) return false;
    this.#hunt.stop();
    this.#become(channel, channel.remoteAddress, serverId, 'keepAlive');
    return true;
  }

  /** An accepted channel that was adopted closed, or the home channel did. */
  onChannelClosed(channel: AsapChannel, error: Error | undefined): void {
    if (channel !== this.#channel || this.#state === 'closed') return;
    if (homeLost.watched)
      homeLost.publish({ server: this.#server === undefined ? '' : formatAddress(this.#server), error });
    this.#channel = undefined;
    this.#serverId = undefined;
    this.#callbacks.onLost();
    if (this.#state === 'connectedHunting') {
      this.#state = 'hunting';
      return;
    }
    this.#state = 'none';
    if (!this.#callbacks.needed()) return;
    if (this.#answered || this.#server === undefined) {
      this.need();
      return;
    }
    this.#state = 'hunting';
    this.#hunt.startAfterRefusal(this.#server, error ?? endedUnanswered(this.#server));
  }

  /** Ends the channel after what was sent, and any hunt. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#hunt.stop();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #onFound(stream: ByteStream, server: TransportAddress): ByteStreamHandler {
    const handler: AsapChannelHandler = {
      onMessage: (message) => this.#callbacks.onMessage(message, channel),
      onClose: (error) => this.onChannelClosed(channel, error),
    };
    const { channel }: { channel: AsapChannel } = openAsapChannel(stream, handler, this.#clock, this.#limits);
    channel.unref();
    this.#reachedHosts.add(plainHost(stream.remoteAddress.host));
    this.#become(channel, server, undefined, 'hunt');
    // The opener wants the handler that the framing has set.
    return stream.handler;
  }

  #become(
    channel: AsapChannel,
    server: TransportAddress,
    serverId: number | undefined,
    how: 'hunt' | 'keepAlive',
  ): void {
    const old = this.#channel;
    this.#channel = channel;
    this.#server = server;
    this.#serverId = serverId;
    this.#answered = how === 'keepAlive';
    this.#state = 'connected';
    if (old !== undefined && old !== channel) {
      old.close();
      this.#callbacks.onLost();
    }
    if (homeFound.watched) homeFound.publish({ server: formatAddress(server), how });
    this.#callbacks.onHome();
  }

  #onRoundFailed(failures: HuntFailures): void {
    this.#callbacks.onRoundFailed(failures);
    if (this.#state === 'closed') return;
    if (!this.#hunt.running || this.#callbacks.needed()) return;
    this.#hunt.stop();
    this.#state = this.#channel === undefined ? 'none' : 'connected';
  }
}

function endedUnanswered(server: TransportAddress): RserpoolError {
  const detail = `${formatAddress(server)} accepted the connection and ended it without an answer`;
  return new RserpoolError('ERR_RSERPOOL_CONNECTION_BROKEN', { detail, origin: 'remote' });
}

/** An IPv4 address that a dual-stack socket shows as IPv6, as IPv4. */
export function plainHost(host: string): string {
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host;
}
