/**
 * What a policy costs beside the bare structure that its selection needs: a mix of re-registrations with new values
 * and selections over 100,000 elements, against a 4-ary heap and a Fenwick tree on typed arrays. Both sides have the
 * same objects for elements and for values, made beforehand; the bare side takes a number out of them and puts it in
 * its place. They run in turns in one process; the figure is the median of the ratios of paired runs (1: as fast).
 */

import { drawBelow } from '../lib/policy/draw-below.js';
import { leastUsed } from '../lib/policy/least-used.js';
import type { MemberPolicy, MemberSelector, PolicyMember } from '../lib/policy/member-policy.js';
import { loadOf, weightOf } from '../lib/policy/policy-values.js';
import { weightedRandom } from '../lib/policy/weighted-random.js';
import { weightedRoundRobin } from '../lib/policy/weighted-round-robin.js';
import { seededRandom } from '../lib/random.js';
import type { MemberSelectionPolicy } from '../lib/wire/parameters.js';
import { BareFenwickTree, BareHeap } from './policy-structures.js';

const elements = 100_000;
const operations = 400_000;
/** Short runs and many: other work on the machine then slows both of a pair, or few of them. */
const operationsOfRun = 40_000;
const pairs = 101;
const goal = 0.85;

interface Member extends PolicyMember {
  policy: MemberSelectionPolicy;
  readonly index: number;
}

/** One side of a comparison: an element's new values, and a choice that takes its turn. */
interface Side {
  update(member: Member): void;
  select(): Member;
  readonly members: readonly Member[];
}

function membersOf(policies: readonly MemberSelectionPolicy[]): Member[] {
  return Array.from({ length: elements }, (_, index) => ({
    index,
    policy: policies[index] as MemberSelectionPolicy,
    place: -1,
  }));
}

function policySide(policy: MemberPolicy, policies: readonly MemberSelectionPolicy[]): Side {
  const selector: MemberSelector<Member> = policy.createSelector<Member>(seededRandom(2));
  const members = membersOf(policies);
  for (const member of members) selector.add(member);
  return {
    members,
    update: (member) => selector.update(member),
    select: () => selector.select(1)[0] as Member,
  };
}

function heapSide(policies: readonly MemberSelectionPolicy[]): Side {
  const heap = new BareHeap(elements);
  const members = membersOf(policies);
  for (const member of members) heap.push(member.index, loadOf(member.policy));
  return {
    members,
    update: (member) => heap.update(member.index, loadOf(member.policy)),
    select: () => members[heap.takeTurn()] as Member,
  };
}

function treeSide(policies: readonly MemberSelectionPolicy[]): Side {
  const tree = new BareFenwickTree(elements);
  const random = seededRandom(2);
  const members = membersOf(policies);
  for (const member of members) tree.set(member.index, weightOf(member.policy));
  return {
    members,
    update: (member) => tree.set(member.index, weightOf(member.policy)),
    select: () => members[tree.find(drawBelow(random, tree.total))] as Member,
  };
}

function word(random: { uniform(): number }): number {
  return 1 + Math.floor(random.uniform() * 0xffff_ffff);
}

const source = seededRandom(1);
const numbers = Array.from({ length: operations }, () => word(source));
const indices = Uint32Array.from({ length: operations }, () => source.uniform() * elements);

/** Milliseconds for one run; of ten operations `updatesOfTen` are re-registrations. */
function time(side: Side, policies: readonly MemberSelectionPolicy[], updatesOfTen: number, run = 0): number {
  let check = 0;
  const from = (run * operationsOfRun) % operations;
  const begin = performance.now();
  for (let i = from; i < from + operationsOfRun; i++) {
    if (i % 10 < updatesOfTen) {
      const member = side.members[indices[i] as number] as Member;
      member.policy = policies[i] as MemberSelectionPolicy;
      side.update(member);
    } else check += side.select().index;
  }
  const elapsed = performance.now() - begin;
  if (check < 0) throw new Error('no element chosen');
  return elapsed;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

function compare(
  name: string,
  ours: Side,
  bare: Side,
  policies: readonly MemberSelectionPolicy[],
  updatesOfTen: number,
): void {
  // Compilation is not what is compared.
  for (let run = 0; run < 20; run++) time(run % 2 === 0 ? ours : bare, policies, updatesOfTen, run);
  const ratios: number[] = [];
  const costs: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const oursFirst = pair % 2 === 0;
    const first = time(oursFirst ? ours : bare, policies, updatesOfTen, pair);
    const second = time(oursFirst ? bare : ours, policies, updatesOfTen, pair);
    const [own, other] = oursFirst ? [first, second] : [second, first];
    ratios.push(other / own);
    costs.push((own / operationsOfRun) * 1e6);
  }
  const ratio = median(ratios);
  const mix = `${updatesOfTen * 10} % updates`;
  console.log(
    `${ratio >= goal ? 'ok  ' : 'FAIL'}  ${ratio.toFixed(2)}  ${median(costs).toFixed(0)} ns  ${name}, ${mix}`,
  );
  if (ratio < goal) process.exitCode = 1;
}

console.log(`speed against the bare structure, goal ${goal}; time for each operation; ${elements} elements`);
const loads = numbers.map((load): MemberSelectionPolicy => ({ type: 'leastUsed', load }));
const used = policySide(leastUsed, loads);
const heap = heapSide(loads);
for (const updatesOfTen of [1, 5, 9]) {
  compare('least used against a 4-ary heap', used, heap, loads, updatesOfTen);
}
const weights = numbers.map((weight): MemberSelectionPolicy => ({ type: 'weightedRandom', weight }));
const weighted = policySide(weightedRandom, weights);
const tree = treeSide(weights);
for (const updatesOfTen of [1, 5, 9]) {
  compare('weighted random against a Fenwick tree', weighted, tree, weights, updatesOfTen);
}

const turns = policySide(weightedRoundRobin, weights);
for (const updatesOfTen of [0, 5]) {
  const costs = Array.from({ length: 20 }, (_, run) => time(turns, weights, updatesOfTen, run));
  const cost = median(costs.slice(10));
  const nanoseconds = ((cost / operationsOfRun) * 1e6).toFixed(0);
  console.log(`            ${nanoseconds} ns  weighted round robin, ${updatesOfTen * 10} % updates`);
}
