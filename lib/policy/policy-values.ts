/**
 * The numbers in a policy, with what counts where a policy does not state one. That happens: a peer may hand over an
 * element of another policy than its pool's (RFC 5353 section 3.3.1), and data of private policies may be too short.
 */

import type { MemberSelectionPolicy } from '../wire/parameters.js';

/** The load of an element that is fully used (RFC 5356 section 3.1). */
export const fullLoad = 0xffff_ffff;

/** An unsigned 32-bit number, big-endian, in the data of a private policy; undefined where the data ends before it. */
function numberAt(data: Uint8Array, offset: number): number | undefined {
  if (offset + 4 > data.length) return undefined;
  const high = ((data[offset] as number) << 8) | (data[offset + 1] as number);
  const low = ((data[offset + 2] as number) << 8) | (data[offset + 3] as number);
  return high * 0x1_0000 + low;
}

/** The load; full when none is stated, so that the element comes last. The private policies state it first. */
export function loadOf(policy: MemberSelectionPolicy): number {
  if ('load' in policy) return policy.load;
  return policy.type === 'other' ? (numberAt(policy.data, 0) ?? fullLoad) : fullLoad;
}

/** The load degradation; 0 when none is stated. The private policies state it second. */
export function loadDegradationOf(policy: MemberSelectionPolicy): number {
  if ('loadDegradation' in policy) return policy.loadDegradation;
  return policy.type === 'other' ? (numberAt(policy.data, 4) ?? 0) : 0;
}

/** The values with that load (unsigned 32 bits): in the field for it, or first in the data of a private policy. */
export function withLoad(policy: MemberSelectionPolicy, load: number): MemberSelectionPolicy {
  if ('load' in policy) return { ...policy, load };
  if (policy.type !== 'other') return policy;
  const data = new Uint8Array(Math.max(4, policy.data.length));
  data.set(policy.data);
  new DataView(data.buffer).setUint32(0, load);
  return { ...policy, data };
}

/**
 * The values with what is left of the weight at that load (unsigned 32 bits): 1 at least, since 0 would mean that the
 * element cannot serve; 0 stays 0.
 */
export function withWeightLeft(policy: MemberSelectionPolicy, load: number): MemberSelectionPolicy {
  if (!('weight' in policy) || policy.weight === 0) return policy;
  return { ...policy, weight: Math.max(1, Math.round(policy.weight * (1 - load / fullLoad))) };
}

/** The weight; 1 when none is stated, with which the weighted policies are their unweighted ones. */
export function weightOf(policy: MemberSelectionPolicy): number {
  return 'weight' in policy ? policy.weight : 1;
}

/** The priority; 0, the lowest, when none is stated. */
export function priorityOf(policy: MemberSelectionPolicy): number {
  return policy.type === 'priority' ? policy.priority : 0;
}
