/** Weighted Round Robin (RFC 5356 section 4.2). */

import type { Random } from '../random.js';
import type { PoolElement } from '../wire/parameters.js';
import { policyType } from '../wire/policy-parameter.js';
import { type DueNode, DueTree, type RoundTime } from './due-tree.js';
import type { MemberPolicy, MemberSelector, Picker, PolicyMember } from './member-policy.js';
import { TurnPicker } from './picker.js';
import { weightOf, withWeightLeft } from './policy-values.js';

/** A member's present turn: the (taken + 1)-th of `weight` turns in the round that began at its base. */
class Turn<Member> implements DueNode<Turn<Member>> {
  readonly member: Member;
  weight = 0;
  baseRound = 0;
  basePart = 0;
  taken = 0;
  releaseRound = 0;
  releasePart = 0;
  dueRound = 0;
  duePart = 0;
  order = 0;
  left: Turn<Member> | undefined = undefined;
  right: Turn<Member> | undefined = undefined;
  height = 1;
  earliest: Turn<Member> = this;

  constructor(member: Member) {
    this.member = member;
  }
}

/**
 * The circular list of RFC 5356 section 4.2.2 would have as many places as the weights' sum, so it is never made.
 * Instead, virtual time passes by one round while the list would be gone through once, that is by 1/sum with each
 * answer. In each round a member of weight w has w turns of equal length, one after the other; a turn may be taken
 * once it has begun, and of those that have begun the one that ends first is. So at any time every member has had
 * its share to within one (that is as even as it gets; M. Balinski and H. P. Young's quota method), and after a
 * whole round exactly. Changes move nobody's turn but the changed member's.
 */
class WeightedRoundRobinSelector<Member extends PolicyMember> implements MemberSelector<Member> {
  readonly #tree = new DueTree<Turn<Member>>();
  readonly #turns: (Turn<Member> | undefined)[] = [];
  readonly #free: number[] = [];
  #size = 0;
  /** The sum of all weights: below 2^53 for two million members, so exact. */
  #total = 0;
  /** Virtual time when the sum last changed. */
  #round = 0;
  #part = 0;
  /** Answers since then, in the present round. */
  #answers = 0;
  #order = 0;

  get size(): number {
    return this.#size;
  }

  add(member: Member): void {
    const place = this.#free.pop() ?? this.#turns.length;
    const turn = new Turn(member);
    this.#turns[place] = turn;
    member.place = place;
    this.#size++;
    this.#enter(turn, weightOf(member.policy), 0);
  }

  update(member: Member): void {
    const turn = this.#turns[member.place] as Turn<Member>;
    const weight = weightOf(member.policy);
    if (weight === turn.weight) return;
    // What it is ahead or behind by it keeps: who changes its weight often must get its turn all the same.
    this.#enter(turn, weight, this.#leave(turn));
  }

  remove(member: Member): void {
    const turn = this.#turns[member.place] as Turn<Member>;
    const behind = this.#leave(turn);
    this.#forgo(behind);
    this.#turns[member.place] = undefined;
    this.#free.push(member.place);
    this.#size--;
    member.place = -1;
  }

  select(count: number): Member[] {
    if (count <= 0 || this.#total === 0) return [];
    const chosen = this.#tree.firstReleased(this.#time(1)) ?? (this.#tree.earliest as Turn<Member>);
    const answer = [chosen.member];
    // The others come as their turns are due. One that is heavy has several turns before another's next; which of
    // them the list would name first costs as many steps as there are weights, and only matters to spares.
    if (count > 1) {
      for (const turn of this.#tree.firstDue(count)) {
        if (turn !== chosen && answer.length < count) answer.push(turn.member);
      }
    }
    this.#take(chosen);
    return answer;
  }

  #take(turn: Turn<Member>): void {
    this.#tree.remove(turn);
    turn.taken++;
    if (turn.taken === turn.weight) {
      turn.taken = 0;
      turn.baseRound++;
    }
    this.#schedule(turn);
    this.#answers++;
    if (this.#answers === this.#total) {
      this.#answers = 0;
      this.#round++;
    }
  }

  /** Lets a member in that is `behind` by so many turns (ahead, if negative). */
  #enter(turn: Turn<Member>, weight: number, behind: number): void {
    turn.weight = weight;
    if (weight === 0) {
      this.#forgo(behind);
      return;
    }
    const now = this.#settle();
    this.#total += weight;
    const part = now.part - behind / weight;
    turn.baseRound = now.round + Math.floor(part);
    turn.basePart = part - Math.floor(part);
    turn.taken = 0;
    this.#schedule(turn);
  }

  /** Takes a member's turn out and returns how many turns it was behind. */
  #leave(turn: Turn<Member>): number {
    if (turn.weight === 0) return 0;
    const now = this.#settle();
    this.#tree.remove(turn);
    this.#total -= turn.weight;
    if (this.#total === 0) {
      // Nobody's turns depend on the time any more, and from 0 on they are exact.
      this.#round = 0;
      this.#part = 0;
      return 0;
    }
    return (now.round - turn.releaseRound + (now.part - turn.releasePart)) * turn.weight;
  }

  /** Turns that nobody takes any more: the others have had them, so it is as much later for them. */
  #forgo(behind: number): void {
    if (this.#total === 0) return;
    const part = this.#part + behind / this.#total;
    this.#round += Math.floor(part);
    this.#part = part - Math.floor(part);
  }

  #schedule(turn: Turn<Member>): void {
    turn.releaseRound = turn.baseRound;
    turn.releasePart = turn.basePart + turn.taken / turn.weight;
    if (turn.releasePart >= 1) {
      turn.releaseRound++;
      turn.releasePart -= 1;
    }
    turn.dueRound = turn.baseRound;
    turn.duePart = turn.basePart + (turn.taken + 1) / turn.weight;
    if (turn.duePart >= 1) {
      turn.dueRound++;
      turn.duePart -= 1;
    }
    turn.order = this.#order++;
    this.#tree.insert(turn);
  }

  /** Virtual time after so many more answers. */
  #time(more: number): RoundTime {
    const part = this.#total === 0 ? this.#part : this.#part + (this.#answers + more) / this.#total;
    return part < 1 ? { round: this.#round, part } : { round: this.#round + 1, part: part - 1 };
  }

  /** Counts from now on, because the sum of weights is about to change. */
  #settle(): RoundTime {
    const now = this.#time(0);
    this.#round = now.round;
    this.#part = now.part;
    this.#answers = 0;
    return now;
  }
}

/** Elements of weight 0 cannot serve (RFC 5356 section 3.2): they are in no answer. */
export const weightedRoundRobin: MemberPolicy = {
  policyType: policyType.weightedRoundRobin,
  createSelector: <Member extends PolicyMember>(_random: Random): MemberSelector<Member> =>
    new WeightedRoundRobinSelector<Member>(),
  withLoad: withWeightLeft,
  createPicker: (elements: readonly PoolElement[]): Picker => new TurnPicker(elements),
};
