/** The policies by chance: Random, Weighted Random, Randomized Least Used. */

import test from 'ava';
import fc from 'fast-check';
import type { MemberPolicy, MemberSelector } from '../../lib/policy/member-policy.js';
import { randomPolicy } from '../../lib/policy/random-policy.js';
import { randomizedLeastUsed, weightedRandom } from '../../lib/policy/weighted-random.js';
import { type Random, seededRandom } from '../../lib/random.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { chiSquareProbability } from './chi-square.js';
import { type Member, member, memberOf, names } from './member.js';
import { pointsRandom } from './points.js';

const most = 0xffff_ffff;

function poolOf(policy: MemberPolicy, values: readonly MemberSelectionPolicy[], random: Random) {
  const selector = policy.createSelector<Member>(random);
  const members = values.map((each, i) => memberOf(String.fromCharCode(65 + i), each));
  for (const each of members) selector.add(each);
  return { selector, members };
}

function weights(...given: readonly number[]): MemberSelectionPolicy[] {
  return given.map((weight) => ({ type: 'weightedRandom', weight }));
}

function loads(...given: readonly number[]): MemberSelectionPolicy[] {
  return given.map((load) => ({ type: 'randomizedLeastUsed', load }));
}

/** How often each ordered answer came. */
function countAnswers(selector: MemberSelector<Member>, count: number, draws: number, answers: readonly string[]) {
  const counts = new Map(answers.map((answer) => [answer, 0]));
  for (let i = 0; i < draws; i++) {
    const answer = names(selector.select(count));
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  return answers.map((answer) => counts.get(answer) ?? 0);
}

test('random: every answer is equally likely, in every order', (t) => {
  const { selector } = poolOf(randomPolicy, Array(4).fill({ type: 'random' }), seededRandom(21));
  const pairs = ['AB', 'AC', 'AD', 'BA', 'BC', 'BD', 'CA', 'CB', 'CD', 'DA', 'DB', 'DC'];
  t.true(chiSquareProbability(countAnswers(selector, 2, 60_000, pairs), Array(12).fill(1)) > 0.01);
  t.true(chiSquareProbability(countAnswers(selector, 1, 60_000, [...'ABCD']), Array(4).fill(1)) > 0.01);
});

test('weighted random: the first comes by its share, the second by its share of the rest', (t) => {
  const given = { A: 1, B: 2, C: 5, D: 12 };
  const { selector } = poolOf(weightedRandom, weights(...Object.values(given)), seededRandom(22));
  t.true(chiSquareProbability(countAnswers(selector, 1, 100_000, Object.keys(given)), Object.values(given)) > 0.01);
  const entries = Object.entries(given);
  const pairs = entries.flatMap((one) =>
    entries.filter((other) => other !== one).map((other) => [one, other] as const),
  );
  const shares = pairs.map(([[, one], [, other]]) => (one / 20) * (other / (20 - one)));
  const answers = pairs.map(([[one], [other]]) => one + other);
  t.true(chiSquareProbability(countAnswers(selector, 2, 100_000, answers), shares) > 0.01);
});

test('weighted random: shares hold for the greatest weights', (t) => {
  const given = [most, most - 1, 2 ** 30, 2 ** 26];
  const { selector } = poolOf(weightedRandom, weights(...given), seededRandom(23));
  t.true(chiSquareProbability(countAnswers(selector, 1, 200_000, [...'ABCD']), given) > 0.01);
});

test('weighted random: weight 1 beside the greatest has its one point', (t) => {
  const at = (point: number) =>
    names(poolOf(weightedRandom, weights(1, most, 1), pointsRandom(point)).selector.select(1));
  t.is(at(0), 'A');
  t.is(at(1), 'B');
  t.is(at(most), 'B');
  t.is(at(most + 1), 'C');
});

test('weighted random: weight 0 is in no answer, and no weight is weight 1', (t) => {
  const { selector, members } = poolOf(weightedRandom, weights(0, 3, 0), seededRandom(24));
  t.is(names(selector.select(9)), 'B');
  t.is(selector.size, 3);
  const [a, b] = members as [Member, Member];
  a.policy = { type: 'weightedRandom', weight: 1 };
  selector.update(a);
  b.policy = { type: 'weightedRandom', weight: 0 };
  selector.update(b);
  t.is(names(selector.select(9)), 'A');
  selector.remove(a);
  t.deepEqual(selector.select(9), []);
  selector.add(member('N'));
  selector.add(memberOf('M', { type: 'weightedRandom', weight: 3 }));
  t.true(chiSquareProbability(countAnswers(selector, 1, 20_000, ['N', 'M']), [1, 3]) > 0.01);
});

test('randomized least used: the share is that of the unused rest, and full elements come last', (t) => {
  const { selector } = poolOf(randomizedLeastUsed, loads(0, most - 2 ** 30, most, 2 ** 31, most), seededRandom(25));
  const shares = [most, 2 ** 30, most - 2 ** 31];
  t.true(chiSquareProbability(countAnswers(selector, 1, 100_000, [...'ABD']), shares) > 0.01);
  const ends = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const answer = names(selector.select(9));
    t.is([...answer.slice(0, 3)].toSorted().join(''), 'ABD');
    ends.add(answer.slice(3));
  }
  t.deepEqual([...ends].toSorted(), ['CE', 'EC']);
});

