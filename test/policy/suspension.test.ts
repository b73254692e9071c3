/** Degradation counters are the handlespace entry's: only registrations set them to 0 (RFC 5356 section 5.2.2). */

import test from 'ava';
import type { Handlespace } from '../../lib/handlespace/handlespace.js';
import { mixedLeastUsedValues } from '../../lib/policy/mixed-least-used.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { answer, element, handlespace } from '../handlespace/elements.js';

function register(space: Handlespace, identifier: number, policy: MemberSelectionPolicy): void {
  space.register('pool', element(identifier, { policy: { ...policy } }), { now: 0 });
}

function degrading(load: number): MemberSelectionPolicy {
  return { type: 'leastUsedDegradation', load, loadDegradation: 10 };
}

/** Element 1 has been returned twice and stands at 20, element 2 at 15. */
function degraded(): Handlespace {
  const space = handlespace();
  register(space, 1, degrading(0));
  register(space, 2, degrading(15));
  answer(space, 'pool', 1);
  answer(space, 'pool', 1);
  return space;
}

test('a counter survives being left out of the answers', (t) => {
  const space = degraded();
  space.suspend('pool', 1);
  t.deepEqual(answer(space, 'pool', 2), [2]);
  space.resume('pool', 1);
  // 20 against 25.
  t.deepEqual(answer(space, 'pool', 2), [1, 2]);
  t.deepEqual(answer(space, 'pool', 1), [1]);
});

test('a counter survives any number of suspensions', (t) => {
  const space = degraded();
  for (let i = 0; i < 3; i++) {
    space.suspend('pool', 1);
    space.resume('pool', 1);
  }
  t.deepEqual(answer(space, 'pool', 2), [2, 1]);
});

test('a counter survives a takeover', (t) => {
  const space = degraded();
  space.takeOver(element(1).homeServerId, 7, { now: 0 });
  t.deepEqual(answer(space, 'pool', 2), [2, 1]);
});

test('registering again sets the counter to 0, also while left out', (t) => {
  for (const suspended of [false, true]) {
    const space = degraded();
    if (suspended) space.suspend('pool', 1);
    register(space, 1, degrading(0));
    t.deepEqual(answer(space, 'pool', 2), [1, 2]);
  }
});

test('a new element with an old identifier begins at 0', (t) => {
  const space = degraded();
  space.remove('pool', 1, 'deregistration');
  register(space, 1, degrading(0));
  t.deepEqual(answer(space, 'pool', 2), [1, 2]);
});

test('a weight that degraded to nothing survives being left out of the answers', (t) => {
  const space = handlespace();
  register(space, 1, mixedLeastUsedValues('randomizedLeastUsedDegradation', 0, 0xffff_ffff));
  t.deepEqual(answer(space, 'pool'), [1]);
  space.suspend('pool', 1);
  space.resume('pool', 1);
  register(space, 2, mixedLeastUsedValues('randomizedLeastUsedDegradation', 0xffff_fffe, 0));
  for (let i = 0; i < 20; i++) t.deepEqual(answer(space, 'pool'), [2, 1]);
});
