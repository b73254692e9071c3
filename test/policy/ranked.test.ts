/** The policies by rank: Priority, Least Used with Degradation, Priority Least Used. */

import test from 'ava';
import fc from 'fast-check';
import { leastUsedDegradation, priorityLeastUsed } from '../../lib/policy/least-used.js';
import type { MemberPolicy } from '../../lib/policy/member-policy.js';
import { priority } from '../../lib/policy/priority.js';
import { seededRandom } from '../../lib/random.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { type Member, member, memberOf, names } from './member.js';

const random = seededRandom(1);

function poolOf(policy: MemberPolicy, values: readonly MemberSelectionPolicy[]) {
  const selector = policy.createSelector<Member>(random);
  const members = values.map((each, i) => memberOf(String.fromCharCode(65 + i), each));
  for (const each of members) selector.add(each);
  return { selector, members };
}

type Loaded = 'leastUsedDegradation' | 'priorityLeastUsed';

function loads(type: Loaded, ...pairs: readonly (readonly [number, number])[]): MemberSelectionPolicy[] {
  return pairs.map(([load, loadDegradation]) => ({ type, load, loadDegradation }));
}

test('priority: descending, and equals take turns', (t) => {
  const { selector, members } = poolOf(
    priority,
    [3, 0xffff_ffff, 7, 3].map((value) => ({ type: 'priority', priority: value })),
  );
  selector.add(member('N'));
  t.is(names(selector.select(9)), 'BCADN');
  t.is(names(selector.select(9)), 'BCDAN');
  const [a] = members as [Member];
  a.policy = { type: 'priority', priority: 8 };
  selector.update(a);
  t.is(names(selector.select(2)), 'BA');
});

test('priority least used: ascending by load and load degradation together, and equals take turns', (t) => {
  const half = 0x8000_0000;
  const { selector } = poolOf(
    priorityLeastUsed,
    loads('priorityLeastUsed', [half, half - 1], [half, 2 ** 28], [0xffff_ffff, 0xffff_ffff], [2 ** 28, half]),
  );
  t.is(names(selector.select(9)), 'BDAC');
  t.is(names(selector.select(9)), 'DBAC');
  t.is(names(selector.select(1)), 'B');
});

test('least used with degradation: each time that it is returned, an element is degraded', (t) => {
  const { selector } = poolOf(leastUsedDegradation, loads('leastUsedDegradation', [0, 10], [25, 10]));
  // 0, 10, 20, 30 against 25, 35.
  t.is([1, 2, 3, 4, 5, 6].map(() => names(selector.select(1))).join(''), 'AAABAB');
});

test('least used with degradation: all of an answer are degraded, not only the first', (t) => {
  const { selector } = poolOf(leastUsedDegradation, loads('leastUsedDegradation', [0, 1], [0, 100], [50, 1]));
  t.is(names(selector.select(2)), 'AB');
  t.is(names(selector.select(3)), 'ACB');
});

test('least used with degradation: registering again sets the counter to 0', (t) => {
  const { selector, members } = poolOf(leastUsedDegradation, loads('leastUsedDegradation', [0, 10], [5, 10]));
  const [a] = members as [Member];
  t.is(names(selector.select(1)), 'A');
  t.is(names(selector.select(2)), 'BA');
  selector.update(a);
  t.is(names(selector.select(2)), 'AB');
});

test('least used with degradation: without any degradation equals take turns', (t) => {
  const { selector } = poolOf(leastUsedDegradation, loads('leastUsedDegradation', [5, 0], [5, 0], [5, 0]));
  t.deepEqual(
    [3, 3, 1].map((count) => names(selector.select(count))),
    ['ABC', 'BCA', 'C'],
  );
});

const value = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffff_ffff }));
const step = fc.oneof(
  fc.record({ type: fc.constant('add' as const), load: value, degradation: value }),
  fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), load: value, degradation: value }),
  fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }),
  fc.record({ type: fc.constant('select' as const), count: fc.nat(12) }),
);

/** What each policy makes of a pair of values, and the rank it gives after so many times in an answer. */
const ranked = [
  {
    policy: priority,
    values: (load: number): MemberSelectionPolicy => ({ type: 'priority', priority: load }),
    rank: (load: number) => -load,
  },
  {
    policy: priorityLeastUsed,
    values: (load: number, loadDegradation: number) => ({ type: 'priorityLeastUsed', load, loadDegradation }) as const,
    rank: (load: number, degradation: number) => load + degradation,
  },
  {
    policy: leastUsedDegradation,
    values: (load: number, loadDegradation: number) =>
      ({ type: 'leastUsedDegradation', load, loadDegradation }) as const,
    rank: (load: number, degradation: number, counter: number) => load + degradation * counter,
  },
];

for (const { policy, values, rank } of ranked) {
  test(`under any churn answers of policy 0x${policy.policyType.toString(16)} are those of a sorted list`, (t) => {
    interface Modelled {
      readonly member: Member;
      load: number;
      degradation: number;
      counter: number;
      turn: number;
    }
    const rankOf = (one: Modelled) => rank(one.load, one.degradation, one.counter);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const selector = policy.createSelector<Member>(random);
        let model: Modelled[] = [];
        let turn = 0;
        for (const each of steps) {
          if (each.type === 'add') {
            const joining = memberOf(`${turn}`, values(each.load, each.degradation));
            selector.add(joining);
            model.push({ member: joining, load: each.load, degradation: each.degradation, counter: 0, turn: turn++ });
          } else if (each.type === 'select') {
            model.sort((a, b) => rankOf(a) - rankOf(b) || a.turn - b.turn);
            const expected = model.slice(0, each.count);
            t.deepEqual(
              selector.select(each.count),
              expected.map((one) => one.member),
            );
            const ranks = expected.map(rankOf);
            for (const [i, one] of expected.entries()) {
              if (ranks[i] !== ranks[i - 1]) one.turn = turn++;
              one.counter++;
            }
          } else {
            const chosen = model[each.at % Math.max(1, model.length)];
            if (chosen === undefined) continue;
            if (each.type === 'remove') {
              selector.remove(chosen.member);
              model = model.filter((one) => one !== chosen);
            } else {
              Object.assign(chosen, { load: each.load, degradation: each.degradation, counter: 0 });
              chosen.member.policy = values(each.load, each.degradation);
              selector.update(chosen.member);
            }
          }
          t.is(selector.size, model.length);
        }
      }),
      { numRuns: 150 },
    );
  });
}
