/** What the handlespace tells about its changes, for subscribers (the S bit) and peers (ENRP Handle Update). */

import type { PoolElement, PoolHandle } from '../wire/parameters.js';
import type { HandlespaceEntry } from './entry.js';

/** Why an element was added, updated or removed. */
export type ChangeReason =
  /** The element registered here (RFC 5352 section 3.1). */
  | 'registration'
  /** The element deregistered here (RFC 5352 section 3.2). */
  | 'deregistration'
  /** Its registration life ended. */
  | 'expiry'
  /** Its connection broke, and it did not register again. */
  | 'connectionBroken'
  /** It left a keep-alive unanswered (RFC 5352 sections 3.4 and 3.5). */
  | 'unreachable'
  /** A peer announced it (RFC 5353 section 3.3). */
  | 'handleUpdate'
  /** It came or went with a peer's handle table (RFC 5353 sections 3.2.3 and 3.6.3). */
  | 'handleTable'
  /** Its home ENRP server failed (RFC 5353 section 3.5). */
  | 'takeover'
  /** Whoever runs this server wants it so. */
  | 'administration';

export interface HandlespaceChange {
  readonly type: 'added' | 'updated' | 'removed';
  readonly poolHandle: PoolHandle;
  readonly entry: HandlespaceEntry;
  readonly reason: ChangeReason;
  /** What the element was before an update. */
  readonly previous?: PoolElement;
  /** Whether an update brought a suspended element back into the answers. */
  readonly resumed: boolean;
}
