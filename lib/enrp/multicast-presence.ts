/**
 * ENRP_PRESENCE by multicast: how servers that are not configured find each other. It is a hint where to dial and no
 * more: a peer is who speaks on a connection.
 */

import type { Clock } from '../clock.js';
import { joinAnnouncements } from '../transport/announcements.js';
import type { MulticastChannel, MulticastGroup, MulticastTransport, TransportAddress } from '../transport/transport.js';
import { decodeEnrp, encodeEnrp } from '../wire/enrp.js';
import type { Presence } from '../wire/messages.js';
import { peerAddress } from './presence.js';

export interface MulticastPresenceOptions {
  readonly serverId: number;
  readonly clock: Clock;
  readonly transport: MulticastTransport;
  /** Whether servers that speak SCTP only can be reached. */
  readonly sctp: boolean;
  readonly group: MulticastGroup;
  /** A server announced itself, and where it accepts connections. Nobody proves it. */
  onServer(serverId: number, address: TransportAddress): void;
}

export class MulticastPresence {
  readonly #channel: MulticastChannel;

  constructor(options: MulticastPresenceOptions) {
    const { serverId, clock, transport, group, onServer } = options;
    this.#channel = joinAnnouncements(transport, group, clock, (bytes, from) => {
      const decoded = decodeEnrp(bytes);
      if (decoded.type !== 'message' || decoded.message.type !== 'presence') return;
      const { senderId, serverInformation } = decoded.message;
      if (senderId === 0 || senderId === serverId || serverInformation?.serverId !== senderId) return;
      const address = peerAddress(serverInformation, options.sctp, from);
      if (address !== undefined) onServer(senderId, address);
    });
  }

  send(presence: Presence): void {
    this.#channel.send(encodeEnrp(presence));
  }

  close(): void {
    this.#channel.close();
  }
}
