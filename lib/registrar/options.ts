/** Options of a registrar with their defaults; times in milliseconds. */

import { isIP } from 'node:net';
import {
  checkBoolean,
  checkInteger,
  checkMilliseconds,
  checkNumbers,
  checkObject,
  checkPort,
  checkString,
  invalidArgumentValue,
} from '../arguments.js';
import { asapPpid } from '../asap/asap-channel.js';
import { type Clock, systemClock } from '../clock.js';
import { enrpPpid } from '../enrp/enrp-channel.js';
import { type EnrpOptions, type EnrpSettings, enrpSettings } from '../enrp/options.js';
import type { PolicyRegistry } from '../policy/registry.js';
import { type Random, systemRandom } from '../random.js';
import { type AnnouncementOptions, checkAnnouncements, onInterfaceOf } from '../transport/announcements.js';
import { controlTransport } from '../transport/sctp/control-transport.js';
import type { SctpStackOptions } from '../transport/sctp/package/stack-options.js';
import type { SctpStack } from '../transport/sctp/sctp-stack.js';
import { type SwitchedStack, switchedStack } from '../transport/sctp/switched-stack.js';
import { tcpTransport } from '../transport/tcp/tcp.js';
import { checkTls, type TlsTransportOptions, tlsTransport } from '../transport/tls/tls.js';
import type { ByteStreamTransport, MulticastGroup, MulticastTransport } from '../transport/transport.js';
import { udpMulticast } from '../transport/udp/multicast.js';

export interface RegistrarTimers {
  /** Between two keep-alives to an element, each time +-50 % by chance (RFC 5352 section 3.5). Default: 5,000. */
  readonly keepAliveInterval: number;
  /** How long an element may take to acknowledge one, dialling included. Default: 1,000. */
  readonly keepAliveTimeout: number;
  /** How long after its last acknowledgement an element is not probed again for a report. Default: 100. */
  readonly probeInterval: number;
  /** How long an element whose connection broke may take to register again before it is removed. Default: 50. */
  readonly removalDelay: number;
  /** How long a report of unreachability counts towards `maxBadPeReports`. Default: 60,000. */
  readonly reportLifetime: number;
  /** How long a new connection may take to send its first message; then it is closed. Default: 10,000. */
  readonly firstMessageTimeout: number;
  /** T6-Serverannounce: with `announce`, between two announcements of all registrars together. Default: 1,000. */
  readonly announceInterval: number;
  /** The least time between telling subscribers of changes: those of the meantime are told of together. Default: 20. */
  readonly pushInterval: number;
}

export const defaultRegistrarTimers: RegistrarTimers = {
  keepAliveInterval: 5_000,
  keepAliveTimeout: 1_000,
  probeInterval: 100,
  removalDelay: 50,
  reportLifetime: 60_000,
  firstMessageTimeout: 10_000,
  announceInterval: 1_000,
  pushInterval: 20,
};

export interface RegistrarLimits {
  /** Open ASAP connections; one too many is closed at once. Default: 10,000. */
  readonly maxConnections: number;
  /** Those from one IPv4 address or IPv6 /64, so that no single machine takes them all. Default: 1,000. */
  readonly maxConnectionsPerHost: number;
  /** Elements that one connection may register. Default: 1,000. */
  readonly maxElementsPerConnection: number;
  /** Pools that one connection may subscribe to; the A bit tells that no more are accepted. Default: 1,000. */
  readonly maxSubscriptionsPerConnection: number;
  /** Bytes of one message. Default: 65,538, the most that can be. */
  readonly maxMessageSize: number;
  /** Bytes that may wait for a connection that does not read; more closes it. Default: 1 MiB. */
  readonly maxBacklog: number;
  /** Milliseconds that the far side has, once one direction has ended, to take what was sent and end its own. Default: 1,000. */
  readonly closeTimeout: number;
  /** Bytes of a registration, since elements are handed on to everybody who asks; at most 60,000. Default: 1,536. */
  readonly maxRegistrationSize: number;
  /** As for the next two limits: of those that came of registrations here, and as many again that peers told of. Default: 10,000. */
  readonly maxPools: number;
  /** Default: 100,000. */
  readonly maxElementsPerPool: number;
  /** Default: 1,000,000. */
  readonly maxElements: number;
  /** Elements in one answer, whatever was asked for. Default: 128. */
  readonly maxElementsPerAnswer: number;
  /** Connections to elements that are being dialled to probe them; further probes wait for the next report. Default: 100. */
  readonly maxDialledProbes: number;
  /** MAX-BAD-PE-REPORT: an element reported by more hosts than this is removed though it answers. Default: 3. */
  readonly maxBadPeReports: number;
}

