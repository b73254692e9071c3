/**
 * Taking over a failed peer (RFC 5353 section 3.5): one of the servers that notice its failure becomes the home server
 * of all its elements.
 */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { formatIdentifier } from '../errors.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { Handlespace } from '../handlespace/handlespace.js';
import type { InitTakeover, InitTakeoverAck, TakeoverServer } from '../wire/messages.js';
import type { ElementHooks } from './element-hooks.js';
import type { Arbitration, EnrpTimers } from './options.js';
import type { Peer } from './peer.js';
import type { PeerList } from './peer-list.js';
import type { PeerWatch } from './peer-watch.js';

export interface TakeoversSurroundings {
  readonly serverId: number;
  readonly clock: Clock;
  readonly timers: EnrpTimers;
  readonly arbitration: Arbitration;
  readonly handlespace: Handlespace;
  readonly peers: PeerList;
  readonly watch: PeerWatch;
  readonly elements: ElementHooks;
  /** We live: all peers are to hear it at once (ENRP_PRESENCE). */
  announcePresence(): void;
  /** Asks a peer for a sign of life (ENRP_PRESENCE with "reply required"). */
  ask(peer: Peer): void;
  /** Takes a peer off the list and closes its connection. */
  drop(peer: Peer): void;
}

/** A takeover of ours, in arbitration. */
interface Attempt {
  readonly target: Peer;
  /** The peers whose acknowledgement is missing. */
  readonly awaited: Set<number>;
  timer: Timer | undefined;
}

const begun = diagnosticEvent<{ target: string; awaited: number }>('enrp', 'takeover-begun');
const stopped = diagnosticEvent<{ target: string; reason: string }>('enrp', 'takeover-stopped');
const completed = diagnosticEvent<{ target: string; by: string; elements: number }>('enrp', 'takeover-completed');

export class Takeovers {
  readonly #around: TakeoversSurroundings;
  readonly #attempts = new Map<number, Attempt>();

  constructor(around: TakeoversSurroundings) {
    this.#around = around;
  }

  /** Takeovers of ours that are in arbitration. */
  get size(): number {
    return this.#attempts.size;
  }

