/** A message on its way out, and the chunks that it leaves in. */

import type { SctpMessage } from '../sctp-stack.js';

export interface OutboundMessage extends SctpMessage {
  /** Its Stream Sequence Number, given when its first chunk leaves. */
  ssn: number;
  /** Bytes that have left at least once. */
  sentBytes: number;
  /** Whether its last chunk has left. */
  whole: boolean;
}

/** A chunk that has left: 'inFlight', reported behind a gap ('received'), or to be sent again ('lost'). */
export interface OutboundChunk {
  readonly tsn: number;
  readonly message: OutboundMessage;
  /** Where its user data begins and ends in the message. */
  readonly from: number;
  readonly to: number;
  readonly flags: number;
  state: 'inFlight' | 'received' | 'lost';
  sentAt: number;
  /** How often it left. */
  sent: number;
  /** How many SACKs reported it missing since it left. */
  missing: number;
  /** The TSN from which on a newly acknowledged one says that this is missing. */
  reportedFrom: number;
}
