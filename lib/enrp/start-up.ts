/**
 * How a server starts (RFC 5353 section 3.2): it finds a mentor among the peers that it knows, gets the peer list and
 * the handlespace of it, and is ready. The first peer that answers is the mentor, the others are its backups.
 */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import type { HandleTableResponse, ListResponse } from '../wire/messages.js';
import type { PoolElement, PoolHandle, ServerInformation } from '../wire/parameters.js';
import type { EnrpChannel } from './enrp-channel.js';
import type { EnrpTimers } from './options.js';
import type { Peer } from './peer.js';
import type { PeerList } from './peer-list.js';
import { TableDownload } from './table-download.js';

/**
 * seeking: no mentor at present. awaitingList: a mentor was asked for the peer list. downloading: for its handlespace.
 *
 *    seeking --> awaitingList --> downloading --> ready
 *       ^             |                |            ^
 *       +-- refused, no answer, lost --+            |
 *       +-- nobody within discoveryTime ------------+
 */
export type StartUpState = 'seeking' | 'awaitingList' | 'downloading' | 'ready';

export interface StartUpSurroundings {
  readonly serverId: number;
  readonly clock: Clock;
  readonly timers: EnrpTimers;
  /** Elements that a handlespace may hold. */
  readonly maxElements: number;
  readonly peers: PeerList;
  onServer(server: ServerInformation): void;
  onElement(mentor: Peer, poolHandle: PoolHandle, element: PoolElement): void;
  /** Initialised; `mentor` is undefined if there was none. Exactly once. */
  onReady(mentor: Peer | undefined): void;
}

const changed = diagnosticEvent<{ from: StartUpState; to: StartUpState; mentor: string | undefined; reason: string }>(
  'enrp',
  'start-up',
);

export class StartUp {
  readonly #around: StartUpSurroundings;
  #state: StartUpState = 'seeking';
  #mentor: Peer | undefined;
  #channel: EnrpChannel | undefined;
  #download: TableDownload | undefined;
  /** Those that refused or failed, not to be asked again before `mentorRetryInterval`. */
  readonly #refused = new Set<number>();
  /** While a mentor is asked: until it failed. */
  #timer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #discoveryTimer: Timer | undefined;
  #discoveryOver = false;

  constructor(around: StartUpSurroundings) {
    this.#around = around;
  }

  get state(): StartUpState {
    return this.#state;
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** `alone`: no peer is configured, so there is nobody to wait for (section 3.2.2.1). */
  start(alone: boolean): void {
    if (alone) {
      this.#finish('no peer is configured');
      return;
    }
    const { clock, timers } = this.#around;
    this.#discoveryTimer = clock.setTimeout(() => this.#onDiscoveryOver(), timers.discoveryTime, 'background');
  }

  /** A peer can be asked. */
  onPeer(): void {
    if (this.#state !== 'seeking') return;
    const mentor = this.#around.peers.connected().find((peer) => !this.#refused.has(peer.id));
    if (mentor !== undefined) this.#ask(mentor);
    else if (this.#refused.size > 0) this.#retryLater();
  }

  onListResponse(channel: EnrpChannel, { rejected, servers }: ListResponse): void {
    if (this.#state !== 'awaitingList' || channel !== this.#channel) return;
    if (rejected) {
      this.#giveUp('the mentor refuses the peer list');
      return;
    }
    this.#timer?.cancel();
    for (const server of servers) this.#around.onServer(server);
    this.#become('downloading', `${servers.length} servers listed`);
    const { clock, serverId, timers, maxElements, onElement } = this.#around;
    const mentor = this.#mentor as Peer;
    this.#download = new TableDownload({
      clock,
      channel,
      serverId,
      peerId: mentor.id,
      ownChildrenOnly: false,
      timeout: timers.maxTimeNoResponse,
      maxTime: timers.maxDownloadTime,
      maxElements,
      onElement: (poolHandle, element) => onElement(mentor, poolHandle, element),
      onDone: () => this.#finish('the handlespace is downloaded'),
      onFailed: (failure) => this.#giveUp(`handle table: ${failure}`, failure === 'closed' ? 'askAgain' : 'refused'),
    });
  }

  onTableResponse(channel: EnrpChannel, response: HandleTableResponse): void {
    if (channel === this.#channel) this.#download?.onResponse(response);
  }

  onChannelClosed(channel: EnrpChannel): void {
    if (channel === this.#channel && this.#state !== 'ready') this.#giveUp('the connection closed', 'askAgain');
  }

  close(): void {
    for (const timer of [this.#timer, this.#retryTimer, this.#discoveryTimer]) timer?.cancel();
    this.#download?.cancel();
  }

  #ask(mentor: Peer): void {
    const { clock, timers, serverId } = this.#around;
    this.#mentor = mentor;
    this.#channel = mentor.channel;
    this.#become('awaitingList', 'a mentor was found');
    this.#timer = clock.setTimeout(() => this.#giveUp('no answer'), timers.maxTimeNoResponse, 'background');
    mentor.channel?.send({ type: 'listRequest', senderId: serverId, receiverId: mentor.id });
  }

  /** Turns to a backup mentor, or to the same one after a while. */
  #giveUp(reason: string, mentor: 'askAgain' | 'refused' = 'refused'): void {
    this.#timer?.cancel();
    this.#download?.cancel();
    this.#download = undefined;
    if (this.#mentor !== undefined && mentor === 'refused') this.#refused.add(this.#mentor.id);
    this.#become('seeking', reason);
    this.#mentor = undefined;
    this.#channel = undefined;
    if (this.#discoveryOver) this.#finish('nobody helps');
    else this.onPeer();
  }

  #retryLater(): void {
    if (this.#retryTimer !== undefined) return;
    const { clock, timers } = this.#around;
    const retry = (): void => {
      this.#retryTimer = undefined;
      this.#refused.clear();
      this.onPeer();
    };
    this.#retryTimer = clock.setTimeout(retry, timers.mentorRetryInterval, 'background');
  }

  #onDiscoveryOver(): void {
    this.#discoveryOver = true;
    // A download under way goes on as long as it makes progress.
    if (this.#state === 'seeking') this.#finish('nobody answers');
  }

  #finish(reason: string): void {
    const mentor = this.#mentor;
    this.close();
    this.#become('ready', reason);
    this.#around.onReady(mentor);
  }

  #become(state: StartUpState, reason: string): void {
    if (changed.watched) {
      const mentor = this.#mentor === undefined ? undefined : formatIdentifier(this.#mentor.id);
      changed.publish({ from: this.#state, to: state, mentor, reason });
    }
    this.#state = state;
  }
}
