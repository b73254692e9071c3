/** An element that this registrar serves: how to reach it, and how its reachability is watched. */

import type { Timer } from '../clock.js';
import type { HandlespaceEntry } from '../handlespace/entry.js';
import type { RegistrarConnection } from './connection.js';

/** idle: until the next keep-alive is due. probing: one is unanswered. stopped: removed. */
export type WatchState = 'idle' | 'probing' | 'stopped';

export interface ServedElement {
  readonly entry: HandlespaceEntry;
  /** The connection that it registered over, while that is open. */
  connection: RegistrarConnection | undefined;
  watch: WatchState;
  /** When idle, until the next keep-alive; when probing, until it has failed. */
  timer: Timer | undefined;
  /** Ends a probe over a connection of its own. */
  hangUp: (() => void) | undefined;
  /** When it acknowledged last, in milliseconds. */
  heardAt: number;
  /** Reporters of unreachability and when (RFC 5352 section 3.5); each counts once. */
  readonly reporters: Map<RegistrarConnection, number>;
}
