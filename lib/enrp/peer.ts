/** One peer server as the peer list knows it (RFC 5353 section 3.4). */

import type { Timer } from '../clock.js';
import type { TransportAddress } from '../transport/transport.js';
import type { EnrpChannel } from './enrp-channel.js';

/**
 * active: heard of lately, and watched. suspect: silent or cut off, it has been asked and MAX-TIME-NO-RESPONSE runs.
 * inactive: being taken over, by us or by another server; not watched (section 3.5.1). gone: not in the list any more.
 *
 *    active --silence, connection broken--> suspect --no response--> inactive --taken over--> gone
 *       ^                                      |                        |
 *       +-------------- any message from it ---+------------------------+
 *
 * Only PeerWatch changes it.
 */
export type PeerStatus = 'active' | 'suspect' | 'inactive' | 'gone';

export class Peer {
  /** Its server identifier. */
  readonly id: number;
  status: PeerStatus = 'active';
  /** peer_last_heard, in milliseconds of our clock. */
  lastHeard: number;
  /** The connection that survives of those between us. */
  channel: EnrpChannel | undefined;
  /** Where it accepts connections, as far as we know. */
  address: TransportAddress | undefined;
  /** What the status waits for. */
  timer: Timer | undefined;
  /** Updates may have been missed since its handlespace was downloaded last: the checksum does not cover attributes. */
  resyncDue = true;
  /** Audits since its checksum was right last. */
  fruitlessAudits = 0;
  /** No audit before this instant. */
  auditNotBefore = 0;

  constructor(id: number, now: number) {
    this.id = id;
    this.lastHeard = now;
  }

  /** Whether messages can be sent to it at present. */
  get connected(): boolean {
    return this.channel?.open === true;
  }
}
