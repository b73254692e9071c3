/** Least Used (RFC 5356 section 5.1). */

import type { Random } from '../random.js';
import type { MemberSelectionPolicy, PoolElement } from '../wire/parameters.js';
import { policyType } from '../wire/policy-parameter.js';
import { IndexedHeap } from './indexed-heap.js';
import type { MemberPolicy, MemberSelector, Picker, PolicyMember } from './member-policy.js';
import { RankPicker } from './picker.js';

/** A peer may hand us an element of another policy in a pool of this one; without a load it comes last. */
function loadOf(policy: MemberSelectionPolicy): number {
  return 'load' in policy ? policy.load : 0xffff_ffff;
}

/** Ordered by load and, among equal loads, by turn: the one whose turn is longest ago comes first. */
class LeastUsedSelector<Member extends PolicyMember> implements MemberSelector<Member> {
  readonly #heap = new IndexedHeap<Member>(setPlace);
  #turn = 0;

  get size(): number {
    return this.#heap.size;
  }

  add(member: Member): void {
    this.#heap.push(member, loadOf(member.policy), this.#turn++);
  }

  update(member: Member): void {
    this.#heap.update(member.place, loadOf(member.policy), this.#heap.secondaryAt(member.place));
  }

  remove(member: Member): void {
    this.#heap.remove(member.place);
  }

  select(count: number): Member[] {
    const answer = this.#heap.smallest(count);
    // As with the head of round robin, only the first of each group of equals has had its turn: were the whole
    // answer sent to the back, an answer that holds the whole group would come out in the same order for ever.
    let previousLoad = -1;
    for (const member of answer) {
      const load = this.#heap.primaryAt(member.place);
      if (load !== previousLoad) this.#heap.update(member.place, load, this.#turn++);
      previousLoad = load;
    }
    return answer;
  }
}

function setPlace(member: PolicyMember, place: number): void {
  member.place = place;
}

export const leastUsed: MemberPolicy = {
  policyType: policyType.leastUsed,
  createSelector: <Member extends PolicyMember>(_random: Random): MemberSelector<Member> =>
    new LeastUsedSelector<Member>(),
  createPicker: (elements: readonly PoolElement[]): Picker => new RankPicker(elements),
};