  /** A peer is dead (section 3.5.1). */
  begin(target: Peer): void {
    const { clock, timers, handlespace, peers, watch, serverId, drop } = this.#around;
    if (this.#attempts.has(target.id)) return;
    if (handlespace.owned(target.id).size === 0) {
      // There is nothing to inherit, so nothing to agree about.
      drop(target);
      this.onGone(target.id);
      return;
    }
    watch.deactivate(target);
    const others = peers.all().filter((peer) => peer !== target && peer.status !== 'inactive');
    const attempt: Attempt = { target, awaited: new Set(others.map((peer) => peer.id)), timer: undefined };
    this.#attempts.set(target.id, attempt);
    if (begun.watched) begun.publish({ target: formatIdentifier(target.id), awaited: attempt.awaited.size });
    // To the target as well: if it lives it objects.
    peers.announce({ type: 'initTakeover', senderId: serverId, receiverId: 0, targetId: target.id });
    // Who has not answered by then is dead itself, or cut off from us: the rest must not wait for it for ever.
    attempt.timer = clock.setTimeout(() => this.#complete(attempt), timers.maxTimeNoResponse, 'background');
    this.#completeIfAcknowledged(attempt);
    this.onGone(target.id);
  }

  onInit(from: Peer, { targetId }: InitTakeover): void {
    const { serverId, peers, watch, timers } = this.#around;
    if (targetId === serverId) {
      this.#around.announcePresence();
      return;
    }
    // A server does not take itself over.
    if (targetId === from.id) return;
    const own = this.#attempts.get(targetId);
    if (own !== undefined && !this.#yieldsTo(from.id)) return;
    if (own !== undefined) this.#stop(own, `${formatIdentifier(from.id)} takes it over`);
    const target = peers.get(targetId);
    if (target !== undefined) {
      const doubtful = watch.looksAlive(target);
      watch.deactivate(target, timers.takeoverExpiry);
      // We heard of it just now: if it is alive, its answer makes it active again.
      if (doubtful) this.#around.ask(target);
    }
    from.channel?.send({ type: 'initTakeoverAck', senderId: serverId, receiverId: from.id, targetId });
  }

  onAck(from: Peer, { targetId }: InitTakeoverAck): void {
    const attempt = this.#attempts.get(targetId);
    if (attempt === undefined) return;
    attempt.awaited.delete(from.id);
    this.#completeIfAcknowledged(attempt);
  }

  /** Another server has won (section 3.5.2). */
  onTakeoverServer(from: Peer, { targetId }: TakeoverServer): void {
    const { serverId, peers, watch, handlespace, clock, drop } = this.#around;
    if (targetId === serverId) {
      this.#around.announcePresence();
      return;
    }
    if (targetId === from.id) return;
    const target = peers.get(targetId);
    if (target !== undefined && watch.looksAlive(target)) {
      // The audit will tell whose elements they are; nobody takes a server from us that we are talking to.
      if (stopped.watched) stopped.publish({ target: formatIdentifier(targetId), reason: 'we hear of the target' });
      return;
    }
    const own = this.#attempts.get(targetId);
    if (own !== undefined) this.#stop(own, `${formatIdentifier(from.id)} took it over`);
    if (target !== undefined) drop(target);
    const entries = handlespace.takeOver(targetId, from.id, { now: clock.now(), expires: false });
    this.onGone(targetId);
    this.#tell(targetId, from.id, entries);
  }

  /** The target of a takeover was heard of: it lives. */
  onAlive(peer: Peer): void {
    const attempt = this.#attempts.get(peer.id);
    if (attempt !== undefined) this.#stop(attempt, 'the target lives');
  }

  /** A peer is not one of those any more whose acknowledgement counts. */
  onGone(peerId: number): void {
    for (const attempt of [...this.#attempts.values()]) {
      if (attempt.awaited.delete(peerId)) this.#completeIfAcknowledged(attempt);
    }
  }

  /** A peer that was cut off is back: it may not have heard of what is in arbitration. */
  onConnected(peer: Peer): void {
    const { serverId } = this.#around;
    for (const { target, awaited } of this.#attempts.values()) {
      if (!awaited.has(peer.id)) continue;
      peer.channel?.send({ type: 'initTakeover', senderId: serverId, receiverId: peer.id, targetId: target.id });
    }
  }

  close(): void {
    for (const { timer } of this.#attempts.values()) timer?.cancel();
    this.#attempts.clear();
  }

  #yieldsTo(otherId: number): boolean {
    const { serverId, arbitration } = this.#around;
    return arbitration === 'rfc' ? serverId < otherId : serverId > otherId;
  }

  #stop(attempt: Attempt, reason: string): void {
    attempt.timer?.cancel();
    this.#attempts.delete(attempt.target.id);
    if (stopped.watched) stopped.publish({ target: formatIdentifier(attempt.target.id), reason });
  }

  #completeIfAcknowledged(attempt: Attempt): void {
    if (attempt.awaited.size === 0 && this.#attempts.get(attempt.target.id) === attempt) this.#complete(attempt);
  }

  #complete({ target, timer }: Attempt): void {
    const { serverId, handlespace, peers, elements, clock, drop } = this.#around;
    timer?.cancel();
    this.#attempts.delete(target.id);
    drop(target);
    peers.announce({ type: 'takeoverServer', senderId: serverId, receiverId: 0, targetId: target.id });
    const entries = handlespace.takeOver(target.id, serverId, { now: clock.now() });
    this.#tell(target.id, serverId, entries);
    elements.claim(entries);
  }

  #tell(targetId: number, by: number, entries: readonly HandlespaceEntry[]): void {
    if (!completed.watched) return;
    completed.publish({ target: formatIdentifier(targetId), by: formatIdentifier(by), elements: entries.length });
  }
}
