import test from 'ava';
import { Crowd } from './crowd.js';
import { elementAddress, userAddress } from './pair.js';

/** Past the time at which all were opened, and everything that follows from it. */
const settled = 40_000;

test('idle connections of two processes ask for each other: each once in a path interval, somebody once in a heartbeat interval', (t) => {
  const few = new Crowd(3);
  few.run(settled);
  few.sent = 0;
  few.run(35_000);
  t.true(few.sent >= 9 && few.sent <= 11, `${few.sent} questions`);
  const many = new Crowd(300);
  many.run(settled);
  many.sent = 0;
  many.run(60_000);
  t.true(many.sent >= 590 && many.sent <= 660, `${many.sent} questions`);
  many.run(3_600_000);
  t.is(many.ended('user').length + many.ended('element').length, 0);
});

test('without it at either side each connection asks for itself, as it always did', (t) => {
  for (const sharing of ['user', 'element', 'none'] as const) {
    const crowd = new Crowd(20, { sharing });
    crowd.run(settled);
    crowd.sent = 0;
    crowd.run(35_000);
    t.true(crowd.sent >= 180 && crowd.sent <= 200, `${crowd.sent} questions`);
    crowd.elementProcess.freeze();
    const took = crowd.untilEnded('user');
    t.true(took >= 1000 && took <= 4600, `${took} ms`);
  }
});

test('a path interval that is not above the heartbeat interval switches it off, at either side', (t) => {
  for (const side of ['user', 'element'] as const) {
    const crowd = new Crowd(20, { [side]: { pathInterval: 3500 } });
    crowd.run(settled);
    crowd.sent = 0;
    crowd.run(35_000);
    t.true(crowd.sent >= 180 && crowd.sent <= 200, `${crowd.sent} questions`);
  }
});

