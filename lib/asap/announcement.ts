/** ASAP_SERVER_ANNOUNCE (RFC 5352 sections 2.2.10 and 3.6): where the registrar that sent one is reached. */

import type { TransportAddress } from '../transport/transport.js';
import { decodeAsap } from '../wire/asap.js';
import type { ServerAnnounce } from '../wire/messages.js';

/** The announcement in a datagram; undefined if it is something else. */
export function decodeAnnouncement(bytes: Uint8Array): ServerAnnounce | undefined {
  const decoded = decodeAsap(bytes);
  return decoded.type === 'message' && decoded.message.type === 'serverAnnounce' ? decoded.message : undefined;
}

/**
 * The TCP addresses in an announcement; none if the datagram is no announcement, or of a registrar that speaks SCTP
 * only (which is what naming no transport means). An unspecified address (0.0.0.0 or ::) is the sender's own.
 */
export function announcedAddresses(bytes: Uint8Array, from: TransportAddress): TransportAddress[] {
  const addresses: TransportAddress[] = [];
  for (const transport of decodeAnnouncement(bytes)?.transports ?? []) {
    if (transport.type !== 'tcp' || transport.port === 0) continue;
    const { address, port } = transport;
    const unspecified = address === '0.0.0.0' || address === '::';
    addresses.push({ host: unspecified ? from.host : address, port });
  }
  return addresses;
}
