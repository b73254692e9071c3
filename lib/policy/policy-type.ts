/** What can be read off a policy without knowing how it selects. */

import type { MemberSelectionPolicy } from '../wire/parameters.js';
import { policyTypeOf } from '../wire/policy-parameter.js';

/** The policy that counts where none is stated: the default that everyone supports (RFC 5356 section 4.1.1). */
export const roundRobinPolicy: MemberSelectionPolicy = Object.freeze({ type: 'roundRobin' });

/** Whether two policies are the same Policy Type: the test of RFC 5352 section 3.1 rule 2. Their values may differ. */
export function samePolicyType(one: MemberSelectionPolicy, other: MemberSelectionPolicy): boolean {
  return policyTypeOf(one) === policyTypeOf(other);
}
