import test from 'ava';
import { answer, element, expiryOf, handlespace, self } from './elements.js';

const lives: readonly [number, number][] = [
  [60, 61_000],
  [1, 2_000],
  [0, 1_000],
  [-1, Number.POSITIVE_INFINITY],
  [-2, 1_000],
  [-0x8000_0000, 1_000],
  [0x7fff_ffff, 2_147_483_648_000],
];

for (const [registrationLife, expiry] of lives) {
  test(`a registration life of ${registrationLife} that begins at 1 s ends at ${expiry} ms`, (t) => {
    const space = handlespace();
    space.register('pool', element(1, { registrationLife }), { now: 1000 });
    t.is(space.nextExpiry(), expiry);
    t.is(expiryOf(space, 'pool', 1), expiry);
    t.deepEqual(
      space.expire(Math.min(expiry, Number.MAX_VALUE) - 1).map((each) => each.identifier),
      [],
    );
    t.deepEqual(
      space.expire(Math.min(expiry, Number.MAX_VALUE)).map((each) => each.identifier),
      expiry === Number.POSITIVE_INFINITY ? [] : [1],
    );
  });
}

test('expiry takes the earliest first, across pools, and tells the next', (t) => {
  const space = handlespace();
  [30, 10, 20, -1].forEach(
    (registrationLife, i) => void space.register(`${i % 2}`, element(i, { registrationLife }), { now: 0 }),
  );
  t.is(space.nextExpiry(), 10_000);
  t.deepEqual(
    space.expire(20_000).map((each) => each.identifier),
    [1, 2],
  );
  t.is(space.nextExpiry(), 30_000);
  t.deepEqual(space.expire(20_000), []);
  t.deepEqual(
    space.expire(1e15).map((each) => each.identifier),
    [0],
  );
  t.is(space.nextExpiry(), Number.POSITIVE_INFINITY);
  t.is(space.elementCount, 1);
});

test('a re-registration begins a new life, shorter, longer or endless', (t) => {
  const space = handlespace();
  const ends = [60, 5, 90, -1, 7].map((registrationLife) => {
    space.register('pool', element(1, { registrationLife }), { now: 1000 });
    return space.nextExpiry();
  });
  t.deepEqual(ends, [61_000, 6_000, 91_000, Number.POSITIVE_INFINITY, 8_000]);
  space.remove('pool', 1, 'deregistration');
  t.is(space.nextExpiry(), Number.POSITIVE_INFINITY);
});

test('a life that its home server enforces does not end here, until the element is taken over', (t) => {
  const space = handlespace();
  space.replicate('pool', element(1, { homeServerId: 77 }), { now: 0, expires: false });
  t.is(space.nextExpiry(), Number.POSITIVE_INFINITY);
  space.takeOver(77, self, { now: 5000 });
  t.is(space.nextExpiry(), 65_000);
});

test('a suspended element leaves the answers and nothing else', (t) => {
  const space = handlespace();
  for (const identifier of [1, 2, 3]) space.register('pool', element(identifier), { now: 0 });
  const checksum = space.checksum(self);
  t.true(space.suspend('pool', 2));
  t.true(space.suspend('pool', 2));
  t.deepEqual(answer(space, 'pool'), [1, 3]);
  t.is(space.checksum(self), checksum);
  t.is(space.elementCount, 3);
  t.is(space.pool('pool')?.size, 3);
  t.is(space.pool('pool')?.available, 2);
  t.true(space.entry('pool', 2)?.suspended);
  t.deepEqual(
    space
      .expire(60_000)
      .map((each) => each.identifier)
      .sort(),
    [1, 2, 3],
  );
});

test('a suspended element comes back when it registers again, or is resumed, last in turn', (t) => {
  const space = handlespace();
  for (const identifier of [1, 2, 3]) space.register('pool', element(identifier), { now: 0 });
  space.suspend('pool', 1);
  space.suspend('pool', 2);
  space.register('pool', element(2), { now: 0 });
  t.deepEqual(answer(space, 'pool'), [3, 2]);
  t.true(space.resume('pool', 1));
  t.true(space.resume('pool', 1));
  t.deepEqual(answer(space, 'pool')?.sort(), [1, 2, 3]);
  t.false(space.entry('pool', 2)?.suspended);
});

test('a pool whose elements are all suspended is known and has an empty answer', (t) => {
  const space = handlespace();
  space.register('pool', element(1), { now: 0 });
  space.suspend('pool', 1);
  t.deepEqual(space.resolve('pool'), { policy: { type: 'roundRobin' }, elements: [] });
  space.remove('pool', 1, 'connectionBroken');
  t.is(space.resolve('pool'), undefined);
});

test('what does not exist can be neither suspended nor resumed', (t) => {
  const space = handlespace();
  space.register('pool', element(1), { now: 0 });
  t.deepEqual(
    [space.suspend('pool', 2), space.suspend('other', 1), space.resume('pool', 2), space.resume('other', 1)],
    [false, false, false, false],
  );
});
