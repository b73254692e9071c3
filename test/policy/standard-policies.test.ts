/** What holds for every policy that the library brings. */

import test from 'ava';
import fc from 'fast-check';
import { createPickerState } from '../../lib/policy/picker.js';
import { standardPolicies } from '../../lib/policy/registry.js';
import { seededRandom } from '../../lib/random.js';
import type { MemberSelectionPolicy, PoolElement } from '../../lib/wire/parameters.js';
import { policyType } from '../../lib/wire/policy-parameter.js';
import { type Member, memberOf } from './member.js';

const number = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffff_ffff }), fc.constant(0xffff_ffff));
const { roundRobin, random, weightedRoundRobin, weightedRandom, ...others } = policyType;

/** Values of any policy: a pool can hold elements of others, which peers handed over. */
const values: fc.Arbitrary<MemberSelectionPolicy> = fc
  .tuple(fc.constantFrom(...Object.keys(policyType), 'other'), number, number, fc.uint8Array({ maxLength: 12 }))
  .map(([type, one, two, data]): MemberSelectionPolicy => {
    if (type === 'roundRobin' || type === 'random') return { type };
    if (type === 'weightedRoundRobin' || type === 'weightedRandom') return { type, weight: one };
    if (type === 'priority') return { type, priority: one };
    if (type === 'leastUsed' || type === 'randomizedLeastUsed') return { type, load: one };
    if (type === 'leastUsedDegradation' || type === 'priorityLeastUsed')
      return { type, load: one, loadDegradation: two };
    return { type: 'other', policyType: 0xb000_1001 + (one % 4), data };
  });

const step = fc.oneof(
  fc.record({ type: fc.constant('add' as const), policy: values }),
  fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), policy: values }),
  fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }),
  fc.record({ type: fc.constant('return' as const), at: fc.nat(1000) }),
  fc.record({ type: fc.constant('select' as const), count: fc.nat(40) }),
);

function elementOf(identifier: number, policy: MemberSelectionPolicy): PoolElement {
  const userTransport = { type: 'tcp', port: 7, address: '192.0.2.1' } as const;
  return { identifier, homeServerId: 1, registrationLife: 60, userTransport, policy };
}

test('there are the nine policies of RFC 5356 and four more, each type once', (t) => {
  const types = standardPolicies.map((policy) => policy.policyType);
  t.is(new Set(types).size, 13);
  for (const type of [roundRobin, random, weightedRoundRobin, weightedRandom, ...Object.values(others)]) {
    t.true(types.includes(type));
  }
});

for (const policy of standardPolicies) {
  const name = `policy 0x${policy.policyType.toString(16)}`;
  const leavesOut = policy.policyType === weightedRoundRobin || policy.policyType === weightedRandom;
  const canServe = (one: MemberSelectionPolicy) => !(leavesOut && 'weight' in one && one.weight === 0);

  test(`${name}: under any churn an answer has as many as it can, none twice, none that left or cannot serve`, (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), fc.nat(1e9), (steps, seed) => {
        const selector = policy.createSelector<Member>(seededRandom(seed));
        const members: Member[] = [];
        for (const each of steps) {
          if (each.type === 'add') {
            const joining = memberOf(`${members.length}`, each.policy);
            selector.add(joining);
            members.push(joining);
          } else if (each.type === 'select') {
            const answer = selector.select(each.count);
            const able = members.filter((one) => canServe(one.policy));
            t.is(answer.length, Math.min(each.count, able.length));
            t.is(new Set(answer).size, answer.length);
            t.true(answer.every((one) => able.includes(one)));
          } else {
            const index = each.at % Math.max(1, members.length);
            const chosen = members[index];
            if (chosen === undefined) continue;
            if (each.type === 'update') {
              chosen.policy = each.policy;
              selector.update(chosen);
            } else {
              selector.remove(chosen);
              if (each.type === 'remove') members.splice(index, 1);
              else selector.add(chosen);
            }
          }
          t.is(selector.size, members.length);
        }
      }),
      { numRuns: 60 },
    );
  });

  test(`${name}: a pool user takes any element that is not excluded and can serve, and none when there is none`, (t) => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 10 }), fc.array(fc.nat(10)), fc.nat(1e9), (policies, out, seed) => {
        const elements = policies.map((each, i) => elementOf(i, each));
        const excluded = new Set(out);
        // What the registrar's side would leave out, the user's side does where its rule looks at values.
        const looks = policy.policyType === weightedRandom;
        const open = elements.filter(
          (one, i) => !excluded.has(i) && (!looks || canServe(one.policy as MemberSelectionPolicy)),
        );
        const picker = policy.createPicker(elements, seededRandom(seed));
        const state = createPickerState();
        for (let i = 0; i < 5; i++) {
          const picked = picker.next(state, excluded);
          if (open.length === 0) t.is(picked, undefined);
          else t.true(picked !== undefined && open.includes(picked));
        }
        t.is(picker.elements, elements);
      }),
      { numRuns: 100 },
    );
  });
}
