import test from 'ava';
import fc from 'fast-check';
import { Liveness, RoundTrip } from '../../lib/mapping/tcp/liveness.js';

const options = { failureTimeout: 1000, heartbeatInterval: 1500 };

type Step =
  | readonly ['heard' | 'asked' | 'traffic' | 'excuse', number]
  | readonly ['wait', number, boolean]
  | readonly ['expect', number, { question?: number; deadline?: number; patience?: number }];

function play(liveness: Liveness, steps: readonly Step[], check: (step: Step, actual: object) => void): void {
  for (const step of steps) {
    if (step[0] === 'wait') liveness.wait(step[2], step[1]);
    else if (step[0] === 'expect') {
      const all = {
        question: liveness.nextQuestion(step[1]),
        deadline: liveness.deadline(step[1]),
        patience: liveness.patience(step[1]),
      };
      check(step, Object.fromEntries(Object.keys(step[2]).map((key) => [key, all[key as keyof typeof all]])));
    } else liveness[step[0]](step[1]);
  }
}

const table: readonly [string, readonly Step[]][] = [
  [
    'idle: asks after the interval, gives up a failure time-out later',
    [['expect', 0, { question: 1500, deadline: 2500, patience: 1000 }]],
  ],
  [
    'waiting: asks after a quarter, gives up after all of the failure time-out',
    [
      ['wait', 100, true],
      ['expect', 100, { question: 250, deadline: 1100, patience: 1000 }],
      ['expect', 600, { patience: 500 }],
      ['expect', 1100, { patience: 0 }],
      ['expect', 5000, { patience: 0 }],
    ],
  ],
  [
    'what is heard moves everything',
    [
      ['wait', 0, true],
      ['heard', 700],
      ['expect', 700, { question: 950, deadline: 1700 }],
    ],
  ],
  [
    'a question is asked again only after its time',
    [
      ['wait', 0, true],
      ['asked', 250],
      ['expect', 250, { question: 500, deadline: 1000 }],
    ],
  ],
  [
    'from idle to waiting gives all of a failure time-out',
    [
      ['expect', 2000, { deadline: 2500 }],
      ['wait', 2000, true],
      ['expect', 2000, { deadline: 3000 }],
    ],
  ],
  [
    'waiting that goes on does not put the deadline off',
    [
      ['wait', 0, true],
      ['wait', 500, true],
      ['traffic', 900],
      ['expect', 900, { deadline: 1000 }],
    ],
  ],
  [
    'traffic counts as waiting for two failure time-outs',
    [
      ['traffic', 100],
      ['expect', 100, { question: 250, deadline: 1100 }],
      ['heard', 1900],
      ['expect', 2099, { question: 2150, deadline: 2900 }],
      ['expect', 2100, { question: 3400, deadline: 4400 }],
    ],
  ],
  [
    'an excuse gives half of the time again',
    [
      ['wait', 0, true],
      ['excuse', 900],
      ['expect', 900, { deadline: 1400 }],
    ],
  ],
  [
    'when nothing is waited for any more, the deadline moves later',
    [
      ['wait', 0, true],
      ['wait', 500, false],
      ['expect', 500, { deadline: 2500 }],
    ],
  ],
];

for (const [name, steps] of table) {
  test(name, (t) => {
    play(new Liveness(options, 0), steps, (step, actual) => t.deepEqual(actual, step[2] as object));
  });
}

