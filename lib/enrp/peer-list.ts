/** The peer list (RFC 5353 section 3.4), and announcements to all in it (section 3.1). */

import type { Clock } from '../clock.js';
import { encodeEnrp } from '../wire/enrp.js';
import type { EnrpMessage } from '../wire/messages.js';
import { Peer } from './peer.js';

export class PeerList {
  readonly #clock: Clock;
  readonly #maxPeers: number;
  readonly #peers = new Map<number, Peer>();

  constructor(clock: Clock, maxPeers: number) {
    this.#clock = clock;
    this.#maxPeers = maxPeers;
  }

  get size(): number {
    return this.#peers.size;
  }

  get(id: number): Peer | undefined {
    return this.#peers.get(id);
  }

  /** A copy, so that it may be changed meanwhile. */
  all(): Peer[] {
    return [...this.#peers.values()];
  }

  /** The peers that can be written to. */
  connected(): Peer[] {
    return this.all().filter((peer) => peer.connected);
  }

  /** Adds a peer, heard of now; undefined if the list is full. `configured` ones are let in all the same. */
  add(id: number, configured: boolean): Peer | undefined {
    if (this.#peers.size >= this.#maxPeers && !configured) return undefined;
    const peer = new Peer(id, this.#clock.now());
    this.#peers.set(id, peer);
    return peer;
  }

  delete(peer: Peer): void {
    if (this.#peers.get(peer.id) === peer) this.#peers.delete(peer.id);
  }

  /** Sends one copy to each peer that is connected; the message must have receiver 0. */
  announce(message: EnrpMessage): void {
    const connected = this.connected();
    if (connected.length === 0) return;
    const bytes = encodeEnrp(message);
    for (const { channel } of connected) channel?.sendEncoded(bytes, () => message);
  }
}
