/** Random (RFC 5356 section 4.3). */

import type { Random } from '../random.js';
import type { PoolElement } from '../wire/parameters.js';
import { policyType } from '../wire/policy-parameter.js';
import type { MemberPolicy, MemberSelector, Picker, PolicyMember } from './member-policy.js';
import { RandomList } from './random-list.js';
import { WeightedPicker } from './weighted-picker.js';

class RandomSelector<Member extends PolicyMember> implements MemberSelector<Member> {
  readonly #members: RandomList<Member>;

  constructor(random: Random) {
    this.#members = new RandomList<Member>(random, setPlace);
  }

  get size(): number {
    return this.#members.size;
  }

  add(member: Member): void {
    this.#members.push(member);
  }

  update(): void {
    // Random has no values that could have changed.
  }

  remove(member: Member): void {
    this.#members.remove(member.place);
    member.place = -1;
  }

  select(count: number): Member[] {
    return this.#members.draw(count);
  }
}

function setPlace(member: PolicyMember, place: number): void {
  member.place = place;
}

/** Every element equally likely, in every place of the answer. */
export const randomPolicy: MemberPolicy = {
  policyType: policyType.random,
  createSelector: <Member extends PolicyMember>(random: Random): MemberSelector<Member> =>
    new RandomSelector<Member>(random),
  createPicker: (elements: readonly PoolElement[], random: Random): Picker =>
    new WeightedPicker(elements, random, { weightOf: () => 1 }),
};
