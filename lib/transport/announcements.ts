/**
 * Announcements by multicast (RFC 5352 section 3.6; ENRP_PRESENCE likewise): where they go, and how many of them are
 * looked at. Nobody proves who sent one, so a flood must cost little (RFC 5352 section 9.2).
 */

import { isIP } from 'node:net';
import { checkInteger, checkObject, checkPort, checkString, invalidArgumentValue } from '../arguments.js';
import type { Clock } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import {
  formatAddress,
  type MulticastChannel,
  type MulticastGroup,
  type MulticastTransport,
  type TransportAddress,
} from './transport.js';

/** The group that IANA assigned to ASAP (RFC 5352 section 8.4). For IPv6: ff0X::133, such as ff05::133 for a site. */
export const announcementGroup = '224.0.1.185';

export interface AnnouncementOptions {
  /** The multicast group, IPv4 or IPv6. Default: 224.0.1.185, IANA's for ASAP (RFC 5352 section 8.4). */
  readonly group?: string;
  /** Default: 3863 for registrars and their users, 9901 among registrars. */
  readonly port?: number;
  /** The local interface: its IPv4 address, or '::%name' for an IPv6 group. Default: all to listen, the system's to send. */
  readonly interface?: string;
  /** How many networks it may cross: 1 stays on the local one. 0 to 255. Default: 1. */
  readonly ttl?: number;
}

/** Where announcements go by an option; undefined: there are none. Throws Node's argument errors. */
export function checkAnnouncements(path: string, given: unknown, port: number): MulticastGroup | undefined {
  if (given === undefined || given === false) return undefined;
  const options = given === true ? {} : (checkObject(path, given) as AnnouncementOptions);
  const host = options.group === undefined ? announcementGroup : checkString(`${path}.group`, options.group);
  if (!isMulticast(host)) throw invalidArgumentValue(`${path}.group`, host, 'must be a multicast address');
  return {
    host,
    port: options.port === undefined ? port : checkPort(`${path}.port`, options.port, false),
    ttl: options.ttl === undefined ? 1 : checkInteger(`${path}.ttl`, options.ttl, 0, 255),
    ...(options.interface === undefined ? {} : { interface: checkString(`${path}.interface`, options.interface) }),
  };
}

/** A server that listens at one IPv4 address announces itself on the network of that address, unless it is told otherwise. */
export function onInterfaceOf(host: string | undefined, group: MulticastGroup | undefined): MulticastGroup | undefined {
  const local = host ?? '127.0.0.1';
  if (group === undefined || group.interface !== undefined) return group;
  return isIP(local) === 4 && isIP(group.host) === 4 && local !== '0.0.0.0' ? { ...group, interface: local } : group;
}

function isMulticast(host: string): boolean {
  const family = isIP(host);
  if (family === 6) return /^ff/i.test(host);
  const first = Number(host.split('.', 1)[0]);
  return family === 4 && first >= 224 && first <= 239;
}

/** The longest datagram that is looked at: what fits an Ethernet frame. */
const maxDatagram = 1_500;
/** Datagrams that are looked at in a second. */
const maxDatagrams = 200;

const dropped = diagnosticEvent<{ group: string; from: string; reason: 'size' | 'rate' }>(
  'transport',
  'announcement-dropped',
);
const failed = diagnosticEvent<{ group: string; error: Error }>('transport', 'announcements-failed');

/** Takes part in a group; `onDatagram` gets no more than 200 datagrams a second, of 1,500 bytes at most. */
export function joinAnnouncements(
  transport: MulticastTransport,
  group: MulticastGroup,
  clock: Clock,
  onDatagram: (bytes: Uint8Array, from: TransportAddress) => void,
): MulticastChannel {
  let second = Number.NEGATIVE_INFINITY;
  let count = 0;
  const refusal = (bytes: Uint8Array): 'size' | 'rate' | undefined => {
    if (bytes.length > maxDatagram) return 'size';
    const now = clock.now();
    if (now - second >= 1_000) {
      second = now;
      count = 0;
    }
    return ++count > maxDatagrams ? 'rate' : undefined;
  };
  return transport.join(group, {
    onDatagram: (bytes, from) => {
      const reason = refusal(bytes);
      if (reason === undefined) onDatagram(bytes, from);
      else if (dropped.watched) dropped.publish({ group: formatAddress(group), from: formatAddress(from), reason });
    },
    // Everything works without multicast; who asked for it sees in the diagnostics that there is none.
    onError: (error) => failed.publish({ group: formatAddress(group), error }),
  });
}
