import test from 'ava';
import fc from 'fast-check';
import type { MemberSelector } from '../../lib/policy/member-policy.js';
import { weightedRoundRobin } from '../../lib/policy/weighted-round-robin.js';
import { seededRandom } from '../../lib/random.js';
import { type Member, member, memberOf, names } from './member.js';

const random = seededRandom(1);

function weigh(name: string, weight: number): Member {
  return memberOf(name, { type: 'weightedRoundRobin', weight });
}

function setWeight(selector: MemberSelector<Member>, one: Member, weight: number): void {
  one.policy = { type: 'weightedRoundRobin', weight };
  selector.update(one);
}

function poolOf(weights: readonly number[]) {
  const selector = weightedRoundRobin.createSelector<Member>(random);
  const members = weights.map((weight, i) => weigh(String.fromCharCode(65 + i), weight));
  for (const each of members) selector.add(each);
  return { selector, members };
}

function take(selector: MemberSelector<Member>, count: number): string {
  return Array.from({ length: count }, () => names(selector.select(1))).join('');
}

function countsOf(selector: MemberSelector<Member>, members: readonly Member[], draws: number): number[] {
  const counts = new Map<Member, number>();
  for (let i = 0; i < draws; i++) {
    const [first] = selector.select(1);
    if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  return members.map((each) => counts.get(each) ?? 0);
}

test('turns are spread evenly over the round', (t) => {
  t.is(take(poolOf([3, 1]).selector, 8), 'AAABAAAB');
  t.is(take(poolOf([2, 2, 2]).selector, 6), 'ABCABC');
  t.is(take(poolOf([4, 1, 1, 1, 1]).selector, 8), 'ABACADAE');
});

test('with equal weights it is round robin', (t) => {
  const { selector } = poolOf([1, 1, 1]);
  t.is(names(selector.select(3)), 'ABC');
  t.is(names(selector.select(1)), 'B');
  t.is(names(selector.select(2)), 'CA');
  t.is(names(selector.select(9)), 'ABC');
});

test('the others of an answer come as their turns are due, none twice', (t) => {
  const { selector } = poolOf([4, 1, 2]);
  t.is(names(selector.select(3)), 'ACB');
  t.is(names(selector.select(2)), 'AC');
  t.is(names(selector.select(9)), 'CAB');
});

test('an element of weight 0 is in no answer until it has a weight', (t) => {
  const { selector, members } = poolOf([0, 2]);
  t.is(names(selector.select(5)), 'B');
  t.is(selector.size, 2);
  setWeight(selector, members[0] as Member, 2);
  t.is(take(selector, 4), 'BABA');
  setWeight(selector, members[1] as Member, 0);
  t.is(names(selector.select(5)), 'A');
  selector.remove(members[0] as Member);
  t.deepEqual(selector.select(5), []);
  selector.remove(members[1] as Member);
  t.is(selector.size, 0);
});

test('an element that states no weight weighs 1', (t) => {
  const { selector } = poolOf([2]);
  selector.add(member('N'));
  t.is([...take(selector, 6)].filter((name) => name === 'N').length, 2);
});

test('over whole rounds shares are exact, and at any time within one', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 25, size: 'max' }), (weights) => {
      const { selector, members } = poolOf(weights);
      const round = weights.reduce((sum, weight) => sum + weight, 0);
      const counts = new Map(members.map((each) => [each, 0]));
      for (let answers = 1; answers <= 3 * round; answers++) {
        const [first] = selector.select(answers % 4) as [Member?];
        if (answers % 4 === 0) {
          t.is(first, undefined);
          const [again] = selector.select(1) as [Member];
          counts.set(again, (counts.get(again) ?? 0) + 1);
        } else counts.set(first as Member, (counts.get(first as Member) ?? 0) + 1);
        // Whole numbers only: |count x round - weight x answers| < round.
        const worst = members.reduce((most, each, i) => {
          return Math.max(most, Math.abs((counts.get(each) ?? 0) * round - (weights[i] as number) * answers));
        }, 0);
        if (worst >= round) t.fail(`off by ${worst / round} after ${answers} of ${weights}`);
        if (answers % round === 0 && worst !== 0) t.fail(`not exact after ${answers} of ${weights}`);
      }
      t.pass();
    }),
    { numRuns: 60 },
  );
});

test('the greatest weights are exact without as many steps', (t) => {
  const most = 0xffff_ffff;
  const { selector, members } = poolOf([most, most, most - 1, 1]);
  const counts = countsOf(selector, members, 300_000);
  t.deepEqual(counts.slice(0, 3).toSorted(), [100_000, 100_000, 100_000]);
  const [light] = poolOf([most, 1]).members as [Member, Member];
  t.is(light.name, 'A');
  const uneven = poolOf([most, 2 ** 30]);
  // 4 less a trifle to 1: the trifle does not show in a whole number of fives.
  t.deepEqual(countsOf(uneven.selector, uneven.members, 500_000), [400_000, 100_000]);
});

test('shares are exact again after changes between rounds', (t) => {
  const { selector, members } = poolOf([5, 3, 2]);
  const [a, b, c] = members as [Member, Member, Member];
  t.deepEqual(countsOf(selector, members, 10), [5, 3, 2]);
  selector.remove(b);
  t.deepEqual(countsOf(selector, members, 14), [10, 0, 4]);
  const d = weigh('D', 4);
  selector.add(d);
  setWeight(selector, c, 7);
  t.deepEqual(countsOf(selector, [a, c, d], 16), [5, 7, 4]);
});

