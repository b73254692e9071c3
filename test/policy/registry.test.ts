import test from 'ava';
import { leastUsed } from '../../lib/policy/least-used.js';
import type { MemberPolicy } from '../../lib/policy/member-policy.js';
import { samePolicyType } from '../../lib/policy/policy-type.js';
import { PolicyRegistry } from '../../lib/policy/registry.js';
import { roundRobin } from '../../lib/policy/round-robin.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';

const own: MemberSelectionPolicy = { type: 'other', policyType: 0x8000_0001, data: new Uint8Array([1, 2, 3, 4]) };

test('a policy is found by its type', (t) => {
  const registry = new PolicyRegistry();
  t.is(registry.get({ type: 'roundRobin' }), roundRobin);
  t.is(registry.get({ type: 'leastUsed', load: 3 }), leastUsed);
});

test('an unknown policy is answered round robin until somebody adds it', (t) => {
  const registry = new PolicyRegistry();
  const added: MemberPolicy = { ...leastUsed, policyType: 0x8000_0001 };
  t.is(registry.get(own), roundRobin);
  t.is(registry.add(added).get(own), added);
});

test('policies are the same by type, not by value', (t) => {
  t.true(samePolicyType({ type: 'leastUsed', load: 1 }, { type: 'leastUsed', load: 2 }));
  t.true(samePolicyType(own, { type: 'other', policyType: 0x8000_0001, data: new Uint8Array() }));
  t.false(samePolicyType(own, { type: 'other', policyType: 0x8000_0002, data: own.data }));
  t.false(samePolicyType({ type: 'leastUsed', load: 1 }, { type: 'randomizedLeastUsed', load: 1 }));
});
