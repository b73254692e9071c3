/** Options of the ENRP side of a registrar, with their defaults; times in milliseconds. */

import {
  checkBoolean,
  checkInteger,
  checkMilliseconds,
  checkObject,
  checkPort,
  checkString,
  invalidArgumentType,
} from '../arguments.js';
import { checkProtocol, cutProtocol } from '../transport/address-text.js';
import { type AnnouncementOptions, checkAnnouncements, onInterfaceOf } from '../transport/announcements.js';
import type { MulticastGroup, TransportAddress } from '../transport/transport.js';

/** The IANA port of ENRP (RFC 5353 section 5.3). */
export const enrpPort = 9901;

export interface EnrpTimers {
  /** PEER-HEARTBEAT-CYCLE: between two announcements of presence. Default: 30,000. */
  readonly heartbeatCycle: number;
  /** MAX-TIME-LAST-HEARD: silence after which a peer is asked. Default: heartbeatCycle x 61/30, so 61,000. */
  readonly maxTimeLastHeard: number;
  /** MAX-TIME-NO-RESPONSE: for an answer of a peer, connecting included. Default: heartbeatCycle / 2, at most 5,000. */
  readonly maxTimeNoResponse: number;
  /** How long a starting server looks for a mentor before it takes itself to be alone. Default: 5,000. */
  readonly discoveryTime: number;
  /** "A few seconds" after every mentor refused (sections 3.2.2.2 and 3.2.3). Default: 1,000. */
  readonly mentorRetryInterval: number;
  /** For a whole handle table, however lively its parts come. Default: 60 x maxTimeNoResponse, so 300,000. */
  readonly maxDownloadTime: number;
  /** How long another server's takeover may take before its target is watched again. Default: 2 x maxTimeNoResponse. */
  readonly takeoverExpiry: number;
  /** The first wait before a peer is dialled again; doubles to `maxRedialDelay`. Default: 100. */
  readonly redialDelay: number;
  /** Default: heartbeatCycle. */
  readonly maxRedialDelay: number;
  /** How long the address of a lost peer that nobody configured is dialled: a partition may heal. Default: 3,600,000. */
  readonly rememberTime: number;
  /** How long the far side of a connection has to end its direction after we ended ours. Default: 1,000. */
  readonly closeTimeout: number;
}

export interface EnrpLimits {
  /** Peers in the peer list; further ones are refused unless they are configured. Default: 64. */
  readonly maxPeers: number;
  /** Open ENRP connections; one too many is reset. Default: 256. */
  readonly maxChannels: number;
  /** Bytes of one message. Default: 65,538, the most that can be. */
  readonly maxMessageSize: number;
  /** Bytes that may wait for a peer that does not read; more ends the connection. Default: 8 MiB. */
  readonly maxBacklog: number;
  /** Handle tables that are sent at a time; further requests are rejected (R flag). Default: 8. */
  readonly maxTableSessions: number;
  /** Bytes of one part of a handle table, unless a single element is larger. Default: 16,384. */
  readonly maxTableResponseSize: number;
  /** Elements that one peer may own, and that one of its tables may list. Default: 250,000. */
  readonly maxElementsPerPeer: number;
  /**
   * Bytes of an element that a peer tells of, from 256 to 60,000: it is kept, and told of again in other messages. Not less than
   * peers register. Default: 2,048.
   */
  readonly maxElementSize: number;
  /** Audits of a peer without its checksum becoming right before they are made less often. Default: 3. */
  readonly maxFruitlessAudits: number;
}

const defaultLimits: EnrpLimits = {
  maxPeers: 64,
  maxChannels: 256,
  maxMessageSize: 65_538,
  maxBacklog: 8 * 1024 * 1024,
  maxTableSessions: 8,
  maxTableResponseSize: 16_384,
  maxElementsPerPeer: 250_000,
  maxElementSize: 2_048,
  maxFruitlessAudits: 3,
};

/** Which of two servers that take over the same one goes on. */
export type Arbitration =
  /** RFC 5353 section 3.5.1: the one with the larger identifier. */
  | 'rfc'
  /** As the reference implementation does: the one with the smaller identifier. */
  | 'lowerIdWins';

export interface EnrpOptions {
  /** Where to listen for peers. Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 9901; 0 takes any free one. */
  readonly port?: number;
  /** Where peers reach this server, if that is not where it listens. An IP address. */
  readonly advertise?: { readonly host?: string; readonly port?: number };
  /** Peers that are known: 'host', 'host:port', '[ipv6]:port', with 'sctp:' before it for SCTP, or an object. The port is 9901 unless it is given. */
  readonly peers?: readonly (string | (Partial<TransportAddress> & { readonly host: string }))[];
  /** With SCTP (the registrar's option), the SCTP port for peers. Default: 9901; 0 takes any free one. */
  readonly sctpPort?: number;
  /**
   * Whether this server announces itself to others by multicast, and dials those that do. Default: as the registrar's
   * own `announce`, at port 9901.
   */
  readonly announce?: boolean | AnnouncementOptions;
  readonly timers?: Partial<EnrpTimers>;
  readonly limits?: Partial<EnrpLimits>;
  /** Default: 'rfc'. All servers of a scope must agree. */
  readonly arbitration?: Arbitration;
  /** Serve elements and users while still looking for a mentor, as the reference implementation does. Default: false. */
  readonly serveWhileStarting?: boolean;
}

