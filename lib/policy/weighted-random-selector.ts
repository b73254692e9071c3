/** The selector of all policies that draw by weight, without replacement within one answer. */

import type { Random } from '../random.js';
import { DegradationMemory } from './degradation-memory.js';
import { drawBelow } from './draw-below.js';
import { FenwickTree } from './fenwick-tree.js';
import type { MemberSelector, PolicyMember } from './member-policy.js';
import { RandomList } from './random-list.js';
import type { Weighing } from './weighted-picker.js';

/**
 * Members with a weight have a slot of the tree as their place. Members without one are in a list of their own, so
 * that they can be drawn too: their places are -2 and below.
 */
export class WeightedRandomSelector<Member extends PolicyMember> implements MemberSelector<Member> {
  readonly #random: Random;
  readonly #weighing: Weighing;
  readonly #tree = new FenwickTree();
  readonly #members: (Member | undefined)[] = [];
  readonly #weights: number[] = [];
  readonly #free: number[] = [];
  readonly #weightless: RandomList<Member>;
  readonly #degraded = new DegradationMemory<Member>();
  #size = 0;

  constructor(random: Random, weighing: Weighing) {
    this.#random = random;
    this.#weighing = weighing;
    this.#weightless = new RandomList<Member>(random, setWeightlessPlace);
  }

  get size(): number {
    return this.#size;
  }

  add(member: Member): void {
    this.#enter(member, this.#degraded.take(member) ?? this.#weighing.weightOf(member.policy));
    this.#size++;
  }

  update(member: Member): void {
    this.#setWeight(member, this.#weighing.weightOf(member.policy));
  }

  remove(member: Member): void {
    if (this.#degradationOf(member) > 0) this.#degraded.keep(member, this.#weightAt(member.place));
    this.#leave(member);
    this.#size--;
  }

  select(count: number): Member[] {
    const answer = this.#draw(count);
    if (answer.length < count && this.#weighing.weightless === 'last') {
      for (const member of this.#weightless.draw(count - answer.length)) answer.push(member);
    }
    if (this.#weighing.degradationOf === undefined) return answer;
    for (const member of answer) {
      const weight = this.#weightAt(member.place);
      const degraded = Math.max(0, weight - this.#degradationOf(member));
      if (degraded !== weight) this.#setWeight(member, degraded);
    }
    return answer;
  }

  /** Who is drawn is out of the tree until the answer is complete; the last one need not be. */
  #draw(count: number): Member[] {
    if (count <= 0 || this.#tree.total === 0) return [];
    if (count === 1) return [this.#members[this.#drawSlot()] as Member];
    const answer: Member[] = [];
    const out: number[] = [];
    while (answer.length < count && this.#tree.total > 0) {
      const slot = this.#drawSlot();
      answer.push(this.#members[slot] as Member);
      if (answer.length === count) break;
      this.#tree.add(slot, -(this.#weights[slot] as number));
      out.push(slot);
    }
    for (const slot of out) this.#tree.add(slot, this.#weights[slot] as number);
    return answer;
  }

  #drawSlot(): number {
    return this.#tree.find(drawBelow(this.#random, this.#tree.total));
  }

  #setWeight(member: Member, weight: number): void {
    const slot = member.place;
    if (slot >= 0 && weight > 0) {
      this.#tree.add(slot, weight - (this.#weights[slot] as number));
      this.#weights[slot] = weight;
    } else if (slot >= 0 || weight > 0) {
      this.#leave(member);
      this.#enter(member, weight);
    }
  }

  #enter(member: Member, weight: number): void {
    if (weight === 0) {
      this.#weightless.push(member);
      return;
    }
    const slot = this.#free.pop() ?? this.#members.length;
    this.#members[slot] = member;
    this.#weights[slot] = weight;
    member.place = slot;
    if (slot === this.#tree.size) this.#tree.push(weight);
    else this.#tree.add(slot, weight);
  }

  #leave(member: Member): void {
    const slot = member.place;
    if (slot >= 0) {
      this.#tree.add(slot, -(this.#weights[slot] as number));
      this.#members[slot] = undefined;
      this.#free.push(slot);
    } else {
      this.#weightless.remove(-2 - slot);
    }
    member.place = -1;
  }

  #weightAt(place: number): number {
    return place >= 0 ? (this.#weights[place] as number) : 0;
  }

  #degradationOf(member: Member): number {
    return this.#weighing.degradationOf?.(member.policy) ?? 0;
  }
}

function setWeightlessPlace(member: PolicyMember, index: number): void {
  member.place = -2 - index;
}
