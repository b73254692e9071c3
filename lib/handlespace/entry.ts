/** One registered pool element and what the handlespace knows of it. */

import type { PolicyMember } from '../policy/member-policy.js';
import { roundRobinPolicy } from '../policy/policy-type.js';
import type { MemberSelectionPolicy, PoolElement, PoolHandle } from '../wire/parameters.js';
import type { Occupant } from './room.js';

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
  /** Left out of the answers until it registers again (or is resumed). */
  readonly suspended: boolean;
  /**
   * Belongs to whoever keeps more about the elements of a handlespace: found with the entry, and gone with it. The
   * handlespace itself neither reads nor writes it. A table beside it would take four times as much.
   */
  companion: object | undefined;
}

const suspendedFlag = 1;
const markedFlag = 2;
const registeredHereFlag = 4;

/**
 * The entry as the handlespace writes it. One shape for all and only small integers beside references: there may be a
 * million of these.
 */
export class StoredEntry implements HandlespaceEntry, PolicyMember {
  readonly poolHandle: PoolHandle;
  element: PoolElement;
  /** Belongs to the pool's selector; -1 while suspended. */
  place = -1;
  /** Belongs to the heap of expiries, which knows when; -1 while the registration never expires. */
  expiryPlace = -1;
  companion: object | undefined = undefined;
  /** What is true of it, in one word: `suspendedFlag`, `markedFlag`, `registeredHereFlag`. */
  #flags = 0;

  constructor(poolHandle: PoolHandle, element: PoolElement) {
    this.poolHandle = poolHandle;
    this.element = element;
  }

  get suspended(): boolean {
    return (this.#flags & suspendedFlag) !== 0;
  }

  set suspended(value: boolean) {
    this.#setFlag(suspendedFlag, value);
  }

  /** Marked by a re-synchronisation (RFC 5353 section 3.6.3). */
  get marked(): boolean {
    return (this.#flags & markedFlag) !== 0;
  }

  set marked(value: boolean) {
    this.#setFlag(markedFlag, value);
  }

  /** It registered with this server last; otherwise a peer told of it, or it was a peer's. */
  get registeredHere(): boolean {
    return (this.#flags & registeredHereFlag) !== 0;
  }

  set registeredHere(value: boolean) {
    this.#setFlag(registeredHereFlag, value);
  }

  /** For whose part of a limit it counts. */
  get occupant(): Occupant {
    return this.registeredHere ? 'here' : this.owner;
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

  #setFlag(flag: number, value: boolean): void {
    this.#flags = value ? this.#flags | flag : this.#flags & ~flag;
  }
}
