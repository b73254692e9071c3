/** A policy of the user's own: "most used" (RFC 3237 section 2.10), as docs/policies.md shows it. */

import test from 'ava';
import { rankedPolicy } from '../../lib/policy/least-used.js';
import { loadOf } from '../../lib/policy/policy-values.js';
import { PolicyRegistry } from '../../lib/policy/registry.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { answer, element, handlespace } from '../handlespace/elements.js';

/** Private (the highest bit) and adaptive (the next). The data is the load. */
const mostUsedType = 0xc000_0001;

/** Fills one element before it begins the next, so that idle ones can be switched off; full ones come last. */
const mostUsed = rankedPolicy(mostUsedType, {
  rankOf(policy) {
    const load = loadOf(policy);
    return load === 0xffff_ffff ? 1 : -load;
  },
});

function used(load: number): MemberSelectionPolicy {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, load);
  return { type: 'other', policyType: mostUsedType, data };
}

test('a policy that its user added selects in the pools of its type, and nowhere else', (t) => {
  const space = handlespace({ policies: new PolicyRegistry().add(mostUsed) });
  for (const [identifier, load] of [10, 90, 0xffff_ffff, 90, 0].entries()) {
    space.register('packed', element(identifier + 1, { policy: used(load) }), { now: 0 });
    space.register('spread', element(identifier + 1, { policy: { type: 'leastUsed', load } }), { now: 0 });
  }
  t.deepEqual(answer(space, 'packed'), [2, 4, 1, 5, 3]);
  t.deepEqual(answer(space, 'packed'), [4, 2, 1, 5, 3]);
  t.deepEqual(answer(space, 'spread', 2), [5, 1]);
  space.register('packed', element(1, { policy: used(91) }), { now: 0 });
  t.deepEqual(answer(space, 'packed', 1), [1]);
});

test('without it the same pool is answered round robin, and its values travel unchanged', (t) => {
  const space = handlespace();
  for (const identifier of [1, 2, 3]) {
    space.register('packed', element(identifier, { policy: used(identifier) }), { now: 0 });
  }
  t.deepEqual(answer(space, 'packed'), [1, 2, 3]);
  t.deepEqual(answer(space, 'packed'), [2, 3, 1]);
  t.deepEqual(space.resolve('packed')?.policy, used(1));
  t.deepEqual(space.entry('packed', 2)?.element.policy, used(2));
});
