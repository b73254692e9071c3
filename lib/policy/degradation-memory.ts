/** What becomes of a degradation counter while its element is left out of the answers. */

import type { MemberSelectionPolicy } from '../wire/parameters.js';
import type { PolicyMember } from './member-policy.js';

/**
 * Degradation counters are set to 0 by registrations alone (RFC 5356 section 5.2.2). A member that is left out for a
 * while and comes back has not registered: it has the policy object with which it left, since every registration
 * brings a new one.
 */
export class DegradationMemory<Member extends PolicyMember> {
  readonly #left = new WeakMap<Member, { readonly policy: MemberSelectionPolicy; readonly value: number }>();

  /** The member leaves, degraded to `value`. */
  keep(member: Member, value: number): void {
    this.#left.set(member, { policy: member.policy, value });
  }

  /** What the member had when it left, unless it has registered since; asked once. */
  take(member: Member): number | undefined {
    const left = this.#left.get(member);
    if (left === undefined) return undefined;
    this.#left.delete(member);
    return left.policy === member.policy ? left.value : undefined;
  }
}
