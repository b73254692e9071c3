/** Round Robin (RFC 5356 section 4.1): the default policy, and how pools of unknown policies are answered. */

import type { Random } from '../random.js';
import type { PoolElement } from '../wire/parameters.js';
import { policyType } from '../wire/policy-parameter.js';
import type { MemberPolicy, MemberSelector, Picker, PolicyMember } from './member-policy.js';
import { TurnPicker } from './picker.js';

/**
 * The circular list of RFC 5356 section 4.1.2. A member's place is a slot; each slot knows the slots before and
 * after it. Two arrays of small integers instead of links in the members keep an element small and let any object
 * be a member.
 */
export class RoundRobinSelector<Member extends PolicyMember> implements MemberSelector<Member> {
  readonly #members: (Member | undefined)[] = [];
  readonly #after: number[] = [];
  readonly #before: number[] = [];
  readonly #free: number[] = [];
  #head = -1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Joins just behind the head's back: everyone who waits already comes first. */
  add(member: Member): void {
    const slot = this.#free.pop() ?? this.#members.length;
    this.#members[slot] = member;
    member.place = slot;
    this.#size++;
    if (this.#head === -1) {
      this.#head = slot;
      this.#link(slot, slot);
      return;
    }
    const last = this.#before[this.#head] as number;
    this.#link(last, slot);
    this.#link(slot, this.#head);
  }

  update(): void {
    // Round robin has no values that could have changed.
  }

  remove(member: Member): void {
    const slot = member.place;
    const after = this.#after[slot] as number;
    this.#link(this.#before[slot] as number, after);
    if (this.#head === slot) this.#head = after === slot ? -1 : after;
    this.#members[slot] = undefined;
    this.#free.push(slot);
    this.#size--;
    member.place = -1;
  }

  select(count: number): Member[] {
    const answer: Member[] = [];
    let slot = this.#head;
    for (let left = Math.min(count, this.#size); left > 0; left--) {
      answer.push(this.#members[slot] as Member);
      slot = this.#after[slot] as number;
    }
    // One step for each resolution, whatever its length, so that no two answers in a row begin alike.
    if (answer.length > 0) this.#head = this.#after[this.#head] as number;
    return answer;
  }

  #link(slot: number, after: number): void {
    this.#after[slot] = after;
    this.#before[after] = slot;
  }
}

export const roundRobin: MemberPolicy = {
  policyType: policyType.roundRobin,
  createSelector: <Member extends PolicyMember>(_random: Random): MemberSelector<Member> =>
    new RoundRobinSelector<Member>(),
  createPicker: (elements: readonly PoolElement[]): Picker => new TurnPicker(elements),
};
