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
  /** The connection that it goes over; undefined: by multicast. */
  readonly channel?: EnrpChannel;
}

/** An ENRP_PRESENCE; always with checksum and Server Information, since the reference implementation demands both. */
export function presence(facts: PresenceFacts): Presence {
  const { serverId, receiverId, replyRequired, checksum } = facts;
  const port = facts.settings.advertise.port ?? facts.port;
  const transport = { type: 'tcp', port, address: ownAddress(facts) } as const;
  return {
    type: 'presence',
    senderId: serverId,
    receiverId,
    replyRequired,
    peChecksum: checksum,
    serverInformation: { serverId, transport },
  };
}

/** Where the far side reaches us: as advertised, where we listen, or the address that this connection has. */
function ownAddress({ settings, channel }: PresenceFacts): string {
  const { advertise, host } = settings;
  if (advertise.host !== undefined) return advertise.host;
  if (isIP(host) !== 0 && !isUnspecified(host)) return host;
  // Who hears it by multicast sees where it comes from.
  return channel === undefined ? '0.0.0.0' : plainAddress(channel.localAddress.host);
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
 * The address to dial for a server; undefined if it speaks SCTP only. One that does not know its address is reached
 * where it connects from, if that is known.
 */
export function peerAddress(information: ServerInformation, from?: TransportAddress): TransportAddress | undefined {
  const { transport } = information;
  if (transport.type !== 'tcp' || transport.port === 0) return undefined;
  if (!isUnspecified(transport.address)) return { host: transport.address, port: transport.port };
  return from && { host: plainAddress(from.host), port: transport.port };
}

/** The answer to an ENRP_LIST_REQUEST: all peers but the one that asks; without `peers` a refusal. */
export function serverList(serverId: number, to: Peer, peers: readonly Peer[] | undefined): ListResponse {
  const servers: ServerInformation[] = [];
  for (const { id, status, address } of peers ?? []) {
    if (id === to.id || status === 'inactive' || address === undefined || isIP(address.host) === 0) continue;
    servers.push({ serverId: id, transport: { type: 'tcp', port: address.port, address: address.host } });
  }
  return { type: 'listResponse', senderId: serverId, receiverId: to.id, rejected: peers === undefined, servers };
}