test('randomized least used: a pool that is full is answered at random', (t) => {
  const { selector } = poolOf(randomizedLeastUsed, loads(most, most, most), seededRandom(26));
  t.true(chiSquareProbability(countAnswers(selector, 1, 20_000, [...'ABC']), [1, 1, 1]) > 0.01);
});

test('under any churn draws fall on the elements in proportion', (t) => {
  const weight = fc.nat(4);
  const step = fc.oneof(
    fc.record({ type: fc.constant('add' as const), weight }),
    fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), weight }),
    fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }),
    fc.record({ type: fc.constant('select' as const), count: fc.nat(12) }),
  );
  let seed = 100;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const points: number[] = [];
      const source = seededRandom(seed++);
      // Every point of the sum once, in any order: how often an element is drawn is its weight.
      const random: Random = { ...source, uniform: () => (points.shift() ?? 0) / 2 ** 32 };
      const selector = weightedRandom.createSelector<Member>(random);
      let members: { readonly member: Member; weight: number }[] = [];
      let made = 0;
      for (const each of steps) {
        if (each.type === 'add') {
          const joining = memberOf(`${made++}`, { type: 'weightedRandom', weight: each.weight });
          selector.add(joining);
          members.push({ member: joining, weight: each.weight });
        } else if (each.type === 'select') {
          points.length = 0;
          const answer = selector.select(each.count);
          const able = members.filter((one) => one.weight > 0);
          t.is(answer.length, Math.min(each.count, able.length));
          t.is(new Set(answer).size, answer.length);
          t.true(answer.every((one) => able.some((other) => other.member === one)));
        } else {
          const chosen = members[each.at % Math.max(1, members.length)];
          if (chosen === undefined) continue;
          if (each.type === 'remove') {
            selector.remove(chosen.member);
            members = members.filter((one) => one !== chosen);
          } else {
            chosen.weight = each.weight;
            chosen.member.policy = { type: 'weightedRandom', weight: each.weight };
            selector.update(chosen.member);
          }
        }
        t.is(selector.size, members.length);
      }
      const total = members.reduce((sum, one) => sum + one.weight, 0);
      const counts = new Map<Member, number>();
      for (let point = 0; point < total; point++) {
        points.splice(0, points.length, 0, point);
        const [drawn] = selector.select(1) as [Member];
        counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
      }
      for (const one of members) t.is(counts.get(one.member) ?? 0, one.weight);
    }),
    { numRuns: 200 },
  );
});
