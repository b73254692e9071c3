/**
 * What a mapping gives a session (draft-conrad-rserpool-service section 6.1): message boundaries, heartbeats and
 * retrieval always; streams, unordered delivery, RTT, RTO and path MTU where `features` says so.
 */

import type { RserpoolError } from '../errors.js';
import type { TransportAddress } from '../transport/transport.js';
import type { PoolHandle } from '../wire/parameters.js';

/** Identifiers of mappings (draft-conrad-rserpool-service section 4). */
export const mappingId = { none: 0x00, sctp: 0x01, tcp: 0x02 } as const;

/** The payload protocol identifier of ASAP messages on the control channel (RFC 5352 sections 3.8 and 8.3). */
export const asapPpid = 11;

/** What a mapping can do beyond the mandatory (draft-conrad-rserpool-service sections 6.1.2 and 6.1.3). */
export interface MappingFeatures {
  readonly streams: boolean;
  readonly unordered: boolean;
  /** A connection that breaks goes on over another byte stream to the same element, both directions exactly once. */
  readonly resume: boolean;
  /** The far application's taking of a message is acknowledged, not just its arrival. */
  readonly acknowledgesTaken: boolean;
  readonly rtt: boolean;
  readonly rto: boolean;
  readonly pathMtu: boolean;
}

/** A message on its way out. The session keeps it until it is acknowledged. */
export interface OutgoingMessage {
  /** 'end' is the end of our direction: it is sent, acknowledged and sent again like a message. */
  readonly type: 'message' | 'end';
  /** The message's number in its session and direction, from 1: the same wherever it is sent again. */
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly streamId: number;
  readonly ppid: number;
  /** The sequence of the message that this answers; 0: it is no answer. */
  readonly inAnswerTo: number;
  /** It is the last answer to `inAnswerTo`, and so acknowledges it. */
  readonly lastAnswer: boolean;
  /** It was sent to another element before. */
  redelivered: boolean;
  /** It may overtake others, and be overtaken, where the mapping can. */
  readonly unordered: boolean;
  /** Whether it has left whole over a connection that did not break since: kept by the connection. */
  left: boolean;
  /** Its place among the messages given to the connection, from 1: kept by the connection. */
  position: number;
}

/** A message that arrived whole. `connection.take(message)` says that the application has it. */
export interface IncomingMessage {
  readonly type: 'message' | 'end';
  readonly sequence: number;
  readonly data: Uint8Array;
  /** The same bytes as they came, for who needs them not in one; absent: they came in one. */
  readonly pieces?: readonly Uint8Array[];
  readonly streamId: number;
  readonly ppid: number;
  readonly inAnswerTo: number;
  readonly lastAnswer: boolean;
  readonly redelivered: boolean;
  /** It may have overtaken others. */
  readonly unordered: boolean;
  /** Its place among the messages that came whole by its connection, from 1. */
  readonly arrival: number;
  /** Set by `release` or `take`, once. */
  released: boolean;
  /** Set by `take`, once. */
  taken: boolean;
}

/** Why a side aborts. The numbers are on the wire (docs/mappings.md). */
export const abortCode = {
  protocolError: 1,
  versionMismatch: 2,
  /** The connection reached another element than it was meant for. */
  wrongElement: 3,
  /** The application destroyed the session: the only code that ends it at both sides. */
  application: 4,
  /** The pool user went on elsewhere. */
  failedOver: 5,
  limit: 6,
  /** The far side did not answer heartbeats. */
  heartbeatTimeout: 7,
  /** The element's message handler threw or rejected. */
  handlerFailed: 8,
  /** The cookie that the user echoed was not sealed by the pool for this session. */
  cookieRefused: 9,
  /** A session was to be resumed that the element does not know, or no more. */
  unknownSession: 10,
} as const;

