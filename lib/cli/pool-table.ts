/** Pools and their elements as lines of text. */

import { formatIdentifier } from '../errors.js';
import { formatAddress } from '../transport/transport.js';
import type { MemberSelectionPolicy, PoolElement, Transport } from '../wire/parameters.js';

/** One pool, as far as whoever was asked knows it. */
export interface ShownPool {
  readonly poolHandle: string;
  readonly policy: MemberSelectionPolicy | undefined;
  readonly elements: readonly PoolElement[];
}

/** Where an element's service is. */
export function transportText(transport: Transport): string {
  switch (transport.type) {
    case 'opaque':
      return `opaque ${Buffer.from(transport.data).toString('hex')}`;
    case 'sctp':
      return `sctp ${transport.addresses.map((host) => formatAddress({ host, port: transport.port })).join(' ')}`;
    default:
      return `${transport.type} ${formatAddress({ host: transport.address, port: transport.port })}`;
  }
}

/** A policy and its values. */
export function policyText(policy: MemberSelectionPolicy): string {
  if (policy.type === 'other') return `policy ${formatIdentifier(policy.policyType)}`;
  const values = Object.entries(policy).filter(([name]) => name !== 'type');
  return [policy.type, ...values.map(([name, value]) => `${name}=${value}`)].join(' ');
}

/** A line for each pool, and one for each element below it. */
export function poolLines(pools: readonly ShownPool[]): string[] {
  const lines: string[] = [];
  for (const { poolHandle, policy, elements } of pools) {
    const count = elements.length === 1 ? '1 element' : `${elements.length} elements`;
    lines.push(`${poolHandle}: ${count}${policy === undefined ? '' : `, ${policyText(policy)}`}`);
    for (const { identifier, userTransport, policy: own } of elements) {
      const values = own === undefined ? '' : `  ${policyText(own)}`;
      lines.push(`  ${formatIdentifier(identifier)}  ${transportText(userTransport)}${values}`);
    }
  }
  return lines;
}
