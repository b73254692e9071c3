/** Watching peers (RFC 5353 section 3.4.3): who was heard of when, who is asked, who is taken to be dead. */

import type { Clock } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import type { EnrpTimers } from './options.js';
import type { Peer, PeerStatus } from './peer.js';

export interface PeerWatchSurroundings {
  readonly clock: Clock;
  readonly timers: EnrpTimers;
  /** Sends the peer an ENRP_PRESENCE with "reply required", if there is a connection. */
  ask(peer: Peer): void;
  /** The peer gave no sign of life in MAX-TIME-NO-RESPONSE. */
  onDead(peer: Peer): void;
  /** A peer that was suspect or inactive was heard of. */
  onAlive(peer: Peer): void;
}

const statusChanged = diagnosticEvent<{ peer: string; from: PeerStatus; to: PeerStatus; reason: string }>(
  'enrp',
  'peer-status',
);

export class PeerWatch {
  readonly #around: PeerWatchSurroundings;

  constructor(around: PeerWatchSurroundings) {
    this.#around = around;
  }

  /** Begins to watch a peer that is new in the list. */
  start(peer: Peer): void {
    this.#arm(peer, this.#around.timers.maxTimeLastHeard, () => this.#check(peer));
  }

  /** A message of any type came from the peer. */
  heard(peer: Peer): void {
    peer.lastHeard = this.#around.clock.now();
    if (peer.status === 'active' || peer.status === 'gone') return;
    this.#become(peer, 'active', 'heard of');
    this.start(peer);
    this.#around.onAlive(peer);
  }

  /** There is reason to ask the peer at once: its connection broke, say. */
  suspect(peer: Peer, reason: string): void {
    if (peer.status !== 'active') return;
    this.#become(peer, 'suspect', reason);
    this.#arm(peer, this.#around.timers.maxTimeNoResponse, () => this.#around.onDead(peer));
    this.#around.ask(peer);
  }

  /** It is known that the peer is dead: no need to wait. */
  pronounceDead(peer: Peer, reason: string): void {
    if (peer.status !== 'active' && peer.status !== 'suspect') return;
    this.#become(peer, 'suspect', reason);
    peer.timer?.cancel();
    this.#around.onDead(peer);
  }

  /** It is being taken over and not watched meanwhile; by another server: at most for `expiry`. */
  deactivate(peer: Peer, expiry?: number): void {
    peer.timer?.cancel();
    this.#become(peer, 'inactive', 'takeover');
    if (expiry !== undefined) this.#arm(peer, expiry, () => this.#resume(peer));
  }

  /** It leaves the peer list. */
  stop(peer: Peer): void {
    peer.timer?.cancel();
    this.#become(peer, 'gone', 'left the peer list');
  }

  /** Looks again later, as if it had been heard of: it cannot be taken over now. */
  postpone(peer: Peer): void {
    this.#become(peer, 'active', 'postponed');
    this.start(peer);
  }

  /** Whether the peer has a connection and was heard of so lately that nobody can rightly take it to be dead. */
  looksAlive(peer: Peer): boolean {
    const { clock, timers } = this.#around;
    return peer.connected && clock.now() - peer.lastHeard < timers.maxTimeLastHeard;
  }

  #check(peer: Peer): void {
    const { clock, timers } = this.#around;
    const left = peer.lastHeard + timers.maxTimeLastHeard - clock.now();
    if (left > 0) this.#arm(peer, left, () => this.#check(peer));
    else this.suspect(peer, 'silent');
  }

  /** Whoever wanted to take it over did not: it is ours to watch again. */
  #resume(peer: Peer): void {
    this.#become(peer, 'active', 'the takeover was not completed');
    if (peer.connected) this.#check(peer);
    else this.suspect(peer, 'not connected');
  }

  #become(peer: Peer, status: PeerStatus, reason: string): void {
    if (peer.status === status) return;
    if (statusChanged.watched) {
      statusChanged.publish({ peer: formatIdentifier(peer.id), from: peer.status, to: status, reason });
    }
    peer.status = status;
  }

  #arm(peer: Peer, delay: number, run: () => void): void {
    peer.timer?.cancel();
    peer.timer = this.#around.clock.setTimeout(run, delay, 'background');
  }
}