export const defaultRegistrarLimits: RegistrarLimits = {
  maxConnections: 10_000,
  maxConnectionsPerHost: 1_000,
  maxElementsPerConnection: 1_000,
  maxSubscriptionsPerConnection: 1_000,
  maxMessageSize: 65_538,
  maxBacklog: 1024 * 1024,
  closeTimeout: 1_000,
  maxRegistrationSize: 1_536,
  maxPools: 10_000,
  maxElementsPerPool: 100_000,
  maxElements: 1_000_000,
  maxElementsPerAnswer: 128,
  maxDialledProbes: 100,
  maxBadPeReports: 3,
};

export interface RegistrarOptions {
  /** Where to listen. Default: 127.0.0.1, so that nobody is served by accident. */
  readonly host?: string;
  /** Default: 3863 (RFC 5352 section 8.2); 0 takes any free one. */
  readonly port?: number;
  /** ENRP server identifier, unsigned 32 bits and not 0. Default: chosen by chance (RFC 5353 section 3.2). */
  readonly serverId?: number;
  /**
   * Whether elements may register addresses other than the one that they connect from (RFC 5352 section 2.2.1 says
   * that they must not). Needed for elements behind address translation. Default: false, except for connections over
   * loopback, where the element runs on this machine and may have any address of it.
   */
  readonly acceptForeignAddresses?: boolean;
  /**
   * Whether the registrar announces itself by multicast (RFC 5352 section 3.6) to elements and users, and with `enrp` to
   * other registrars too. A registrar that listens at one address does so on that network. Default: false.
   */
  readonly announce?: boolean | AnnouncementOptions;
  /** Where elements and users reach it, if that is not where it listens; an IP address. For announcements. */
  readonly advertise?: { readonly host?: string; readonly port?: number };
  /**
   * Elements, users and peers are served over TLS alone, with these certificates or keys (docs/registrars.md). With `ca` (or
   * shared keys) only those that prove who they are may register, deregister, report or be peers; users may resolve all the
   * same. Default: none, everybody is believed.
   */
  readonly tls?: TlsTransportOptions;
  /** Peers, and where they reach this registrar (RFC 5353). Default: it stands alone and opens no port for peers. */
  readonly enrp?: EnrpOptions;
  readonly timers?: Partial<RegistrarTimers>;
  readonly limits?: Partial<RegistrarLimits>;
  /** Default: the policies that the library brings. */
  readonly policies?: PolicyRegistry;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: TCP, and UDP for announcements. */
  readonly transports?: {
    readonly stream?: ByteStreamTransport;
    readonly multicast?: MulticastTransport;
    readonly sctp?: SctpStack;
  };
  /**
   * Whether elements, users and peers are served over SCTP in UDP beside TCP, and how (docs/sctp.md). `port` is the SCTP
   * port for elements and users, by default 3863; that for peers is `enrp.sctpPort`. Default: false.
   */
  readonly sctp?: boolean | (Partial<SctpStackOptions> & { readonly port?: number });
  /**
   * 'rsplib': work with registrars of the reference implementation where it and the RFCs cannot be reconciled: registration
   * life in milliseconds, and of two servers that take over the same one that with the smaller identifier goes on
   * (docs/sctp.md). Default: as the RFCs say.
   */
  readonly compatibility?: 'rsplib';
}

/** The options with every default filled in. */
export interface RegistrarSettings {
  readonly host: string;
  readonly port: number;
  readonly serverId: number;
  readonly acceptForeignAddresses: boolean;
  readonly group: MulticastGroup | undefined;
  readonly advertise: { readonly host?: string; readonly port?: number };
  readonly enrp: EnrpSettings | undefined;
  readonly timers: RegistrarTimers;
  readonly limits: RegistrarLimits;
  readonly policies: PolicyRegistry | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** For ASAP, to call elements: takes SCTP addresses too. */
  readonly transport: ByteStreamTransport;
  /** For ASAP, where elements and users call us. */
  readonly servingTransport: ByteStreamTransport;
  /** Who may change anything: everybody, whoever came over TLS, or who also has proved who he is. */
  readonly trusts: 'all' | 'encrypted' | 'certified';
  /** The same for ENRP. */
  readonly enrpTransport: ByteStreamTransport;
  readonly sctp: SwitchedStack;
  readonly sctpPort: number;
  readonly compatibility: 'rsplib' | undefined;
  readonly multicast: MulticastTransport;
}

/** The IANA port of ASAP (RFC 5352 section 8.2). */
const asapPort = 3863;

