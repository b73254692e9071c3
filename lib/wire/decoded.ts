/**
 * What decoding any bytes gives (RFC 5354 sections 3 and 4): one of these and nothing else. No decoder throws on
 * what the network sent.
 */

import type { ErrorCause } from './parameters.js';

/** Where and why bytes are not a message. */
export interface WireFault {
  /** Byte offset within the message at which it went wrong. */
  readonly offset: number;
  /** The section of the specification that it breaks, like 'RFC 5354 section 3.9'. */
  readonly section: string;
  readonly reason: string;
  /** The cause that the sender is told with, in an ASAP_ERROR or ENRP_ERROR. */
  readonly cause: ErrorCause;
}

export type Decoded<Message> =
  /** Well formed. `report`: causes for the sender (type bits 11: skipped and reported); empty if none. */
  | { readonly type: 'message'; readonly message: Message; readonly report: readonly ErrorCause[] }
  /** To be dropped (type bits 00, or 01 with something to report); silent if `report` is empty. */
  | { readonly type: 'discard'; readonly report: readonly ErrorCause[] }
  | { readonly type: 'protocolError'; readonly fault: WireFault };
