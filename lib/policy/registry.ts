/** Which policies there are, by Policy Type. */

import type { MemberSelectionPolicy } from '../wire/parameters.js';
import { policyTypeOf } from '../wire/policy-parameter.js';
import { leastUsed, leastUsedDegradation, priorityLeastUsed } from './least-used.js';
import type { MemberPolicy } from './member-policy.js';
import {
  priorityLeastUsedDegradation,
  randomizedLeastUsedDegradation,
  randomizedPriorityLeastUsed,
  randomizedPriorityLeastUsedDegradation,
} from './mixed-least-used.js';
import { priority } from './priority.js';
import { randomPolicy } from './random-policy.js';
import { roundRobin } from './round-robin.js';
import { randomizedLeastUsed, weightedRandom } from './weighted-random.js';
import { weightedRoundRobin } from './weighted-round-robin.js';

/** The policies that this library brings: the nine of RFC 5356, and four of the reference implementation. */
export const standardPolicies: readonly MemberPolicy[] = [
  roundRobin,
  weightedRoundRobin,
  randomPolicy,
  weightedRandom,
  priority,
  leastUsed,
  leastUsedDegradation,
  priorityLeastUsed,
  randomizedLeastUsed,
  randomizedPriorityLeastUsed,
  randomizedLeastUsedDegradation,
  priorityLeastUsedDegradation,
  randomizedPriorityLeastUsedDegradation,
];

/**
 * Finds a policy by its type. A policy that is not in it is answered round robin, the one policy that everyone
 * supports (RFC 5356 section 4.1.1), while its values travel unchanged.
 */
export class PolicyRegistry {
  readonly #policies = new Map<number, MemberPolicy>();

  constructor(policies: Iterable<MemberPolicy> = standardPolicies) {
    for (const policy of policies) this.add(policy);
  }

  /** Adds a policy, or replaces the one of the same type. Pools that exist already keep the selector they have. */
  add(policy: MemberPolicy): this {
    this.#policies.set(policy.policyType, policy);
    return this;
  }

  /** The policy of that type, or round robin. */
  get(policy: MemberSelectionPolicy): MemberPolicy {
    return this.#policies.get(policyTypeOf(policy)) ?? roundRobin;
  }
}