/** Checks the options and fills in the defaults; throws Node's argument errors. */
export function registrarSettings(options: RegistrarOptions): RegistrarSettings {
  checkObject('options', options);
  const random = options.random ?? systemRandom;
  const clock = options.clock ?? systemClock;
  const stream = options.transports?.stream ?? tcpTransport;
  const tls = checkTls('options.tls', options.tls);
  const secured = tls === undefined ? stream : tlsTransport(tls);
  const proof = tls?.ca !== undefined || tls?.pskCallback !== undefined;
  if (tls !== undefined && options.sctp !== undefined && options.sctp !== false)
    throw invalidArgumentValue(
      'options.sctp',
      options.sctp,
      'cannot be together with options.tls: SCTP here has no TLS',
    );
  if (tls !== undefined && options.enrp !== undefined && !proof)
    throw invalidArgumentValue('options.tls', tls, 'must have ca or pskCallback, for peers to prove who they are');
  // As with TCP, nobody is served by accident.
  const wanted = options.sctp === true ? {} : options.sctp;
  const atHost = typeof wanted === 'object' ? { host: options.host ?? '127.0.0.1', ...wanted } : wanted;
  const sctp = switchedStack(atHost, options.transports?.sctp, clock, random);
  const sctpPort = typeof options.sctp === 'object' ? options.sctp.port : undefined;
  const compatibility = checkCompatibility(options.compatibility);
  const enrp = options.enrp === undefined ? undefined : enrpSettings(announcedToPeers(options.enrp, options.announce));
  return {
    host: options.host === undefined ? '127.0.0.1' : checkHost(options.host),
    port: options.port === undefined ? asapPort : checkPort('options.port', options.port),
    serverId:
      options.serverId === undefined
        ? random.identifier()
        : checkInteger('options.serverId', options.serverId, 1, 0xffffffff),
    acceptForeignAddresses:
      options.acceptForeignAddresses === undefined
        ? false
        : checkBoolean('options.acceptForeignAddresses', options.acceptForeignAddresses),
    group: onInterfaceOf(options.host, checkAnnouncements('options.announce', options.announce, asapPort)),
    advertise: checkAdvertised(options.advertise),
    enrp: enrp === undefined || compatibility === undefined ? enrp : { ...enrp, arbitration: 'lowerIdWins' },
    timers: checkNumbers('options.timers', defaultRegistrarTimers, options.timers, (path, value, name) =>
      checkMilliseconds(path, value, 'finite', mayBeZero.has(name) ? 0 : 1),
    ),
    limits: checkNumbers('options.limits', defaultRegistrarLimits, options.limits, (path, value, name) =>
      checkInteger(
        path,
        value,
        leastLimits[name] ?? 0,
        name === 'maxRegistrationSize' ? mostRegistrationSize : undefined,
      ),
    ),
    policies: options.policies,
    clock,
    random,
    transport: controlTransport(stream, () => sctp.get(), asapPpid, clock),
    servingTransport: controlTransport(secured, () => sctp.get(), asapPpid, clock),
    trusts: tls === undefined ? 'all' : proof ? 'certified' : 'encrypted',
    // The reference implementation takes a peer for the server that it says it is only if it comes from that server's port.
    enrpTransport: controlTransport(secured, () => sctp.get(), enrpPpid, clock, enrp?.sctpPort || undefined),
    sctp,
    sctpPort: sctpPort === undefined ? asapPort : checkPort('options.sctp.port', sctpPort),
    compatibility,
    multicast: options.transports?.multicast ?? udpMulticast,
  };
}

function checkCompatibility(given: unknown): 'rsplib' | undefined {
  if (given === undefined || given === 'rsplib') return given;
  throw invalidArgumentValue('options.compatibility', given, "must be 'rsplib'");
}

/** Times that may be 0; with 0 in another one an element would be asked without a pause, or had no time at all. */
const mayBeZero: ReadonlySet<keyof RegistrarTimers> = new Set([
  'probeInterval',
  'removalDelay',
  'reportLifetime',
  'pushInterval',
]);

/** What registers is told of in other messages, and they too end at 65,535 bytes. */
const mostRegistrationSize = 60_000;

/** Limits below which nothing would work at all. */
const leastLimits: Partial<Record<keyof RegistrarLimits, number>> = { maxMessageSize: 4, maxElementsPerAnswer: 1 };

/** Peers hear of this registrar where elements and users do, but for the port. */
function announcedToPeers(enrp: EnrpOptions, announce: RegistrarOptions['announce']): EnrpOptions {
  if (announce === undefined || typeof enrp !== 'object' || enrp === null || enrp.announce !== undefined) return enrp;
  if (typeof announce === 'boolean') return { ...enrp, announce };
  const { port: _, ...others } = announce;
  return { ...enrp, announce: others };
}

function checkAdvertised(given: RegistrarOptions['advertise']): RegistrarSettings['advertise'] {
  if (given === undefined) return {};
  checkObject('options.advertise', given);
  const { host, port } = given;
  if (host !== undefined && isIP(checkString('options.advertise.host', host)) === 0)
    throw invalidArgumentValue('options.advertise.host', host, 'must be an IP address: announcements carry no names');
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: checkPort('options.advertise.port', port, false) }),
  };
}

/** An empty name, such as an unset variable of a shell gives, would mean all addresses to the system. */
function checkHost(host: unknown): string {
  if (checkString('options.host', host) !== '') return host as string;
  throw invalidArgumentValue('options.host', host, "must not be empty; '::' or '0.0.0.0' is all addresses");
}