test('who joins within a round gets its share at once, and nobody waits longer than its due', (t) => {
  const { selector, members } = poolOf([10, 10]);
  take(selector, 7);
  selector.add(weigh('N', 20));
  const counts = countsOf(selector, [...members, ...members], 40);
  t.true(counts.every((count) => Math.abs(count - 10) <= 1));
});

test('after any changes the next round is at most one off, and those after it are exact', (t) => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('add' as const), weight: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), weight: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }),
    { weight: 7, arbitrary: fc.record({ type: fc.constant('select' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const { selector, members } = poolOf([1, 2]);
      for (const each of steps) {
        if (each.type === 'add') {
          const joining = weigh('N', each.weight);
          selector.add(joining);
          members.push(joining);
        } else if (each.type === 'select') {
          selector.select(1);
        } else {
          const chosen = members[each.at % members.length] as Member;
          if (each.type === 'update') setWeight(selector, chosen, each.weight);
          else if (members.length > 1) {
            selector.remove(chosen);
            members.splice(members.indexOf(chosen), 1);
          }
        }
      }
      const weights = members.map((each) => (each.policy.type === 'weightedRoundRobin' ? each.policy.weight : 0));
      const round = weights.reduce((sum, weight) => sum + weight, 0);
      const first = countsOf(selector, members, round);
      t.true(first.every((count, i) => Math.abs(count - (weights[i] as number)) <= 1));
      t.deepEqual(countsOf(selector, members, round), weights);
      t.deepEqual(countsOf(selector, members, round), weights);
    }),
    { numRuns: 300 },
  );
});

test('an element that registers with another weight before each turn still gets its turns', (t) => {
  const { selector, members } = poolOf([50, 50, 1]);
  const light = members[2] as Member;
  let turns = 0;
  for (let i = 0; i < 10_100; i++) {
    setWeight(selector, light, 1 + (i % 2));
    if (selector.select(1)[0] === light) turns++;
  }
  t.true(Math.abs(turns - 150) <= 3, `${turns} turns`);
});

/** The same rule without a tree: look at every turn, each time. */
class NaivePool {
  members: { member: Member; weight: number; base: number; taken: number }[] = [];
  time = 0;

  get total(): number {
    return this.members.reduce((sum, one) => sum + one.weight, 0);
  }

  add(member: Member, weight: number, base = this.time): void {
    this.members.push({ member, weight, base, taken: 0 });
  }

  leave(member: Member): number {
    const one = this.members.find((each) => each.member === member);
    if (one === undefined) return 0;
    this.members = this.members.filter((each) => each !== one);
    return this.members.length === 0 ? 0 : (this.time - one.base - one.taken / one.weight) * one.weight;
  }

  forgo(behind: number): void {
    if (this.total > 0) this.time += behind / this.total;
  }

  /** Whether `chosen` is a right choice, to within rounding (both sides round, and differently); then it is taken. */
  accepts(chosen: Member | undefined): boolean {
    if (chosen === undefined || this.total === 0) return chosen === undefined && this.total === 0;
    const rounding = 1e-9;
    const end = this.time + 1 / this.total;
    const release = (one: (typeof this.members)[0]) => one.base + one.taken / one.weight;
    const due = (one: (typeof this.members)[0]) => one.base + (one.taken + 1) / one.weight;
    const turn = this.members.find((one) => one.member === chosen);
    if (turn === undefined || release(turn) >= end + rounding) return false;
    const before = this.members.filter((one) => release(one) < end - rounding && due(one) < due(turn) - rounding);
    turn.taken++;
    this.time = end;
    return before.length === 0;
  }
}

test('under any churn turns are those of looking at every turn', (t) => {
  const weight = fc.nat(6);
  const step = fc.oneof(
    fc.record({ type: fc.constant('add' as const), weight }),
    fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), weight }),
    fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }),
    {
      weight: 6,
      arbitrary: fc.record({ type: fc.constant('select' as const), count: fc.integer({ min: 1, max: 9 }) }),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const selector = weightedRoundRobin.createSelector<Member>(random);
      const model = new NaivePool();
      let members: Member[] = [];
      let made = 0;
      for (const each of steps) {
        if (each.type === 'add') {
          const joining = weigh(`${made++}`, each.weight);
          selector.add(joining);
          members.push(joining);
          if (each.weight > 0) model.add(joining, each.weight);
        } else if (each.type === 'select') {
          const answer = selector.select(each.count);
          const available = model.members.length;
          t.is(answer.length, Math.min(each.count, available));
          t.is(new Set(answer).size, answer.length);
          t.true(model.accepts(answer[0]));
        } else {
          const chosen = members[each.at % Math.max(1, members.length)];
          if (chosen === undefined) continue;
          const before = chosen.policy.type === 'weightedRoundRobin' ? chosen.policy.weight : 1;
          if (each.type === 'remove') {
            selector.remove(chosen);
            members = members.filter((one) => one !== chosen);
            model.forgo(model.leave(chosen));
          } else {
            setWeight(selector, chosen, each.weight);
            if (before === each.weight) continue;
            const behind = model.leave(chosen);
            if (each.weight === 0) model.forgo(behind);
            else model.add(chosen, each.weight, model.time - behind / each.weight);
          }
        }
        t.is(selector.size, members.length);
      }
    }),
    { numRuns: 300 },
  );
});
