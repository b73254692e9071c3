/**
 * What an SCTP stack gives the rooms above, in the terms of RFC 6458 (its one-to-one style, without sockets): associations,
 * streams, payload protocol identifiers, unordered delivery, heartbeats, retrieval, notifications. Which stack it is does
 * not matter to them; what a stack cannot do, `features` says.
 */

import type { RserpoolError } from '../../errors.js';
import type { Attempt, TransportAddress } from '../transport.js';

/** An SCTP address: an IP address and an SCTP port. */
export type SctpAddress = TransportAddress;

/** What a stack can do beyond ordered messages on stream 0. */
export interface SctpFeatures {
  readonly streams: boolean;
  readonly unordered: boolean;
  readonly rtt: boolean;
  readonly rto: boolean;
  readonly pathMtu: boolean;
  /** Several addresses of a peer at once, with failover between paths (RFC 9260 section 6.4). */
  readonly multihoming: boolean;
}

/** How a message is sent (RFC 6458 section 5.3.4). */
export interface SctpSendInfo {
  /** Below `outboundStreams`. */
  readonly streamId: number;
  readonly ppid: number;
  readonly unordered?: boolean;
}

/** A message as it was sent (RFC 6458 section 5.3.5). */
export interface SctpMessage {
  /** At least one byte. */
  readonly data: Uint8Array;
  readonly streamId: number;
  readonly ppid: number;
  readonly unordered: boolean;
}

/** What was not delivered, oldest first (RFC 9260 sections 11.1.11 and 11.1.12). */
export interface SctpRetrieval {
  /** No byte of these has left. */
  readonly unsent: readonly SctpMessage[];
  /** These left in part or in whole, and were not acknowledged in whole. */
  readonly unacknowledged: readonly SctpMessage[];
}

/** What RFC 6458 section 6.1 tells of beside data and the association's end. */
export type SctpNotification =
  /** The peer reports an error (SCTP_REMOTE_ERROR): the codes of its causes (RFC 9260 section 3.3.10). */
  | { readonly type: 'remoteError'; readonly causes: readonly number[] }
  /** The peer sends nothing more, and takes nothing new (SCTP_SHUTDOWN_EVENT). */
  | { readonly type: 'shutdown' }
  /** Everything that was sent is acknowledged (SCTP_SENDER_DRY_EVENT). */
  | { readonly type: 'senderDry' }
  /** The peer is heard from another UDP port or address than before (SCTP_PEER_ADDR_CHANGE). */
  | { readonly type: 'peerAddressChange'; readonly address: SctpAddress };

/** What the owner of an association is told; never from within a call to it. */
export interface SctpAssociationHandler {
  onMessage(message: SctpMessage): void;
  /** The `count` oldest messages that were sent are acknowledged: the peer's SCTP has them. */
  onAcknowledged(count: number): void;
  /** A packet of the peer came: it lives. */
  onHeard(): void;
  onNotification(notification: SctpNotification): void;
  /**
   * Exactly once and last. Without error: after an orderly shutdown of either side, with everything delivered, or our own
   * abort. With one: ERR_RSERPOOL_ABORTED (the peer aborted; the reason is in the text), ERR_RSERPOOL_HEARTBEAT_TIMEOUT
   * (it is silent), ERR_RSERPOOL_CONNECTION_BROKEN (it restarted, or cannot be reached), ERR_RSERPOOL_PROTOCOL,
   * ERR_RSERPOOL_LIMIT. `retrieve` still answers.
   */
  onClose(error: RserpoolError | undefined): void;
}

/** Tells nobody: the handler of an association that has no owner yet. */
export const noSctpHandler: SctpAssociationHandler = {
  onMessage() {},
  onAcknowledged() {},
  onHeard() {},
  onNotification() {},
  onClose() {},
};

/** When a silent peer is asked for a sign of life, and when it is given up. */
export interface SctpHeartbeat {
  /** Milliseconds of silence after which a HEARTBEAT is sent, and between two. */
  readonly interval: number;
  /** Milliseconds of silence after which the association ends with ERR_RSERPOOL_HEARTBEAT_TIMEOUT. */
  readonly timeout: number;
}

/** An association that is up. */
export interface SctpAssociation {
  readonly localAddress: SctpAddress;
  readonly remoteAddress: SctpAddress;
  /** The addresses that the peer said are its own. */
  readonly remoteHosts: readonly string[];
  /** Streams that we may send on: 0 to `outboundStreams` - 1. */
  readonly outboundStreams: number;
  /** What the peer says of the layer above its SCTP (RFC 5061 section 4.2.6); undefined: it says nothing. */
  readonly adaptation: number | undefined;
  handler: SctpAssociationHandler;
  /** Bytes of messages given to `send` and not acknowledged. */
  readonly bufferedBytes: number;
  /** Smoothed round-trip time and retransmission time-out in ms; undefined until measured. */
  readonly rtt: number | undefined;
  readonly rto: number | undefined;
  /** Bytes of an IP packet that are used at most. */
  readonly pathMtu: number;
  /**
   * Queues a message. Throws a RangeError for an empty one or a stream that is not there, and ERR_RSERPOOL_FEATURE_NOT_AVAILABLE
   * for unordered where there is none. After the end or a shutdown it does nothing: `onClose` has told or will.
   */
  send(data: Uint8Array, info: SctpSendInfo): void;
  /** What the peer does not have; also after the end. */
  retrieve(): SctpRetrieval;
  /** Changes when the peer is asked for signs of life. Silence counts from its last packet. */
  setHeartbeat(heartbeat: SctpHeartbeat): void;
  /** Stops and restarts `onMessage`: what arrives meanwhile is held up to the receive window, then the peer must wait. */
  pause(): void;
  resume(): void;
  /** Ends in order: what was sent is delivered first. */
  shutdown(): void;
  /** Ends at once and tells the peer why, in at most 1024 bytes of UTF-8. */
  abort(reason?: string): void;
  /** Whether this association keeps the process alive (default: yes). */
  ref(): void;
  unref(): void;
}

export interface SctpConnectCallbacks {
  /** The association is up: returns its handler. */
  onOpen(association: SctpAssociation): SctpAssociationHandler;
  /** ECONNREFUSED as the system would say it if the peer refused, ERR_RSERPOOL_CONNECT_TIMEOUT if it is silent. */
  onError(error: Error): void;
}

export interface SctpListenCallbacks {
  onListening(address: SctpAddress): void;
  onAssociation(association: SctpAssociation): SctpAssociationHandler;
  onError(error: Error): void;
}

/** A port that accepts associations. */
export interface SctpListener {
  /** Stops accepting; associations go on. */
  close(): void;
  ref(): void;
  unref(): void;
}

/** What one association is to be like. */
export interface SctpAssociationOptions {
  /** What we say of the layer above (RFC 5061 section 4.2.6): 32 bits. Default: nothing. */
  readonly adaptation?: number;
  /**
   * For `connect`: our SCTP port, which a listener may have too. Default: any free one. There is one association between two
   * pairs of address and port: a second one fails with EADDRINUSE.
   */
  readonly localPort?: number;
}

export interface SctpStack {
  readonly features: SctpFeatures;
  /** Our UDP port; undefined until it is bound. */
  readonly encapsulationPort: number | undefined;
  connect(target: SctpAddress, callbacks: SctpConnectCallbacks, options?: SctpAssociationOptions): Attempt;
  /** Port 0 takes any free one. */
  listen(port: number, callbacks: SctpListenCallbacks, options?: SctpAssociationOptions): SctpListener;
  /** Aborts every association, ends every listener and frees the UDP port. */
  close(): void;
}