/** The options with every default filled in. */
export interface EnrpSettings {
  readonly host: string;
  readonly port: number;
  readonly sctpPort: number;
  readonly advertise: { readonly host?: string; readonly port?: number };
  readonly peers: readonly TransportAddress[];
  readonly group: MulticastGroup | undefined;
  readonly timers: EnrpTimers;
  readonly limits: EnrpLimits;
  readonly arbitration: Arbitration;
  readonly serveWhileStarting: boolean;
}

/** Checks the options and fills in the defaults; throws Node's argument errors. `path` names them in the errors. */
export function enrpSettings(options: EnrpOptions = {}, path: string = 'options.enrp'): EnrpSettings {
  checkObject(path, options);
  const { host, port, arbitration, serveWhileStarting } = options;
  if (arbitration !== undefined && arbitration !== 'rfc' && arbitration !== 'lowerIdWins') {
    throw invalidArgumentType(`${path}.arbitration`, "'rfc' or 'lowerIdWins'", arbitration);
  }
  return {
    host: host === undefined ? '127.0.0.1' : checkString(`${path}.host`, host),
    port: port === undefined ? enrpPort : checkPort(`${path}.port`, port),
    sctpPort: options.sctpPort === undefined ? enrpPort : checkPort(`${path}.sctpPort`, options.sctpPort),
    advertise: advertised(options.advertise, `${path}.advertise`),
    peers: peerAddresses(options.peers ?? [], `${path}.peers`),
    group: onInterfaceOf(options.host, checkAnnouncements(`${path}.announce`, options.announce, enrpPort)),
    timers: enrpTimers(options.timers, path),
    limits: merge(defaultLimits, options.limits, (name, value) => {
      const [least, most] = name === 'maxElementSize' ? [256, 60_000] : [1];
      return checkInteger(`${path}.limits.${name}`, value, least, most);
    }),
    arbitration: arbitration ?? 'rfc',
    serveWhileStarting:
      serveWhileStarting === undefined ? false : checkBoolean(`${path}.serveWhileStarting`, serveWhileStarting),
  };
}

/** Those that depend on others do so in the RFC's own proportions, so that one option makes all of it faster. */
function enrpTimers(given: Partial<EnrpTimers> | undefined, path: string): EnrpTimers {
  const check = (name: string, value: unknown): number => checkMilliseconds(`${path}.timers.${name}`, value);
  const heartbeatCycle = given?.heartbeatCycle === undefined ? 30_000 : check('heartbeatCycle', given.heartbeatCycle);
  const noResponse = Math.min(5_000, heartbeatCycle / 2);
  const maxTimeNoResponse =
    given?.maxTimeNoResponse === undefined ? noResponse : check('maxTimeNoResponse', given.maxTimeNoResponse);
  const defaults: EnrpTimers = {
    heartbeatCycle,
    maxTimeLastHeard: (heartbeatCycle * 61) / 30,
    maxTimeNoResponse,
    discoveryTime: 5_000,
    mentorRetryInterval: 1_000,
    maxDownloadTime: 60 * maxTimeNoResponse,
    takeoverExpiry: 2 * maxTimeNoResponse,
    redialDelay: 100,
    maxRedialDelay: heartbeatCycle,
    rememberTime: 3_600_000,
    closeTimeout: 1_000,
  };
  return merge(defaults, given, check);
}

function merge<Numbers extends { readonly [Name in keyof Numbers]: number }>(
  defaults: Numbers,
  given: Partial<Numbers> | undefined,
  check: (name: string, value: unknown) => number,
): Numbers {
  const merged: Record<string, number> = { ...defaults };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value !== undefined && name in defaults) merged[name] = check(name, value);
  }
  return merged as Numbers;
}

function advertised(given: EnrpOptions['advertise'], path: string): EnrpSettings['advertise'] {
  if (given === undefined) return {};
  checkObject(path, given);
  return {
    ...(given.host === undefined ? undefined : { host: checkString(`${path}.host`, given.host) }),
    ...(given.port === undefined ? undefined : { port: checkPort(`${path}.port`, given.port) }),
  };
}

function peerAddresses(given: NonNullable<EnrpOptions['peers']>, path: string): TransportAddress[] {
  if (!Array.isArray(given)) throw invalidArgumentType(path, 'an instance of Array', given);
  return given.map((peer: NonNullable<EnrpOptions['peers']>[number], i) => {
    if (typeof peer === 'string') return parsePeer(`${path}[${i}]`, peer);
    checkObject(`${path}[${i}]`, peer);
    const { host, port } = peer;
    return {
      host: checkString(`${path}[${i}].host`, host),
      port: port === undefined ? enrpPort : checkPort(`${path}[${i}].port`, port, false),
      ...checkProtocol(`${path}[${i}]`, peer),
    };
  });
}

/** 'host', 'host:port', '[ipv6]', '[ipv6]:port' or a bare IPv6 address; throws Node's argument errors. */
export function parsePeer(name: string, given: string): TransportAddress {
  const { rest: text, protocol } = cutProtocol(name, given);
  const match = /^(?:\[(?<bracketed>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d+))?$/.exec(text.trim());
  if (match?.groups === undefined) {
    // More than one colon and no brackets: an IPv6 address without a port.
    if (text.split(':').length > 2) return { host: text.trim(), port: enrpPort, ...protocol };
    throw invalidArgumentType(name, "of the form 'host:port'", text);
  }
  const { bracketed, host, port } = match.groups;
  return {
    host: (bracketed ?? host) as string,
    port: port === undefined ? enrpPort : checkPort(name, port, false),
    ...protocol,
  };
}
