import type { PolicyMember } from '../../lib/policy/member-policy.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';

export interface Member extends PolicyMember {
  readonly name: string;
  policy: MemberSelectionPolicy;
}

export function member(name: string, load?: number): Member {
  return memberOf(name, load === undefined ? { type: 'roundRobin' } : { type: 'leastUsed', load });
}

export function memberOf(name: string, policy: MemberSelectionPolicy): Member {
  return { name, place: -1, policy };
}

export function names(members: readonly Member[]): string {
  return members.map((each) => each.name).join('');
}
