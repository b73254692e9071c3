/** What one pool member selection policy is (RFC 5356): how a registrar chooses, and how a pool user does. */

import type { Random } from '../random.js';
import type { MemberSelectionPolicy, PoolElement } from '../wire/parameters.js';

/** A pool element as a selector sees it. */
export interface PolicyMember {
  /**
   * The element's own policy values, as of its latest registration: a new object with each one that states values, so
   * that a member which comes back with the object it left with has not registered meanwhile.
   */
  readonly policy: MemberSelectionPolicy;
  /**
   * One integer that belongs to the selector which the member is in, so that finding a member costs no look-up.
   * Nobody else writes it while the member is in.
   */
  place: number;
}

/**
 * Chooses among the members of one pool on the registrar's side. It is only ever called synchronously, with members
 * that are in (update, remove) or not (add); no operation may cost more than O(log n), select(count) O(count log n).
 */
export interface MemberSelector<Member extends PolicyMember> {
  /** How many members are in. */
  readonly size: number;
  /** A member joins or comes back: the last in its turn. */
  add(member: Member): void;
  /** A member registered again: its policy values may have changed. It keeps its turn; it is no longer degraded. */
  update(member: Member): void;
  /** A member leaves. */
  remove(member: Member): void;
  /**
   * At most `count` members in the order of the answer, none twice; counts as one handle resolution. Members that
   * say they cannot serve (weight 0) are left out. `hint`: what the pool user says to the policy, from anybody and so of
   * any form; those of RFC 5356 heed none.
   */
  select(count: number, hint?: Uint8Array): Member[];
}

/** What a pool user keeps for each pool from one answer to the next. The picker writes it; who fails over may move it. */
export interface PickerState {
  /** How many elements into the list the next turn begins; a new answer from the registrar begins at 0 again. */
  cursor: number;
}

/** An unchanging view of one answer, from which a pool user takes element after element. */
export interface Picker {
  /** The elements of the answer, in its order. */
  readonly elements: readonly PoolElement[];
  /**
   * The element to try next, or undefined when there is none left. Elements whose PE identifier is in `excluded`
   * (they failed, or are in use) are passed over.
   */
  next(state: PickerState, excluded?: ReadonlySet<number>): PoolElement | undefined;
}

/** One pool member selection policy. Stateless: what it must remember is in the selectors and pickers that it makes. */
export interface MemberPolicy {
  /** Policy Type (unsigned 32 bits, RFC 5356 section 7.1); private ones have the highest bit set. */
  readonly policyType: number;
  /** A selector for one pool, without members. */
  createSelector<Member extends PolicyMember>(random: Random): MemberSelector<Member>;
  /**
   * An element's values with its load in them (unsigned 32 bits): how elements report it. `policy` has the values of an
   * idle element. Absent: the policy has no use for a load.
   */
  withLoad?(policy: MemberSelectionPolicy, load: number): MemberSelectionPolicy;
  /** The pool user's side for one answer. The list is not copied: it must not change. */
  createPicker(elements: readonly PoolElement[], random: Random): Picker;
}
