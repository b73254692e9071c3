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

/** The version of the SCTP mapping with our frames. */
const sctpMappingVersion = 1;

/**
 * What an element that speaks the SCTP mapping with our frames advertises: its SCTP transport, and for each address a UDP transport
 * with the port at which SCTP is spoken there (RFC 6951).
 */
export function sctpMappingOffer(
  addresses: readonly string[],
  port: number,
  udpPort: number | undefined,
): MappingOffer {
  return {
    mapping: mappingId.sctp,
    version: sctpMappingVersion,
    transports: [
      { type: 'sctp', port, use: 'dataPlusControl', addresses: [...addresses] },
      ...(udpPort === undefined ? [] : addresses.map((address) => ({ type: 'udp', address, port: udpPort }) as const)),
    ],
  };
}

/** Where the element speaks the SCTP mapping with our frames; empty if it does not. */
export function sctpMappingAddresses(element: PoolElement): TransportAddress[] {
  const offer = element.mappings?.find((one) => one.mapping === mappingId.sctp && one.version >= sctpMappingVersion);
  if (offer === undefined) return [];
  const udpPorts = new Map<string, number>();
  for (const transport of offer.transports) {
    if (transport.type === 'udp') udpPorts.set(transport.address, transport.port);
  }
  return offer.transports.flatMap((transport) =>
    transport.type === 'sctp' ? transport.addresses.map((host) => sctpAddress(host, transport.port, udpPorts)) : [],
  );
}

/** Where an element without a Mapping parameter takes sessions over SCTP, as the reference implementation's do. */
export function plainSctpAddresses({ userTransport, mappings }: PoolElement): TransportAddress[] {
  if (mappings !== undefined || userTransport.type !== 'sctp' || userTransport.use !== 'dataPlusControl') return [];
  return userTransport.addresses.map((host) => sctpAddress(host, userTransport.port, new Map()));
}

function sctpAddress(host: string, port: number, udpPorts: ReadonlyMap<string, number>): TransportAddress {
  const encapsulationPort = udpPorts.get(host);
  const address = { host, port, protocol: 'sctp' } as const;
  return encapsulationPort === undefined ? address : { ...address, encapsulationPort };
}
