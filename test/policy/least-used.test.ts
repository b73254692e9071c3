import test from 'ava';
import fc from 'fast-check';
import { leastUsed } from '../../lib/policy/least-used.js';
import { seededRandom } from '../../lib/random.js';
import { type Member, member, names } from './member.js';

const random = seededRandom(1);

function poolOf(loads: Record<string, number>) {
  const selector = leastUsed.createSelector<Member>(random);
  const members = new Map(Object.entries(loads).map(([name, load]) => [name, member(name, load)]));
  for (const each of members.values()) selector.add(each);
  return { selector, of: (name: string) => members.get(name) as Member };
}

test('answers are sorted by ascending load', (t) => {
  const { selector } = poolOf({ A: 0xffff_ffff, B: 7, C: 0x8000_0000, D: 0 });
  t.is(names(selector.select(3)), 'DBC');
  t.is(names(selector.select(9)), 'DBCA');
  t.deepEqual(selector.select(0), []);
});

test('equals take turns, also when an answer holds all of them', (t) => {
  const { selector } = poolOf({ A: 5, B: 5, C: 5 });
  t.is(names(selector.select(3)), 'ABC');
  t.is(names(selector.select(3)), 'BCA');
  t.is(names(selector.select(1)), 'C');
  t.is(names(selector.select(2)), 'AB');
});

test('equals take turns as the second choice too', (t) => {
  const { selector } = poolOf({ A: 1, B: 2, C: 2 });
  t.deepEqual(
    [1, 2, 3].map(() => names(selector.select(2))),
    ['AB', 'AC', 'AB'],
  );
});

test('a new load moves an element at once, and the same load keeps its turn', (t) => {
  const { selector, of } = poolOf({ A: 1, B: 1, C: 9 });
  selector.select(1);
  selector.update(of('B'));
  t.is(names(selector.select(2)), 'BA');
  of('C').policy = { type: 'leastUsed', load: 0 };
  selector.update(of('C'));
  t.is(names(selector.select(1)), 'C');
});

test('an element that states no load comes last', (t) => {
  const { selector } = poolOf({ A: 3 });
  selector.add(member('N'));
  selector.add(member('B', 0xffff_fffe));
  t.is(names(selector.select(3)), 'ABN');
});

test('under any churn answers are those of a sorted list', (t) => {
  const load = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffff_ffff }));
  const step = fc.oneof(
    fc.record({ type: fc.constant('add' as const), load }),
    fc.record({ type: fc.constant('update' as const), at: fc.nat(1000), load }),
    fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }),
    fc.record({ type: fc.constant('select' as const), count: fc.nat(12) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const selector = leastUsed.createSelector<Member>(random);
      let model: { readonly member: Member; load: number; turn: number }[] = [];
      let turn = 0;
      for (const each of steps) {
        if (each.type === 'add') {
          const joining = member(`${turn}`, each.load);
          selector.add(joining);
          model.push({ member: joining, load: each.load, turn: turn++ });
        } else if (each.type === 'select') {
          model.sort((a, b) => a.load - b.load || a.turn - b.turn);
          const expected = model.slice(0, each.count);
          t.deepEqual(names(selector.select(each.count)), names(expected.map((one) => one.member)));
          const firsts = expected.filter((one, i) => one.load !== expected[i - 1]?.load);
          for (const first of firsts) first.turn = turn++;
        } else {
          const chosen = model[each.at % Math.max(1, model.length)];
          if (chosen === undefined) continue;
          if (each.type === 'remove') {
            selector.remove(chosen.member);
            model = model.filter((one) => one !== chosen);
          } else {
            chosen.load = each.load;
            chosen.member.policy = { type: 'leastUsed', load: each.load };
            selector.update(chosen.member);
          }
        }
        t.is(selector.size, model.length);
      }
    }),
    { numRuns: 200 },
  );
});
