/**
 * Which addresses an element may register (RFC 5352 section 2.2.1): those of its connection. An element that does not
 * know its address leaves it unspecified (0.0.0.0 or ::), and the connection's is put in. This also keeps a
 * registration from making us or users dial strangers.
 */

import { plainHost } from '../asap/home-server.js';
import type { TransportAddress } from '../transport/transport.js';
import type { MappingOffer, PoolElement, Transport } from '../wire/parameters.js';
import { createPoolElement } from '../wire/pool-element.js';

/** The IP address of a connection as registrations write it: IPv4 not as IPv6, and without a zone. */
export function connectionHost(remote: TransportAddress): string {
  const host = plainHost(remote.host);
  const zone = host.indexOf('%');
  return zone === -1 ? host : host.slice(0, zone);
}

/**
 * What stands for one machine where machines are counted: an IPv4 address, or the /64 of an IPv6 address, since that is
 * what one is given to choose its addresses from (RFC 4291 section 2.5.4). Link-local addresses share theirs, and count
 * one by one.
 */
export function machineOf(host: string): string {
  if (!host.includes(':') || /^fe[89ab]/i.test(host)) return host;
  const [head = '', tail] = host.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Whether the far side runs on this machine. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** All IP addresses that users or registrars would connect to. */
export function elementAddresses(element: PoolElement): string[] {
  const transports = [element.userTransport, ...(element.mappings ?? []).flatMap((offer) => offer.transports)];
  if (element.asapTransport !== undefined) transports.push(element.asapTransport);
  return transports.flatMap(addressesOf);
}

function addressesOf(transport: Transport): readonly string[] {
  switch (transport.type) {
    case 'sctp':
      return transport.addresses;
    case 'opaque':
      return [];
    default:
      return [transport.address];
  }
}

function completeTransport(transport: Transport, host: string): Transport {
  switch (transport.type) {
    case 'sctp':
      if (!transport.addresses.some(isUnspecified)) return transport;
      return { ...transport, addresses: [...new Set(transport.addresses.map((a) => (isUnspecified(a) ? host : a)))] };
    case 'opaque':
      return transport;
    default:
      return isUnspecified(transport.address) ? { ...transport, address: host } : transport;
  }
}

function completeOffer(offer: MappingOffer, host: string): MappingOffer {
  return { ...offer, transports: offer.transports.map((transport) => completeTransport(transport, host)) };
}

/**
 * The element as it is stored: unspecified addresses filled in, the connection's address as its ASAP transport where it
 * named none, and its home (RFC 5352 section 3.1 rule 4). `host` as `connectionHost` gives it.
 */
export function completeElement(
  element: PoolElement,
  homeServerId: number,
  host: string,
  remote: TransportAddress,
): PoolElement {
  const { identifier, registrationLife, extensions, policy, mappings } = element;
  const userTransport = completeTransport(element.userTransport, host);
  const named = element.asapTransport;
  const asapTransport: Transport =
    named === undefined ? connectionTransport(host, remote) : completeTransport(named, host);
  return createPoolElement({
    identifier,
    homeServerId,
    registrationLife,
    userTransport,
    mappings: mappings?.map((offer) => completeOffer(offer, host)),
    extensions,
    policy,
    asapTransport,
  });
}

function connectionTransport(host: string, { port, protocol }: TransportAddress): Transport {
  return protocol === undefined
    ? { type: 'tcp', port, address: host }
    : { type: 'sctp', port, use: 'dataOnly', addresses: [host] };
}

/** Whether a completed element names an address other than its connection's. */
export function hasForeignAddress(element: PoolElement, hosts: readonly string[]): boolean {
  return elementAddresses(element).some((address) => !hosts.includes(address));
}
