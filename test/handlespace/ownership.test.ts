import test from 'ava';
import { element, handlespace, self } from './elements.js';

const peer = 0x0b0b0b0b;

// The vectors of lib/wire's PE checksum (RFC 5353 section 3.6.2): the incremental sum must come by them.
test('the checksum of an owner follows each registration and removal', (t) => {
  const space = handlespace();
  t.is(space.checksum(self), 0xffff);
  space.register('EchoPool', element(0x12345678), { now: 0 });
  t.is(space.checksum(self), 0x29a5);
  space.register('EchoPool', element(0xdeadbeef), { now: 0 });
  t.is(space.checksum(self), 0x1e59);
  space.register('EchoPool', element(0xdeadbeef), { now: 0 });
  t.is(space.checksum(self), 0x1e59);
  space.remove('EchoPool', 0xdeadbeef, 'deregistration');
  t.is(space.checksum(self), 0x29a5);
  space.remove('EchoPool', 0x12345678, 'deregistration');
  t.is(space.checksum(self), 0xffff);
});

test('a takeover moves all elements of the failed server with their share of the checksum', (t) => {
  const space = handlespace();
  space.register('EchoPool', element(0x12345678), { now: 0 });
  space.replicate('EchoPool', element(0xdeadbeef, { homeServerId: peer }), { now: 0 });
  t.is(space.checksum(self), 0x29a5);
  t.deepEqual(
    space.takeOver(peer, self, { now: 9 }).map((each) => each.identifier),
    [0xdeadbeef],
  );
  t.is(space.checksum(self), 0x1e59);
  t.is(space.checksum(peer), 0xffff);
  t.is(space.owned(self).size, 2);
  t.is(space.owned(peer).size, 0);
  t.is(space.entry('EchoPool', 0xdeadbeef)?.element.homeServerId, self);
  t.deepEqual(space.takeOver(peer, self, { now: 9 }), []);
  t.deepEqual(space.takeOver(self, self, { now: 9 }), []);
});

test('a re-synchronisation removes the elements that the peer no longer has', (t) => {
  const space = handlespace();
  for (const identifier of [1, 2, 3]) space.replicate('pool', element(identifier, { homeServerId: peer }), { now: 0 });
  space.register('pool', element(4), { now: 0 });
  space.mark(peer);
  space.replicate('pool', element(2, { homeServerId: peer }), { now: 0, reason: 'handleTable' });
  space.replicate('pool', element(5, { homeServerId: peer }), { now: 0, reason: 'handleTable' });
  // It has moved to us in the meantime: no longer the peer's to lose.
  space.register('pool', element(3), { now: 0, owner: self });
  t.deepEqual(
    space.removeMarked(peer).map((each) => each.identifier),
    [1],
  );
  t.deepEqual([...space.owned(peer)].map((each) => each.identifier).sort(), [2, 5]);
  t.deepEqual(space.removeMarked(peer), []);
});

test('iterating what a server owns survives removals and additions', (t) => {
  const space = handlespace();
  for (const identifier of [1, 2, 3, 4]) space.register('pool', element(identifier), { now: 0 });
  const seen: number[] = [];
  for (const entry of space.owned(self)) {
    seen.push(entry.identifier);
    if (entry.identifier === 1) {
      space.remove('pool', 1, 'deregistration');
      space.remove('pool', 3, 'deregistration');
      space.register('pool', element(5), { now: 0 });
    }
  }
  t.deepEqual(seen, [1, 2, 4, 5]);
});
