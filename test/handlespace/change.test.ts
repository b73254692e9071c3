import test from 'ava';
import type { HandlespaceChange } from '../../lib/handlespace/change.js';
import type { Handlespace } from '../../lib/handlespace/handlespace.js';
import { answer, element, handlespace, self } from './elements.js';

test('each change is told once, with its reason and what was before', (t) => {
  const changes: HandlespaceChange[] = [];
  const space = handlespace({ onChange: (change) => void changes.push(change) });
  space.register('pool', element(1), { now: 0 });
  space.register('pool', element(1, { registrationLife: 9 }), { now: 0 });
  space.replicate('pool', element(2, { homeServerId: 77, registrationLife: 10 }), { now: 0 });
  space.takeOver(77, self, { now: 0 });
  space.expire(9000);
  space.remove('pool', 2, 'unreachable');
  t.deepEqual(
    changes.map(({ type, reason, entry, previous, poolHandle }) => [
      type,
      reason,
      entry.identifier,
      previous?.registrationLife,
      poolHandle,
    ]),
    [
      ['added', 'registration', 1, undefined, 'pool'],
      ['updated', 'registration', 1, 60, 'pool'],
      ['added', 'handleUpdate', 2, undefined, 'pool'],
      ['updated', 'takeover', 2, 10, 'pool'],
      ['removed', 'expiry', 1, undefined, 'pool'],
      ['removed', 'unreachable', 2, undefined, 'pool'],
    ],
  );
});

test('refusals, suspensions and removals of nothing are no changes', (t) => {
  const changes: string[] = [];
  const space = handlespace({ onChange: (change) => void changes.push(change.type) });
  space.register('pool', element(1), { now: 0 });
  space.register('pool', element(1, { policy: { type: 'random' } }), { now: 0 });
  space.suspend('pool', 1);
  space.resume('pool', 1);
  space.remove('pool', 2, 'deregistration');
  t.deepEqual(changes, ['added']);
});

test('an update says whether it brought a suspended element back', (t) => {
  const resumed: boolean[] = [];
  const space = handlespace({ onChange: (change) => void resumed.push(change.resumed) });
  space.register('pool', element(1), { now: 0 });
  space.suspend('pool', 1);
  space.register('pool', element(1), { now: 0 });
  space.register('pool', element(1), { now: 0 });
  t.deepEqual(resumed, [false, true, false]);
});

test('when a change is told, the handlespace is already in its new state', (t) => {
  const states: unknown[] = [];
  const space: Handlespace = handlespace({
    onChange: () =>
      void states.push([space.elementCount, space.checksum(self), answer(space, 'EchoPool'), space.nextExpiry()]),
  });
  space.register('EchoPool', element(0x12345678), { now: 0 });
  space.remove('EchoPool', 0x12345678, 'deregistration');
  t.deepEqual(states, [
    [1, 0x29a5, [0x12345678], 60_000],
    [0, 0xffff, undefined, Number.POSITIVE_INFINITY],
  ]);
});

test('a listener may change the handlespace while many elements change', (t) => {
  const space: Handlespace = handlespace({
    onChange: ({ type, entry }) => {
      // Of each pair that is taken over or removed, the listener removes the other.
      if (type !== 'added') space.remove('pool', entry.identifier ^ 1, 'administration');
    },
  });
  const register = () => {
    for (let i = 0; i < 8; i++) space.replicate('pool', element(i, { homeServerId: 77 }), { now: 0 });
  };
  register();
  space.takeOver(77, self, { now: 0 });
  t.is(space.elementCount, 0);
  register();
  space.mark(77);
  space.removeMarked(77);
  t.is(space.elementCount, 0);
  register();
  space.expire(60_000);
  t.is(space.elementCount, 0);
  t.is(space.checksum(self), 0xffff);
  t.is(space.checksum(77), 0xffff);
});
