/** ENRP_PRESENCE and ENRP_LIST_RESPONSE: who servers are, and where they are reached (RFC 5353 sections 2.1 and 2.6). */

import { isIP } from 'node:net';
import type { TransportAddress } from '../transport/transport.js';
import type { ListResponse, Presence } from '../wire/messages.js';
import type { ServerInformation } from '../wire/parameters.js';
import type { EnrpChannel } from './enrp-channel.js';
import type { EnrpSettings } from './options.js';
import type { Peer } from './peer.js';

export interface PresenceFacts {
  readonly serverId: number;
  /** 0: to none in particular. */
  readonly receiverId: number;
  readonly replyRequired: boolean;
  /** Our own PE checksum. */
  readonly checksum: number;
  readonly settings: EnrpSettings;
  /** The port that we listen on. */
  readonly port: number;
  /** The SCTP port that we listen on, if any. */
  readonly sctpPort?: number | undefined;
  /** The connection that it goes over; undefined: by multicast. */
  readonly channel?: EnrpChannel;
}

/** An ENRP_PRESENCE; always with checksum and Server Information, since the reference implementation demands both. */
export function presence(facts: PresenceFacts): Presence {
  const { serverId, receiverId, replyRequired, checksum } = facts;
  const port = facts.settings.advertise.port ?? facts.port;
  const transport = ownTransport(facts, port);
  return {
    type: 'presence',
    senderId: serverId,
    receiverId,
    replyRequired,
    peChecksum: checksum,
    serverInformation: { serverId, transport },
  };
}

/** On an association our SCTP port (the reference implementation knows no other), else our TCP port. */
function ownTransport(facts: PresenceFacts, port: number): ServerInformation['transport'] {
  const address = ownAddress(facts);
  if (facts.channel?.localAddress.protocol !== 'sctp') return { type: 'tcp', port, address };
  return { type: 'sctp', port: facts.sctpPort ?? facts.settings.sctpPort, use: 'dataOnly', addresses: [address] };
}

/** Where the far side reaches us: as advertised, where we listen, or the address that this connection has. */
function ownAddress({ settings, channel }: PresenceFacts): string {
  const { advertise, host } = settings;
  if (advertise.host !== undefined) return advertise.host;
  if (isIP(host) !== 0 && !isUnspecified(host)) return host;
  // Who hears it by multicast sees where it comes from.
  return channel === undefined ? '0.0.0.0' : plainAddress(channel.localAddress.host);
}

/** Of one machine or one network only. */
function isLocal(host: string): boolean {
  return host === '::1' || host.startsWith('127.') || host.startsWith('fe80:') || host.startsWith('169.254.');
}

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** An IPv4 address that a dual-stack socket shows as IPv6, as IPv4; and without a zone. */
function plainAddress(host: string): string {
  const zone = host.indexOf('%');
  const address = zone === -1 ? host : host.slice(0, zone);
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * The address to dial for a server; undefined if it speaks SCTP and we do not (`sctp`). One that does not know its address is reached
 * where it connects from, if that is known.
 */
export function peerAddress(
  information: ServerInformation,
  sctp: boolean,
  from?: TransportAddress,
): TransportAddress | undefined {
  const { transport } = information;
  if (transport.type === 'sctp') {
    const { addresses } = transport;
    const known = from === undefined ? undefined : addresses.find((address) => address === plainAddress(from.host));
    // Of the others, any that may be reached from elsewhere.
    const host = known ?? addresses.find((address) => !isUnspecified(address) && !isLocal(address));
    if (!sctp || transport.port === 0 || host === undefined) return undefined;
    return { host, port: transport.port, protocol: 'sctp' };
  }
  if (transport.type !== 'tcp' || transport.port === 0) return undefined;
  if (!isUnspecified(transport.address)) return { host: transport.address, port: transport.port };
  return from && { host: plainAddress(from.host), port: transport.port };
}

function transportOf({ host, port, protocol }: TransportAddress): ServerInformation['transport'] {
  if (protocol === undefined) return { type: 'tcp', port, address: host };
  return { type: 'sctp', port, use: 'dataOnly', addresses: [host] };
}

/** The answer to an ENRP_LIST_REQUEST: all peers but the one that asks; without `peers` a refusal. */
export function serverList(serverId: number, to: Peer, peers: readonly Peer[] | undefined): ListResponse {
  const servers: ServerInformation[] = [];
  for (const { id, status, address } of peers ?? []) {
    if (id === to.id || status === 'inactive' || address === undefined || isIP(address.host) === 0) continue;
    servers.push({ serverId: id, transport: transportOf(address) });
  }
  return { type: 'listResponse', senderId: serverId, receiverId: to.id, rejected: peers === undefined, servers };
}
