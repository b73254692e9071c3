import test from 'ava';
import type { MemberPolicy } from '../../lib/policy/member-policy.js';
import { createPickerState } from '../../lib/policy/picker.js';
import { priority } from '../../lib/policy/priority.js';
import { randomPolicy } from '../../lib/policy/random-policy.js';
import { randomizedLeastUsed, weightedRandom } from '../../lib/policy/weighted-random.js';
import { seededRandom } from '../../lib/random.js';
import type { MemberSelectionPolicy, PoolElement } from '../../lib/wire/parameters.js';
import { chiSquareProbability } from './chi-square.js';

function elements(...policies: readonly MemberSelectionPolicy[]): PoolElement[] {
  return policies.map((policy, identifier) => ({
    identifier,
    homeServerId: 1,
    registrationLife: 60,
    userTransport: { type: 'tcp', port: 7, address: '192.0.2.1' },
    policy,
  }));
}

function weights(...given: readonly number[]): PoolElement[] {
  return elements(...given.map((weight) => ({ type: 'weightedRandom', weight }) as const));
}

function loads(...given: readonly number[]): PoolElement[] {
  return elements(...given.map((load) => ({ type: 'randomizedLeastUsed', load }) as const));
}

/** How often each element is taken, after the first of the answer. */
function counts(policy: MemberPolicy, list: readonly PoolElement[], draws: number, excluded?: ReadonlySet<number>) {
  const picker = policy.createPicker(list, seededRandom(41));
  const found = list.map(() => 0);
  for (let i = 0; i < draws; i++) {
    const index = picker.next({ cursor: 1 }, excluded)?.identifier ?? -1;
    found[index] = (found[index] ?? 0) + 1;
  }
  return found;
}

test('the first of a new answer is taken first, since the registrar drew it from the whole pool', (t) => {
  for (const [policy, list] of [
    [randomPolicy, elements({ type: 'random' }, { type: 'random' }, { type: 'random' })],
    [weightedRandom, weights(1, 1000, 1000)],
    [randomizedLeastUsed, loads(0xffff_fff0, 0, 0)],
  ] as const) {
    for (let seed = 0; seed < 20; seed++) {
      t.is(policy.createPicker(list, seededRandom(seed)).next(createPickerState())?.identifier, 0);
    }
  }
});

test('an excluded first is passed over', (t) => {
  const picker = weightedRandom.createPicker(weights(1000, 1), seededRandom(1));
  t.is(picker.next(createPickerState(), new Set([0]))?.identifier, 1);
});

test('random draws each as often', (t) => {
  const list = elements({ type: 'random' }, { type: 'random' }, { type: 'random' });
  t.true(chiSquareProbability(counts(randomPolicy, list, 30_000), [1, 1, 1]) > 0.01);
});

test('weighted random draws by weight, among those that are left', (t) => {
  t.true(chiSquareProbability(counts(weightedRandom, weights(1, 2, 5), 30_000), [1, 2, 5]) > 0.01);
  const [first, excluded, last] = counts(weightedRandom, weights(1, 2, 5), 30_000, new Set([1]));
  t.is(excluded, 0);
  t.true(chiSquareProbability([first ?? 0, last ?? 0], [1, 5]) > 0.01);
});

test('randomized least used draws by the unused rest', (t) => {
  const list = loads(0, 2 ** 31, 2 ** 31 + 2 ** 30);
  t.true(chiSquareProbability(counts(randomizedLeastUsed, list, 30_000), [4, 2, 1]) > 0.01);
});

test('elements of weight 0 are never taken, fully loaded ones when no others are left', (t) => {
  t.is(weightedRandom.createPicker(weights(0, 0), seededRandom(1)).next(createPickerState()), undefined);
  t.deepEqual(counts(weightedRandom, weights(0, 4), 100), [0, 100]);
  const full = 0xffff_ffff;
  t.deepEqual(counts(randomizedLeastUsed, loads(full, full - 1), 100), [0, 100]);
  t.true(chiSquareProbability(counts(randomizedLeastUsed, loads(full, full), 10_000), [1, 1]) > 0.01);
});

test('priority takes the highest that is left, whatever the order of the list', (t) => {
  const list = elements(
    { type: 'priority', priority: 1 },
    { type: 'priority', priority: 9 },
    { type: 'priority', priority: 9 },
  );
  const picker = priority.createPicker(list, seededRandom(1));
  const state = createPickerState();
  t.deepEqual(
    [undefined, new Set([1]), new Set([1, 2]), new Set([0, 1, 2])].map((out) => picker.next(state, out)?.identifier),
    [1, 2, 0, undefined],
  );
});
