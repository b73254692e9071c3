/** Priority (RFC 5356 section 4.5). */

import type { Random } from '../random.js';
import type { PoolElement } from '../wire/parameters.js';
import { policyType } from '../wire/policy-parameter.js';
import type { MemberPolicy, MemberSelector, Picker, PickerState, PolicyMember } from './member-policy.js';
import { priorityOf } from './policy-values.js';
import { RankedSelector, type Ranking } from './ranked-selector.js';

const descending: Ranking = { rankOf: (policy) => -priorityOf(policy) };

/** Highest priority first, among equals in turn. */
export const priority: MemberPolicy = {
  policyType: policyType.priority,
  createSelector: <Member extends PolicyMember>(_random: Random): MemberSelector<Member> =>
    new RankedSelector<Member>(descending),
  createPicker: (elements: readonly PoolElement[]): Picker => new PriorityPicker(elements),
};

/**
 * Takes the element of the highest priority that is left, each time; of equals the first. It does not rely on the
 * registrar's order, since the duty to take the highest is the pool user's own (RFC 5356 section 4.5.3).
 */
class PriorityPicker implements Picker {
  readonly elements: readonly PoolElement[];

  constructor(elements: readonly PoolElement[]) {
    this.elements = elements;
  }

  next(_state: PickerState, excluded?: ReadonlySet<number>): PoolElement | undefined {
    let best: PoolElement | undefined;
    let highest = -1;
    for (const element of this.elements) {
      const own = element.policy === undefined ? 0 : priorityOf(element.policy);
      if (own <= highest || excluded?.has(element.identifier) === true) continue;
      best = element;
      highest = own;
    }
    return best;
  }
}
