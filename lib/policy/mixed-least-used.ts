/**
 * The least-used policies that the reference implementation has beside those of RFC 5356, of private types. All have
 * the same data, as Least Used with Degradation has (RFC 5356 section 5.2.4):
 *
 *    +---------------------------------------------------------------+
 *    | Load                                                          |
 *    +---------------------------------------------------------------+
 *    | Load Degradation                                              |
 *    +---------------------------------------------------------------+
 */

import type { MemberSelectionPolicy } from '../wire/parameters.js';
import { loadWithNextOf, rankedPolicy } from './least-used.js';
import type { MemberPolicy } from './member-policy.js';
import { fullLoad, loadDegradationOf, loadOf, withLoad } from './policy-values.js';
import { weightedPolicy } from './weighted-random.js';

/** Policy types of the reference implementation. They lack the bit of adaptive policies (RFC 5356 section 7.1). */
export const mixedPolicyType = {
  randomizedPriorityLeastUsed: 0xb0001001,
  randomizedLeastUsedDegradation: 0xb0001002,
  priorityLeastUsedDegradation: 0xb0001003,
  randomizedPriorityLeastUsedDegradation: 0xb0001004,
} as const;

/** What an element registers for one of these policies; a RangeError for values that are not unsigned 32 bits. */
export function mixedLeastUsedValues(
  name: keyof typeof mixedPolicyType,
  load: number,
  loadDegradation: number,
): MemberSelectionPolicy {
  const data = new Uint8Array(8);
  const view = new DataView(data.buffer);
  for (const [index, value] of [load, loadDegradation].entries()) {
    if (!(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff)) {
      throw new RangeError(`${index === 0 ? 'load' : 'loadDegradation'} must be an unsigned 32-bit integer`);
    }
    view.setUint32(index * 4, value);
  }
  return { type: 'other', policyType: mixedPolicyType[name], data };
}

/** By chance: the weight is what is left after one more request, load + load degradation. */
export const randomizedPriorityLeastUsed: MemberPolicy = {
  ...weightedPolicy(mixedPolicyType.randomizedPriorityLeastUsed, {
    weightOf: (policy) => Math.max(0, fullLoad - loadWithNextOf(policy)),
    weightless: 'last',
  }),
  withLoad,
};

/** By chance: the weight is what is left of load + degradation counter x load degradation. */
export const randomizedLeastUsedDegradation: MemberPolicy = {
  ...weightedPolicy(mixedPolicyType.randomizedLeastUsedDegradation, {
    weightOf: (policy) => fullLoad - loadOf(policy),
    degradationOf: loadDegradationOf,
    weightless: 'last',
  }),
  withLoad,
};

/** Lowest load + (degradation counter + 1) x load degradation first. */
export const priorityLeastUsedDegradation: MemberPolicy = {
  ...rankedPolicy(mixedPolicyType.priorityLeastUsedDegradation, {
    rankOf: loadWithNextOf,
    degradationOf: loadDegradationOf,
  }),
  withLoad,
};

/** By chance: the weight is what is left of load + (degradation counter + 1) x load degradation. */
export const randomizedPriorityLeastUsedDegradation: MemberPolicy = {
  ...weightedPolicy(mixedPolicyType.randomizedPriorityLeastUsedDegradation, {
    weightOf: (policy) => Math.max(0, fullLoad - loadWithNextOf(policy)),
    degradationOf: loadDegradationOf,
    weightless: 'last',
  }),
  withLoad,
};
