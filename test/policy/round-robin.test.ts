import test from 'ava';
import fc from 'fast-check';
import { roundRobin } from '../../lib/policy/round-robin.js';
import { seededRandom } from '../../lib/random.js';
import { type Member, member, names } from './member.js';

const random = seededRandom(1);

function ringOf(letters: string) {
  const selector = roundRobin.createSelector<Member>(random);
  const members = new Map([...letters].map((letter) => [letter, member(letter)]));
  for (const each of members.values()) selector.add(each);
  return { selector, of: (letter: string) => members.get(letter) as Member };
}

test('each answer starts one element after the one before, whatever its length', (t) => {
  const { selector } = ringOf('ABC');
  t.is(names(selector.select(3)), 'ABC');
  t.is(names(selector.select(1)), 'B');
  t.is(names(selector.select(2)), 'CA');
  t.is(names(selector.select(9)), 'ABC');
});

test('an empty ring answers nothing, before and after having had members', (t) => {
  const { selector, of } = ringOf('A');
  selector.remove(of('A'));
  t.deepEqual(selector.select(3), []);
  t.is(selector.size, 0);
  selector.add(member('B'));
  t.is(names(selector.select(3)), 'B');
});

test('who joins in the middle of a round comes after everyone who waits', (t) => {
  const { selector } = ringOf('ABC');
  selector.select(1);
  selector.add(member('N'));
  t.is(names(selector.select(4)), 'BCAN');
});

test('when the head leaves, the next one is head, and nobody loses a turn', (t) => {
  const { selector, of } = ringOf('ABCD');
  selector.select(1);
  selector.remove(of('B'));
  t.is(names(selector.select(3)), 'CDA');
});

test('over whole rounds every element begins equally often and appears equally often', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 4 }),
      (size, count, rounds) => {
        const selector = roundRobin.createSelector<Member>(random);
        const first = new Map<string, number>();
        const shown = new Map<string, number>();
        for (let i = 0; i < size; i++) selector.add(member(`${i}`));
        for (let i = 0; i < size * rounds; i++) {
          const answer = selector.select(count);
          first.set(answer[0]?.name ?? '', (first.get(answer[0]?.name ?? '') ?? 0) + 1);
          for (const each of answer) shown.set(each.name, (shown.get(each.name) ?? 0) + 1);
        }
        t.deepEqual([...first.values()], Array(size).fill(rounds));
        t.deepEqual([...shown.values()], Array(size).fill(rounds * Math.min(count, size)));
      },
    ),
    { numRuns: 60 },
  );
});

test('under any churn the ring is a queue that turns by one', (t) => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('add' as const) }),
    fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }),
    fc.record({ type: fc.constant('select' as const), count: fc.nat(12) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const selector = roundRobin.createSelector<Member>(random);
      const queue: Member[] = [];
      let made = 0;
      for (const each of steps) {
        if (each.type === 'add') {
          const joining = member(`${made++}`);
          selector.add(joining);
          queue.push(joining);
        } else if (each.type === 'remove') {
          const [leaving] = queue.splice(each.at % Math.max(1, queue.length), 1);
          if (leaving !== undefined) selector.remove(leaving);
        } else {
          const expected = queue.slice(0, each.count);
          t.deepEqual(selector.select(each.count), expected);
          // An answer of nothing is not a turn.
          if (expected.length > 0) queue.push(queue.shift() as Member);
        }
        t.is(selector.size, queue.length);
      }
    }),
    { numRuns: 200 },
  );
});