test('one that shares is idle for as long as others know the process, but for a question of its own', (t) => {
  const process = { aliveAt: 0 };
  const liveness = new Liveness(options, 0);
  liveness.share(process, Number.POSITIVE_INFINITY);
  t.deepEqual([liveness.deadline(0), liveness.ownDeadline(0), liveness.nextQuestion(0)], [2500, Infinity, Infinity]);
  process.aliveAt = 8000;
  t.is(liveness.deadline(9000), 10_500);
  liveness.asked(9000);
  liveness.asked(9500);
  t.deepEqual([liveness.deadline(9500), liveness.ownDeadline(9500)], [10_000, 10_000]);
  liveness.heard(9600);
  t.deepEqual([liveness.deadline(9600), liveness.ownDeadline(9600)], [12_100, Infinity]);
  liveness.wait(true, 30_000);
  process.aliveAt = 30_900;
  t.deepEqual([liveness.deadline(30_900), liveness.nextQuestion(30_900)], [31_000, 9850]);
  liveness.wait(false, 30_950);
  liveness.unshare();
  t.deepEqual([liveness.deadline(30_950), liveness.nextQuestion(30_950)], [33_400, 11_100]);
});

test('one that is asked has the same patience whatever it waits for, but not for ever with one way that is silent', (t) => {
  const process = { aliveAt: 0 };
  const liveness = new Liveness({ failureTimeout: 10_000, heartbeatInterval: 10_000 / 3 }, 0);
  liveness.share(process, 90_000);
  liveness.wait(true, 0);
  process.aliveAt = 50_000;
  t.deepEqual([liveness.deadline(55_000), liveness.ownDeadline(55_000)], [60_000, 60_000]);
  process.aliveAt = 85_000;
  t.is(liveness.ownDeadline(85_000), 90_000);
});

test('an idle time-out is never shorter than the failure time-out', (t) => {
  const liveness = new Liveness({ failureTimeout: 1000, heartbeatInterval: 100 }, 0);
  t.is(liveness.deadline(0), 1000);
});

test('eager heartbeats give up after three questions', (t) => {
  t.is(new Liveness({ failureTimeout: 1000, heartbeatInterval: 400 }, 0).deadline(0), 1200);
});

test('a timer is late by more than a quarter of the failure time-out', (t) => {
  const liveness = new Liveness(options, 0);
  t.false(liveness.isLate(1250, 1000));
  t.true(liveness.isLate(1250.1, 1000));
});

test('the deadline never comes before the end of any lease granted, whatever happens in between', (t) => {
  const event = fc.record({
    after: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3000, noNaN: true })),
    kind: fc.constantFrom('heard', 'asked', 'traffic', 'excuse', 'wait', 'stop', 'grant', 'share', 'prove', 'unshare'),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 30, max: 5000 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.array(event, { maxLength: 80 }),
      (failureTimeout, heartbeatInterval, events) => {
        const liveness = new Liveness({ failureTimeout, heartbeatInterval }, 0);
        let now = 0;
        let leaseEnd = 0;
        const process = { aliveAt: 0 };
        const check = (): void => {
          // Nothing more is granted once the deadline has passed: its owner has given up.
          if (liveness.deadline(now) < leaseEnd - 1e-6) throw new Error(`${liveness.deadline(now)} before ${leaseEnd}`);
        };
        for (const { after, kind } of events) {
          now += after;
          check();
          if (now >= liveness.deadline(now)) return;
          if (kind === 'wait' || kind === 'stop') liveness.wait(kind === 'wait', now);
          else if (kind === 'grant') leaseEnd = Math.max(leaseEnd, now + liveness.patience(now));
          else if (kind === 'share') liveness.share(process, Number.POSITIVE_INFINITY);
          // An answer that has been on its way for some time.
          else if (kind === 'prove') process.aliveAt = Math.max(process.aliveAt, now - after / 2);
          else if (kind === 'unshare') liveness.unshare();
          else liveness[kind](now);
          check();
          t.true(liveness.patience(now) <= failureTimeout);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('round-trip time and retransmission time-out are smoothed as RFC 9260 section 6.3.1 says', (t) => {
  const roundTrip = new RoundTrip();
  t.is(roundTrip.rtt, undefined);
  t.is(roundTrip.rto, undefined);
  roundTrip.sample(100);
  t.is(roundTrip.rtt, 100);
  t.is(roundTrip.rto, 300);
  roundTrip.sample(200);
  t.is(roundTrip.rtt, 112.5);
  t.is(roundTrip.rto, 112.5 + 4 * 62.5);
});
