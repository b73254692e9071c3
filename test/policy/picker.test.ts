import test from 'ava';
import { leastUsed } from '../../lib/policy/least-used.js';
import type { Picker, PickerState } from '../../lib/policy/member-policy.js';
import { createPickerState } from '../../lib/policy/picker.js';
import { roundRobin } from '../../lib/policy/round-robin.js';
import { seededRandom } from '../../lib/random.js';
import type { PoolElement } from '../../lib/wire/parameters.js';

const random = seededRandom(1);

function elements(...identifiers: number[]): PoolElement[] {
  return identifiers.map((identifier) => ({
    identifier,
    homeServerId: 1,
    registrationLife: 60,
    userTransport: { type: 'tcp', port: 7, address: '192.0.2.1' },
  }));
}

function take(picker: Picker, state: PickerState, count: number, excluded?: ReadonlySet<number>) {
  return Array.from({ length: count }, () => picker.next(state, excluded)?.identifier);
}

test('round robin goes through the list, beginning with the first, and starts over', (t) => {
  const picker = roundRobin.createPicker(elements(5, 6, 7), random);
  t.deepEqual(take(picker, createPickerState(), 5), [5, 6, 7, 5, 6]);
});

test('round robin passes over excluded elements without losing the turn', (t) => {
  const picker = roundRobin.createPicker(elements(5, 6, 7), random);
  const state = createPickerState();
  t.deepEqual(take(picker, state, 3, new Set([6])), [5, 7, 5]);
  t.deepEqual(take(picker, state, 1), [6]);
});

test('round robin goes on with its turn when a changed list replaces the old one', (t) => {
  const state = createPickerState();
  take(roundRobin.createPicker(elements(5, 6, 7), random), state, 2);
  t.deepEqual(take(roundRobin.createPicker(elements(5, 6, 7, 8), random), state, 3), [7, 8, 5]);
  t.deepEqual(take(roundRobin.createPicker(elements(9), random), state, 2), [9, 9]);
});

test('least used takes the first that is not excluded, each time', (t) => {
  const picker = leastUsed.createPicker(elements(5, 6, 7), random);
  const state = createPickerState();
  t.deepEqual(take(picker, state, 2), [5, 5]);
  t.deepEqual(take(picker, state, 2, new Set([5, 6])), [7, 7]);
});

for (const policy of [roundRobin, leastUsed]) {
  test(`policy 0x${policy.policyType.toString(16)} has none left when all are excluded or there are none`, (t) => {
    t.deepEqual(take(policy.createPicker(elements(5, 6), random), createPickerState(), 1, new Set([5, 6])), [
      undefined,
    ]);
    t.deepEqual(take(policy.createPicker([], random), createPickerState(), 1), [undefined]);
  });
}
