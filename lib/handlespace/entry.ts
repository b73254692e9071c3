/** One registered pool element and what the handlespace knows of it. */

import type { PolicyMember } from '../policy/member-policy.js';
import { roundRobinPolicy } from '../policy/policy-type.js';
import type { MemberSelectionPolicy, PoolElement, PoolHandle } from '../wire/parameters.js';

/**
 * A registered pool element. It is live: the same object as long as the element is registered, its properties as of
 * now. After its removal it keeps its last state.
 */
export interface HandlespaceEntry {
  readonly poolHandle: PoolHandle;
  /** PE identifier, unsigned 32 bits. */
  readonly identifier: number;
  /** As registered, with its owner as home server. A new object at each change, so that it can be kept. */
  readonly element: PoolElement;
  /** Identifier of the home ENRP server, the element's owner (RFC 5352 section 3.1 rule 4). */
  readonly owner: number;
  /** When the registration expires, in the caller's milliseconds; Infinity: never. */
  readonly expiresAt: number;
  /** Left out of the answers until it registers again (or is resumed). */
  readonly suspended: boolean;
}

/**
 * The entry as the handlespace writes it. One shape for all and only numbers beside references: there may be a
 * million of these.
 */
export class StoredEntry implements HandlespaceEntry, PolicyMember {
  readonly poolHandle: PoolHandle;
  element: PoolElement;
  expiresAt: number = Number.POSITIVE_INFINITY;
  /** Belongs to the pool's selector; -1 while suspended. */
  place = -1;
  /** Belongs to the heap of expiries; -1 while the registration never expires. */
  expiryPlace = -1;
  suspended = false;
  /** Marked by a re-synchronisation (RFC 5353 section 3.6.3). */
  marked = false;

  constructor(poolHandle: PoolHandle, element: PoolElement) {
    this.poolHandle = poolHandle;
    this.element = element;
  }

  get identifier(): number {
    return this.element.identifier;
  }

  get owner(): number {
    return this.element.homeServerId;
  }

  get policy(): MemberSelectionPolicy {
    return this.element.policy ?? roundRobinPolicy;
  }
}
