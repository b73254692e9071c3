/** What ENRP needs of the part of a registrar that knows its elements by their connections. */

import type { HandlespaceEntry } from '../handlespace/entry.js';

export interface ElementHooks {
  /** Whether an element of ours has a connection to us that is open: then it is ours beyond doubt. */
  isConnected(entry: HandlespaceEntry): boolean;
  /**
   * These have become ours without having registered here: each is to be sent an ASAP_ENDPOINT_KEEP_ALIVE with H
   * (RFC 5353 section 3.5.2), and to be removed if it does not answer.
   */
  claim(entries: readonly HandlespaceEntry[]): void;
  /** A peer says that this element of ours is gone: it is to be asked, and removed if it does not answer. */
  verify(entry: HandlespaceEntry): void;
}
