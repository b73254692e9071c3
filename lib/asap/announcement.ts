/** ASAP_SERVER_ANNOUNCE (RFC 5352 sections 2.2.10 and 3.6): where the registrar that sent one is reached. */

import type { TransportAddress } from '../transport/transport.js';
import { decodeAsap } from '../wire/asap.js';
import type { ServerAnnounce } from '../wire/messages.js';

/** Of ASAP (RFC 5352 section 8.2). */
const registeredPort = 3863;

/** The announcement in a datagram; undefined if it is something else. */
export function decodeAnnouncement(bytes: Uint8Array): ServerAnnounce | undefined {
  const decoded = decodeAsap(bytes);
  return decoded.type === 'message' && decoded.message.type === 'serverAnnounce' ? decoded.message : undefined;
}

/**
 * The addresses in an announcement, those of SCTP only with `sctp`; none if the datagram is no announcement. One that names no
 * transport is of a registrar that speaks SCTP at the sender's address: at the registered port by the RFC, at the port that the
 * datagram came from by the reference implementation. An unspecified address (0.0.0.0 or ::) is the sender's own.
 */
export function announcedAddresses(bytes: Uint8Array, from: TransportAddress, sctp: boolean): TransportAddress[] {
  const addresses: TransportAddress[] = [];
  const announcement = decodeAnnouncement(bytes);
  if (announcement === undefined) return [];
  if (announcement.transports.length === 0) {
    if (!sctp) return [];
    const ports = new Set([registeredPort, from.port]);
    return [...ports].map((port) => ({ host: from.host, port, protocol: 'sctp' }));
  }
  for (const transport of announcement.transports) {
    if (transport.type === 'sctp' && sctp && transport.port !== 0) {
      for (const host of transport.addresses) {
        const unspecified = host === '0.0.0.0' || host === '::';
        addresses.push({ host: unspecified ? from.host : host, port: transport.port, protocol: 'sctp' });
      }
    }
    if (transport.type !== 'tcp' || transport.port === 0) continue;
    const { address, port } = transport;
    const unspecified = address === '0.0.0.0' || address === '::';
    addresses.push({ host: unspecified ? from.host : address, port });
  }
  return addresses;
}
