/** What a session at the pool user's side may be told, with defaults. */

import type { BusinessCard } from './business-card.js';
import type { SearchOptions } from './element-search.js';
import type { FailoverCallback } from './session.js';

export interface UserSessionOptions extends SearchOptions {
  /** Milliseconds to reach the first element. Default: 30,000. */
  readonly connectTimeout: number;
  /** Milliseconds to reach another element after one failed. Default: 30,000. */
  readonly failoverTimeout: number;
  /** Failovers in a row without a message taken or received in between. Default: 16. */
  readonly maxFailovers: number;
  /** Milliseconds for an element that asks to go elsewhere to finish what it has. Default: 10,000. */
  readonly handOverTimeout: number;
  /** Milliseconds to wait for acknowledgements after `end`, without any coming. Default: 30,000. */
  readonly lingerTimeout: number;
  readonly onFailover: FailoverCallback | undefined;
  /**
   * For a user that is an element too: its own card, sent to each element that it reaches (RFC 5352 section 3.9).
   * `host`: the address that the element sees it under.
   */
  readonly businessCard: ((host: string) => BusinessCard | undefined) | undefined;
}

export const defaultUserSessionOptions: UserSessionOptions = {
  connectTimeout: 30_000,
  failoverTimeout: 30_000,
  maxFailovers: 16,
  handOverTimeout: 10_000,
  lingerTimeout: 30_000,
  exclusion: { broken: 250, silent: 2000 },
  backoff: { first: 100, most: 2000 },
  readyTime: 100,
  answerPatience: 250,
  rounds: Number.POSITIVE_INFINITY,
  onFailover: undefined,
  businessCard: undefined,
};
