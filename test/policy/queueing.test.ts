/** What the policies are good for: how fast a pool handles requests under them, against queueing theory. */

import test from 'ava';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { handlingSpeed } from './processor-sharing.js';

const requests = 100_000;

const random = (): MemberSelectionPolicy => ({ type: 'random' });
const roundRobin = (): MemberSelectionPolicy => ({ type: 'roundRobin' });
const leastUsed = (jobs: number): MemberSelectionPolicy => ({
  type: 'leastUsed',
  load: Math.min(jobs, 1000) * 0x40_0000,
});

/** For the root that is not 1. */
function fixedPoint(of: (x: number) => number): number {
  let x = 0.5;
  for (let i = 0; i < 1000; i++) x = of(x);
  return x;
}

test('random makes each element a queue with Poisson arrivals: 1 less the load, 20 %', (t) => {
  const speed = handlingSpeed({ seed: 51, requests, users: 'open', policyAt: random });
  t.log(speed);
  t.true(Math.abs(speed - 0.2) < 0.02, `${speed}`);
});

test('round robin gives each element every tenth arrival: 34 %', (t) => {
  // Arrivals are then Erlang of order 10, and the chance of a busy element is the root of this equation.
  const expected = 1 - fixedPoint((x) => (8 / (8 + 1 - x)) ** 10);
  t.is(expected.toFixed(2), '0.34');
  const speed = handlingSpeed({ seed: 52, requests, users: 'open', policyAt: roundRobin });
  t.log(speed);
  t.true(Math.abs(speed - expected) < 0.02, `${speed}`);
});

test('least used with one user an element always finds an idle element, and what is left is the users own queue: 20 %', (t) => {
  const speed = handlingSpeed({ seed: 53, requests, users: 10, policyAt: leastUsed });
  t.log(speed);
  t.true(Math.abs(speed - 0.2) < 0.02, `${speed}`);
});

test('least used with open arrivals is faster than round robin', (t) => {
  const speed = handlingSpeed({ seed: 54, requests, users: 'open', policyAt: leastUsed });
  const turns = handlingSpeed({ seed: 54, requests, users: 'open', policyAt: roundRobin });
  t.log({ leastUsed: speed, roundRobin: turns });
  // Shortest queue under processor sharing: nearly twice as fast at this load.
  t.true(speed > turns + 0.2, `${speed} against ${turns}`);
});