/** What the two sides told each other when the connection opened. */
export interface PeerHello {
  readonly version: number;
  /** 16 bytes, the pool user's choice: a secret of this session. */
  readonly sessionId: Uint8Array;
  /** The session was at another element before. */
  readonly failedOver: boolean;
  /** A cookie echo follows as the first control message. */
  readonly cookieFollows: boolean;
  /** Whom the pool user meant to reach; absent from an element's hello. */
  readonly poolHandle?: PoolHandle;
  readonly peIdentifier?: number;
}

/** What the owner of a mapping connection is told; never from within a call to the connection. */
export interface MappingHandler {
  /** Both sides have said hello: messages may pass. */
  onOpen(peer: PeerHello): void;
  onMessage(message: IncomingMessage): void;
  /** An ASAP message on the control channel (cookie, cookie echo, business card). */
  onControl(message: Uint8Array): void;
  /** The far application has taken the `count` oldest messages that were sent and not yet acknowledged in turn. */
  onAcknowledged(count: number): void;
  /**
   * It has taken this message, and not yet all that were given to `send` before it. `onAcknowledged` counts it again when
   * those are taken.
   */
  onAcknowledgedEarly(message: OutgoingMessage): void;
  /** Less than the high-water mark waits to be sent again. */
  onRoom(): void;
  /** The element asks its user to go on elsewhere. */
  onGoElsewhere(): void;
  /** The byte stream broke, and another one is tried: `onResume` or `onClose` follows. */
  onInterrupt?(): void;
  /** The byte stream broke, and the connection goes on over another one. */
  onResume(): void;
  /**
   * Exactly once and last. Without error: both directions ended and all was acknowledged. An error with code
   * ERR_RSERPOOL_ABORTED: the far application destroyed the session; any other: the connection is of no more use.
   */
  onClose(error: RserpoolError | undefined): void;
}

/** Tells nobody: the handler of a connection that has no owner yet. */
export const noMappingHandler: MappingHandler = {
  onOpen() {},
  onMessage() {},
  onControl() {},
  onAcknowledged() {},
  onAcknowledgedEarly() {},
  onRoom() {},
  onGoElsewhere() {},
  onResume() {},
  onClose() {},
};

/** What a connection knows of its path. */
export interface PathMeasurements {
  /** Smoothed round-trip time and retransmission time-out in ms (RFC 9260 section 6.3.1); undefined until measured. */
  readonly rtt: number | undefined;
  readonly rto: number | undefined;
  /** Bytes of an IP packet that are used at most; absent where `features.pathMtu` is false. */
  readonly pathMtu?: number | undefined;
}

/** An open way to carry one session's messages between a pool user and one element. */
export interface MappingConnection extends PathMeasurements {
  readonly mapping: number;
  readonly features: MappingFeatures;
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  handler: MappingHandler;
  /** Bytes of messages accepted by `send` and not yet handed to the transport. */
  readonly queuedBytes: number;
  /** Bytes of the largest message that the far side accepts: a larger one must not be sent. */
  readonly longestMessage: number;
  /** How many of the messages given to `send` have left whole (`left`). */
  readonly sentMessages: number;
  /** Queues a message; false when more than the high-water mark waits: `onRoom` follows. */
  send(message: OutgoingMessage): boolean;
  /**
   * Sends an ASAP message on the control channel, after the messages that have left and before those that wait. It
   * replaces one of the same type that has not left: of cookies and business cards the last one counts.
   */
  sendControl(message: Uint8Array): void;
  /**
   * The application has the message, but what it wrote because of it was not yet given to `send`: it makes room, and is
   * acknowledged by `take` later.
   */
  release(message: IncomingMessage): void;
  /** The application has the message: it makes room, and is acknowledged after everything sent before this call. */
  take(message: IncomingMessage): void;
  /** Something at our side waits for the far side, other than acknowledgements: watch it closely. */
  expect(waiting: boolean): void;
  /** Asks the user to go on elsewhere (elements only). */
  goElsewhere(): void;
  /** Ends at once and tells the far side why, if it can still hear. `onClose` follows without error. */
  abort(code: number, reason: string): void;
  ref(): void;
  unref(): void;
}
