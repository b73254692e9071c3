import test from 'ava';
import { createPickerState, TurnPicker } from '../../lib/policy/picker.js';
import { Candidates, type PoolView } from '../../lib/session/candidates.js';
import type { PoolElement } from '../../lib/wire/parameters.js';

const element = (identifier: number, address = '10.0.0.1'): PoolElement => ({
  identifier,
  homeServerId: 0,
  registrationLife: 300,
  userTransport: { type: 'tcp', address, port: 7 },
});

const view = (identifiers: readonly number[], resolvedAt: number): PoolView => ({
  picker: new TurnPicker(identifiers.map((identifier) => element(identifier))),
  state: createPickerState(),
  resolvedAt,
  spread() {},
});

const nobody = (): boolean => false;

function taken(candidates: Candidates, now: number, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => candidates.next(now, nobody)?.identifier);
}

test('what has failed is passed over for its time, and then comes last until a registrar names it again', (t) => {
  const candidates = new Candidates();
  candidates.update(view([1, 2, 3], 0));
  candidates.failed(1, 350);
  t.deepEqual(taken(candidates, 100, 3), [2, 3, 2]);
  t.deepEqual(taken(candidates, 400, 3), [3, 2, 3], 'others are better known');
  candidates.failed(2, 650);
  candidates.failed(3, 650);
  t.deepEqual(taken(candidates, 400, 2), [1, 1], 'better than none');
  candidates.failed(1, 700);
  t.is(candidates.next(500, nobody), undefined);
  candidates.update(view([1, 2, 3], 690));
  t.deepEqual(
    taken(candidates, 800, 4),
    [2, 3, 2, 3],
    'an answer from the time in which it is passed over says nothing of it',
  );
  candidates.update(view([1, 2, 3], 900));
  t.deepEqual(new Set(taken(candidates, 900, 3)), new Set([1, 2, 3]));
});

test('an element that was reached is as good as any', (t) => {
  const candidates = new Candidates();
  candidates.update(view([1, 2], 0));
  candidates.failed(1, 350);
  candidates.alive(1);
  t.deepEqual(taken(candidates, 100, 2), [1, 2]);
});

test("a card's order comes first, by the registrar's description, without the failed and the suspected", (t) => {
  const candidates = new Candidates();
  candidates.update(view([1, 2, 3], 0));
  candidates.prefer([element(9, '10.0.0.9'), element(3, '10.0.0.3'), element(2)]);
  t.is(candidates.next(0, nobody)?.identifier, 9);
  t.is(
    candidates.next(0, (identifier) => identifier === 9)?.userTransport,
    candidates.elements[2]?.userTransport,
    'where the registrar says that 3 is',
  );
  candidates.failed(9, 250);
  candidates.failed(3, 250);
  t.is(candidates.next(0, nobody)?.identifier, 2);
  t.is(candidates.next(1000, nobody)?.identifier, 2, 'nobody has named 9 and 3 since');
  candidates.failed(2, 250);
  t.is(candidates.next(0, nobody)?.identifier, 1);
});
