import test from 'ava';
import type { MemberPolicy } from '../../lib/policy/member-policy.js';
import {
  mixedLeastUsedValues,
  mixedPolicyType,
  priorityLeastUsedDegradation,
  randomizedLeastUsedDegradation,
  randomizedPriorityLeastUsed,
  randomizedPriorityLeastUsedDegradation,
} from '../../lib/policy/mixed-least-used.js';
import { loadDegradationOf, loadOf } from '../../lib/policy/policy-values.js';
import { PolicyRegistry } from '../../lib/policy/registry.js';
import { roundRobin } from '../../lib/policy/round-robin.js';
import { type Random, seededRandom } from '../../lib/random.js';
import { decodeAsap } from '../../lib/wire/asap.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { readCaptures } from '../vectors/captures.js';
import { chiSquareProbability } from './chi-square.js';
import { type Member, memberOf, names } from './member.js';

const full = 0xffff_ffff;

function poolOf(
  policy: MemberPolicy,
  name: keyof typeof mixedPolicyType,
  pairs: readonly (readonly [number, number])[],
  random: Random = seededRandom(31),
) {
  const selector = policy.createSelector<Member>(random);
  const members = pairs.map(([load, loadDegradation], i) =>
    memberOf(String.fromCharCode(65 + i), mixedLeastUsedValues(name, load, loadDegradation)),
  );
  for (const each of members) selector.add(each);
  const count = (draws: number) => {
    const counts = members.map(() => 0);
    for (let i = 0; i < draws; i++) {
      const index = members.indexOf(selector.select(1)[0] as Member);
      counts[index] = (counts[index] as number) + 1;
      for (const each of members) selector.update(each);
    }
    return counts;
  };
  return { selector, members, count };
}

/** The policies that elements of the reference implementation registered with, by pool. */
function capturedPolicies(): ReadonlyMap<string, MemberSelectionPolicy> {
  const policies = new Map<string, MemberSelectionPolicy>();
  for (const { name, bytes } of readCaptures()) {
    const decoded = name.startsWith('asap_policies') ? decodeAsap(bytes) : undefined;
    if (decoded?.type !== 'message' || decoded.message.type !== 'registration') continue;
    const { poolHandle, poolElement } = decoded.message;
    if (poolElement.policy !== undefined) policies.set(poolHandle, poolElement.policy);
  }
  return policies;
}

test('elements of the reference implementation state load and load degradation', (t) => {
  const captured = capturedPolicies();
  for (const [pool, policy, load, loadDegradation] of [
    ['RandomizedPriorityLeastUsed', randomizedPriorityLeastUsed, 0, 0],
    ['PriorityLeastUsedDegradation', priorityLeastUsedDegradation, 0, 0x2000_0000],
  ] as const) {
    const values = captured.get(pool) as MemberSelectionPolicy;
    t.is(new PolicyRegistry().get(values), policy);
    t.is(loadOf(values), load);
    t.is(loadDegradationOf(values), loadDegradation);
  }
  t.deepEqual(
    mixedLeastUsedValues('priorityLeastUsedDegradation', 0, 0x2000_0000),
    captured.get('PriorityLeastUsedDegradation'),
  );
});

test('the policies of the reference implementation that know distances are answered round robin', (t) => {
  const captured = capturedPolicies();
  for (const pool of ['WeightedRandomDPF', 'LeastUsedDPF']) {
    t.is(new PolicyRegistry().get(captured.get(pool) as MemberSelectionPolicy), roundRobin);
  }
});

test('priority least used with degradation counts the next request and those handed out', (t) => {
  const { selector, members } = poolOf(priorityLeastUsedDegradation, 'priorityLeastUsedDegradation', [
    [0, 10],
    [0, 25],
    [30, 1],
  ]);
  // 10, 20, 30 against 25 against 31.
  t.is([1, 2, 3, 4].map(() => names(selector.select(1))).join(''), 'AABA');
  t.is(names(selector.select(3)), 'CAB');
  selector.update(members[0] as Member);
  t.is(names(selector.select(1)), 'A');
});

test('randomized priority least used draws by what the next request would leave', (t) => {
  const { count } = poolOf(randomizedPriorityLeastUsed, 'randomizedPriorityLeastUsed', [
    [0, 2 ** 31],
    [2 ** 31, 2 ** 30],
    [0, 0],
  ]);
  t.true(chiSquareProbability(count(50_000), [full - 2 ** 31, full - 2 ** 31 - 2 ** 30, full]) > 0.01);
});

test('randomized least used with degradation draws by what is left after those handed out', (t) => {
  const { selector, count } = poolOf(randomizedLeastUsedDegradation, 'randomizedLeastUsedDegradation', [
    [2 ** 31, 0],
    [0, full],
  ]);
  t.true(chiSquareProbability(count(50_000), [full - 2 ** 31, full]) > 0.01);
  // Returned once, the second has nothing left: it is the last from now on.
  t.is(selector.select(2).length, 2);
  for (let i = 0; i < 50; i++) t.is(names(selector.select(2)), 'AB');
});

test('randomized priority least used with degradation counts both', (t) => {
  const quarter = 2 ** 30;
  const { selector, members, count } = poolOf(
    randomizedPriorityLeastUsedDegradation,
    'randomizedPriorityLeastUsedDegradation',
    [
      [quarter, 0],
      [0, quarter],
    ],
  );
  t.true(chiSquareProbability(count(50_000), [1, 1]) > 0.01);
  // Three times returned, nothing but a remainder of rounding is left of the second.
  const [, b] = members as [Member, Member];
  for (let left = 3; left > 0; ) if (selector.select(1)[0] === b) left--;
  for (let i = 0; i < 50; i++) t.is(names(selector.select(2)), 'AB');
});

test('data that is too short counts as a full load without degradation', (t) => {
  for (const length of [0, 3, 4, 7]) {
    const policy: MemberSelectionPolicy = {
      type: 'other',
      policyType: mixedPolicyType.priorityLeastUsedDegradation,
      data: new Uint8Array(length).fill(1),
    };
    t.is(loadOf(policy), length < 4 ? full : 0x0101_0101);
    t.is(loadDegradationOf(policy), 0);
  }
});

test('values that are not unsigned 32-bit integers are refused', (t) => {
  for (const value of [-1, 0.5, 2 ** 32, Number.NaN]) {
    t.throws(() => mixedLeastUsedValues('randomizedPriorityLeastUsed', value, 0), {
      instanceOf: RangeError,
      message: /^load must/,
    });
    t.throws(() => mixedLeastUsedValues('randomizedPriorityLeastUsed', 0, value), {
      instanceOf: RangeError,
      message: /^loadDegradation must/,
    });
  }
});
