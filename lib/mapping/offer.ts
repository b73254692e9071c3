/** Which mappings an element offers and where (docs/mappings.md, "What an element advertises"). */

import type { TransportAddress } from '../transport/transport.js';
import type { MappingOffer, PoolElement, Transport } from '../wire/parameters.js';
import { mappingId } from './mapping.js';
import { mappingVersion } from './tcp/opening.js';

function tcpAddresses(transports: readonly Transport[]): TransportAddress[] {
  const addresses: TransportAddress[] = [];
  for (const transport of transports) {
    if (transport.type === 'tcp') addresses.push({ host: transport.address, port: transport.port });
  }
  return addresses;
}

/**
 * Where the element speaks the TCP mapping; empty if it does not. An element without a Mapping parameter and with a
 * TCP transport offers none; `insist` takes its word for the opposite.
 */
export function tcpMappingAddresses(element: PoolElement, insist: boolean): TransportAddress[] {
  const offer = element.mappings?.find((one) => one.mapping === mappingId.tcp && one.version >= mappingVersion.oldest);
  if (offer !== undefined) return tcpAddresses(offer.transports);
  return insist ? tcpAddresses([element.userTransport]) : [];
}

/** What an element that speaks the TCP mapping on these addresses advertises. */
export function tcpMappingOffer(addresses: readonly TransportAddress[]): MappingOffer {
  return {
    mapping: mappingId.tcp,
    version: mappingVersion.newest,
    transports: addresses.map(({ host, port }) => ({ type: 'tcp', address: host, port })),
  };
}
