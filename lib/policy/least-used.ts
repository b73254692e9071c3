/** Least Used, Least Used with Degradation and Priority Least Used (RFC 5356 sections 5.1 to 5.3). */

import type { Random } from '../random.js';
import type { MemberSelectionPolicy, PoolElement } from '../wire/parameters.js';
import { policyType } from '../wire/policy-parameter.js';
import type { MemberPolicy, MemberSelector, Picker, PolicyMember } from './member-policy.js';
import { RankPicker } from './picker.js';
import { loadDegradationOf, loadOf, withLoad } from './policy-values.js';
import { RankedSelector, type Ranking } from './ranked-selector.js';

/**
 * A policy that answers in ascending order of a rank, among equals in turn, and that pool users take in the order of
 * the answer. It is all that a policy like "most used" (RFC 3237 section 2.10) needs.
 */
export function rankedPolicy(type: number, ranking: Ranking): MemberPolicy {
  return {
    policyType: type,
    createSelector: <Member extends PolicyMember>(_random: Random): MemberSelector<Member> =>
      new RankedSelector<Member>(ranking),
    createPicker: (elements: readonly PoolElement[]): Picker => new RankPicker(elements),
  };
}

/** Load and load degradation together: the load after one more request, if it comes to this element. */
export function loadWithNextOf(policy: MemberSelectionPolicy): number {
  return loadOf(policy) + loadDegradationOf(policy);
}

/** Lowest load first. */
export const leastUsed: MemberPolicy = { ...rankedPolicy(policyType.leastUsed, { rankOf: loadOf }), withLoad };

/** Lowest load + degradation counter x load degradation first: what was handed out since the load was reported counts. */
export const leastUsedDegradation: MemberPolicy = {
  ...rankedPolicy(policyType.leastUsedDegradation, { rankOf: loadOf, degradationOf: loadDegradationOf }),
  withLoad,
};

/** Lowest load + load degradation first. */
export const priorityLeastUsed: MemberPolicy = {
  ...rankedPolicy(policyType.priorityLeastUsed, { rankOf: loadWithNextOf }),
  withLoad,
};
