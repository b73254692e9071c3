import test from 'ava';
import fc from 'fast-check';
import { TsnTrack, tsnAfter, tsnDistance } from '../../../lib/transport/sctp/guard/tsn.js';

const distances: readonly [from: number, to: number, distance: number][] = [
  [1, 1, 0],
  [1, 5, 4],
  [5, 1, 0xffff_fffc],
  [0xffff_ffff, 0, 1],
  [0xffff_fffe, 3, 5],
];

for (const [from, to, distance] of distances) {
  test(`from TSN ${from} to ${to} it is ${distance}`, (t) => {
    t.is(tsnDistance(from, to), distance);
    t.is(tsnAfter(from, distance), to);
  });
}

test('before anything is reached only the TSN before the first is included', (t) => {
  const track = new TsnTrack(0);
  t.is(track.newest, 0xffff_ffff);
  t.true(track.includes(0xffff_ffff));
  t.false(track.includes(0));
  t.false(track.includes(0xffff_fffe));
});

test('exactly what was reached is included, from any beginning and over the wrap', (t) => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.integer({ min: 1, max: 0x7fff_0000 }), (initial, count) => {
      const track = new TsnTrack(initial);
      track.reach(tsnAfter(initial, count - 1));
      t.true(track.includes(tsnAfter(initial, -1)));
      t.true(track.includes(tsnAfter(initial, count - 1)));
      t.true(track.includes(tsnAfter(initial, Math.floor(count / 2) - 1)));
      t.false(track.includes(tsnAfter(initial, -2)));
      t.false(track.includes(tsnAfter(initial, count)));
    }),
  );
});

test('reaching an older TSN changes nothing', (t) => {
  const track = new TsnTrack(10);
  track.reach(20);
  track.reach(15);
  track.reach(9);
  t.is(track.newest, 20);
});

test('a window admits that many TSNs ahead and no more', (t) => {
  const track = new TsnTrack(0xffff_fff0);
  track.reach(0xffff_fff8);
  t.true(track.admits(0xffff_fff8 + 100, 100));
  t.true(track.admits((0xffff_fff8 + 100) % 2 ** 32, 100));
  t.false(track.admits((0xffff_fff8 + 101) % 2 ** 32, 100));
});

test('what lies more than half the circle back is forgotten', (t) => {
  const track = new TsnTrack(0);
  for (let tsn = 0x4000_0000; tsn <= 0xc000_0000; tsn += 0x4000_0000) track.reach(tsn);
  t.true(track.includes(0x5000_0000));
  t.false(track.includes(0x3000_0000));
});