for (const count of [1, 2, 40, 600]) {
  test(`a frozen element loses all of its ${count} idle connections within 5 s, and none before it had its time`, (t) => {
    const crowd = new Crowd(count);
    crowd.run(settled + 700 * Math.log2(count));
    crowd.elementProcess.freeze();
    crowd.run(990);
    t.is(crowd.ended('user').length, 0);
    const took = crowd.untilEnded('user');
    t.true(990 + took <= 4600, `${took} ms`);
    t.true(crowd.members.every(({ user }) => user.error?.code === 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT'));
  });
}

test('a network that is cut is as an element that is frozen', (t) => {
  const crowd = new Crowd(100);
  crowd.run(settled);
  crowd.network.cut(userAddress, elementAddress);
  const took = crowd.untilEnded('user');
  t.true(took >= 990 && took <= 4600, `${took} ms`);
  t.true(took + crowd.untilEnded('element') <= 10_600);
});

test('an element that is busy for less than the failure time-out loses nobody, whenever that is', (t) => {
  const crowd = new Crowd(300);
  crowd.run(settled);
  for (let i = 0; i < 60; i++) {
    crowd.elementProcess.freeze();
    crowd.run(900);
    crowd.elementProcess.thaw();
    crowd.run(137 * (1 + (i % 40)));
  }
  t.is(crowd.ended('user').length + crowd.ended('element').length, 0);
});

test('one that waits for something notices a frozen element within the failure time-out, whatever others know', (t) => {
  const crowd = new Crowd(50);
  crowd.run(settled);
  const one = crowd.members[20]!;
  one.stream.forget();
  one.user.send('anyone?');
  crowd.run(990);
  t.is(crowd.ended('user').length, 0);
  crowd.run(50);
  t.deepEqual(crowd.ended('user'), [one]);
});

test('a way that is closed without a word ends its connection alone, within a path interval and a failure time-out', (t) => {
  const crowd = new Crowd(50);
  crowd.run(settled);
  for (const index of [0, 17, 49]) {
    const before = crowd.ended('user').length;
    const one = crowd.members[index]!;
    one.stream.forget();
    const took = crowd.untilEnded('user', before + 1);
    t.true(took >= 1000 && took <= 31_600, `${took} ms`);
    t.is(one.user.closes, 1);
    t.is(one.user.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
  }
  crowd.run(100_000);
  t.is(crowd.ended('user').length, 3);
});

test('at the element, such a connection ends when three path intervals are over', (t) => {
  const crowd = new Crowd(50);
  crowd.run(settled);
  const one = crowd.members[30]!;
  one.stream.forget();
  const took = crowd.untilEnded('element', 1);
  t.true(took >= 55_000 && took <= 91_000, `${took} ms`);
  t.deepEqual(crowd.ended('element'), [one]);
  t.is(one.element.error?.code, 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT');
});

for (const count of [40, 600]) {
  test(`where all ways but one of ${count} are closed without a word, that one connection goes on`, (t) => {
    const crowd = new Crowd(count);
    crowd.run(settled);
    const survivor = crowd.members[Math.floor(count / 3)]!;
    for (const member of crowd.members) if (member !== survivor) member.stream.forget();
    const took = crowd.untilEnded('user', count - 1);
    t.true(took <= 36_000, `${took} ms`);
    crowd.run(100_000);
    t.is(survivor.user.closes + survivor.element.closes, 0);
    crowd.elementProcess.freeze();
    crowd.run(4600);
    t.is(survivor.user.closes, 1);
  });
}

test('those that ask may end at any instant: the next one asks', (t) => {
  const crowd = new Crowd(60);
  crowd.run(settled);
  for (const member of crowd.members.slice(0, 40)) {
    if (member.user.closes === 0) member.user.connection.abort(0, 'no longer wanted');
    crowd.run(333);
  }
  crowd.elementProcess.freeze();
  for (const member of crowd.members.slice(40, 55)) {
    member.user.connection.abort(0, 'no longer wanted');
    crowd.run(290);
  }
  const took = crowd.untilEnded('user');
  t.true(15 * 290 + took <= 4600, `${took} ms`);
  const others = crowd.members.slice(55);
  t.true(others.every(({ user }) => user.error?.code === 'ERR_RSERPOOL_HEARTBEAT_TIMEOUT'));
});

test('one that opens while the element has just frozen is no sign of it, and does not put the others off', (t) => {
  const crowd = new Crowd(30);
  crowd.run(settled);
  crowd.elementProcess.freeze();
  for (let i = 0; i < 4; i++) {
    crowd.userProcess.transport.connect(
      { host: elementAddress, port: 7000 },
      { onOpen: () => ({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} }), onError() {} },
    );
    crowd.run(1000);
  }
  crowd.run(600);
  t.is(crowd.ended('user').length, 30);
});

test('a thawed element hands on nothing of what its users have taken elsewhere', (t) => {
  const crowd = new Crowd(40);
  crowd.run(settled);
  crowd.elementProcess.freeze();
  for (const { user } of crowd.members) user.send('in its system');
  crowd.untilEnded('user');
  crowd.elementProcess.thaw();
  crowd.run(30_000);
  t.is(crowd.ended('element').length, 40);
  t.true(crowd.members.every(({ element }) => element.messages.length === 0));
  t.is(crowd.network.time.next, undefined);
});

test('an element gives up all connections of a user that is frozen after the user time-out, and none of one that thaws before', (t) => {
  const crowd = new Crowd(40);
  crowd.run(settled);
  crowd.userProcess.freeze();
  crowd.run(6000);
  crowd.userProcess.thaw();
  crowd.run(20_000);
  t.is(crowd.ended('user').length + crowd.ended('element').length, 0);
  crowd.userProcess.freeze();
  crowd.run(6400);
  t.is(crowd.ended('element').length, 0);
  t.true(6400 + crowd.untilEnded('element') <= 10_600);
});

test('a user that was stopped itself blames nobody', (t) => {
  // The element must not have given it up meanwhile.
  const crowd = new Crowd(200, { element: { userTimeout: 10_000_000, longestUserTimeout: 10_000_000 } });
  for (const stop of [300, 4000, 60_000, 3_600_000]) {
    crowd.run(settled + stop / 7);
    crowd.userProcess.freeze();
    crowd.run(stop);
    crowd.userProcess.thaw();
    crowd.run(20_000);
    t.is(crowd.ended('user').length, 0);
  }
  crowd.userProcess.freeze();
  crowd.run(20_000);
  crowd.elementProcess.freeze();
  crowd.userProcess.thaw();
  t.true(crowd.untilEnded('user') <= 4600);
});

test('only connections with the same timers share', (t) => {
  const crowd = new Crowd(10);
  const eager = Array.from({ length: 10 }, () => crowd.connect({ heartbeatInterval: 50, failureTimeout: 150 }));
  const slow = crowd.connect({ heartbeatInterval: 20_000, pathInterval: 60_000 });
  crowd.run(100_000);
  t.is(crowd.ended('user').length + crowd.ended('element').length, 0);
  crowd.elementProcess.freeze();
  crowd.run(160);
  t.is(crowd.ended('user').length, eager.length);
  t.true(eager.every(({ user }) => user.closes === 1));
  crowd.run(4500);
  t.is(crowd.ended('user').filter((member) => member !== slow).length, 20);
  crowd.run(17_000);
  t.is(slow.user.closes, 1);
});

test('a slow link is silence of no one: what is on its way to one user delays the answers to the others', (t) => {
  const crowd = new Crowd(20);
  crowd.run(settled);
  crowd.network.link(elementAddress, userAddress).bandwidth = 100;
  crowd.members[3]!.element.send(new Uint8Array(1_000_000));
  crowd.run(60_000);
  t.is(crowd.members[3]!.user.messages.length, 1);
  t.is(crowd.ended('user').length, 0);
});
