/** What the SCTP stack may be told, with defaults. */

import { invalidArgumentValue } from '../../../arguments.js';
import type { SctpHeartbeat } from '../sctp-stack.js';
import type { RtoBounds } from '../transfer/round-trip.js';

export interface SctpStackOptions {
  /** The IP address to bind. Default: 0.0.0.0; '::' serves IPv6 and IPv4. */
  readonly host: string;
  /** What packets travel in: UDP (RFC 6951), or IP itself, which needs root and the package raw-socket. Default: 'udp'. */
  readonly transport: 'udp' | 'raw';
  /** Our UDP port (RFC 6951). Default: 9899, IANA's; 0 takes any free one. */
  readonly udpPort: number;
  /** The UDP port of peers whose addresses do not say. Default: 9899. */
  readonly remoteUdpPort: number;
  /** Bytes of an IP packet at most. Default: 1400, which passes tunnels too; there is no path MTU discovery. */
  readonly pathMtu: number;
  /** Bytes that a peer may send before our side has taken them. Default: 1 MiB. */
  readonly window: number;
  /** Bytes of the largest message that is put together. Default: 16 MiB. */
  readonly longestMessage: number;
  /** Streams in each direction that we offer and ask for. Default: 256. */
  readonly streams: number;
  /** Associations at once, of all listeners together. Default: 10,000. */
  readonly maxAssociations: number;
  /** Milliseconds until a peer that does not answer is given up. Default: 10,000. */
  readonly connectTimeout: number;
  /** Milliseconds until an INIT is first sent again; doubles with each time. Default: 250. */
  readonly initTimeout: number;
  /** Retransmission time-out. Default: 500 ms at first, then from 300 ms (peers delay SACKs by 200 ms) to 10 s. */
  readonly rto: RtoBounds;
  /** How often the same is sent again before the peer is given up (RFC 9260: Association.Max.Retrans). Default: 10. */
  readonly maxRetransmissions: number;
  /** Default: a question after 1 s of silence, the end after 3 s. */
  readonly heartbeat: SctpHeartbeat;
  /** Milliseconds that a SACK may wait for company. Default: 50. */
  readonly sackDelay: number;
}

export function sctpStackOptions(given: Partial<SctpStackOptions> = {}): SctpStackOptions {
  return {
    host: given.host ?? '0.0.0.0',
    transport: checkTransport(given.transport),
    udpPort: given.udpPort ?? 9899,
    remoteUdpPort: given.remoteUdpPort ?? 9899,
    pathMtu: given.pathMtu ?? 1400,
    window: given.window ?? 1024 * 1024,
    longestMessage: given.longestMessage ?? 16 * 1024 * 1024,
    streams: given.streams ?? 256,
    maxAssociations: given.maxAssociations ?? 10_000,
    connectTimeout: given.connectTimeout ?? 10_000,
    initTimeout: given.initTimeout ?? 250,
    rto: given.rto ?? { initial: 500, min: 300, max: 10_000 },
    maxRetransmissions: given.maxRetransmissions ?? 10,
    heartbeat: given.heartbeat ?? { interval: 1000, timeout: 3000 },
    sackDelay: given.sackDelay ?? 50,
  };
}

function checkTransport(given: SctpStackOptions['transport'] | undefined): SctpStackOptions['transport'] {
  if (given === undefined || given === 'udp' || given === 'raw') return given ?? 'udp';
  throw invalidArgumentValue('options.sctp.transport', given, "must be 'udp' or 'raw'");
}
