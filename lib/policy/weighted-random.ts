/** Weighted Random and Randomized Least Used (RFC 5356 sections 4.4 and 5.4). */

import type { Random } from '../random.js';
import type { MemberSelectionPolicy, PoolElement } from '../wire/parameters.js';
import { policyType } from '../wire/policy-parameter.js';
import type { MemberPolicy, MemberSelector, Picker, PolicyMember } from './member-policy.js';
import { fullLoad, loadOf, weightOf, withLoad, withWeightLeft } from './policy-values.js';
import { type Weighing, WeightedPicker } from './weighted-picker.js';
import { WeightedRandomSelector } from './weighted-random-selector.js';

/** A policy that draws by weight, at the registrar as at the pool user. */
export function weightedPolicy(type: number, weighing: Weighing): MemberPolicy {
  return {
    policyType: type,
    createSelector: <Member extends PolicyMember>(random: Random): MemberSelector<Member> =>
      new WeightedRandomSelector<Member>(random, weighing),
    createPicker: (elements: readonly PoolElement[], random: Random): Picker =>
      new WeightedPicker(elements, random, weighing),
  };
}

/** Elements of weight 0 cannot serve (RFC 5356 section 3.2): they are in no answer. */
export const weightedRandom: MemberPolicy = {
  ...weightedPolicy(policyType.weightedRandom, { weightOf }),
  withLoad: withWeightLeft,
};

/**
 * The weight is what is left of the load. Fully loaded elements come last, and not never as those of weight 0: they
 * can serve, and a pool that is full should not look like one that is gone.
 */
export const randomizedLeastUsed: MemberPolicy = {
  ...weightedPolicy(policyType.randomizedLeastUsed, {
    weightOf: (policy: MemberSelectionPolicy) => fullLoad - loadOf(policy),
    weightless: 'last',
  }),
  withLoad,
};
