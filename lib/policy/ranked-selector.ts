/** The selector of all policies that answer with the best by some number: the lowest load, the highest priority. */

import type { MemberSelectionPolicy } from '../wire/parameters.js';
import { DegradationMemory } from './degradation-memory.js';
import type { MemberSelector, PolicyMember } from './member-policy.js';
import { RankHeap } from './rank-heap.js';

/** What puts the members of a pool in order. */
export interface Ranking {
  /** The rank of a member that has just registered: the lowest come first. */
  rankOf(policy: MemberSelectionPolicy): number;
  /** By how much the rank of a member rises each time that it is in an answer. Default: 0. */
  degradationOf?(policy: MemberSelectionPolicy): number;
}

/** Ordered by rank and, among equal ranks, by turn: the one whose turn is longest ago comes first. */
export class RankedSelector<Member extends PolicyMember> implements MemberSelector<Member> {
  readonly #ranking: Ranking;
  /**
   * The degradation counter of RFC 5356 section 5.2.2 is not stored beside the sum that it is there for: the rank is
   * load + counter x load degradation, and grows by the load degradation. It is exact below 2^53, which takes two
   * million answers without a registration even at the greatest load degradation.
   */
  readonly #heap = new RankHeap<Member>();
  readonly #degraded = new DegradationMemory<Member>();
  #turn = 0;

  constructor(ranking: Ranking) {
    this.#ranking = ranking;
  }

  get size(): number {
    return this.#heap.size;
  }

  add(member: Member): void {
    const rank = this.#degraded.take(member) ?? this.#ranking.rankOf(member.policy);
    member.place = this.#heap.add(member, rank, this.#turn++);
  }

  update(member: Member): void {
    this.#heap.setRank(member.place, this.#ranking.rankOf(member.policy));
  }

  remove(member: Member): void {
    if (this.#degradationOf(member) > 0) this.#degraded.keep(member, this.#heap.rankOf(member.place));
    this.#heap.remove(member.place);
    member.place = -1;
  }

  select(count: number): Member[] {
    const heap = this.#heap;
    const answer = heap.smallest(count);
    // As with the head of round robin, only the first of each group of equals has had its turn: were the whole
    // answer sent to the back, an answer that holds the whole group would come out in the same order for ever.
    let previousRank = Number.NEGATIVE_INFINITY;
    for (const member of answer) {
      const rank = heap.rankOf(member.place);
      const degradation = this.#degradationOf(member);
      if (rank !== previousRank) heap.update(member.place, rank + degradation, this.#turn++);
      else if (degradation > 0) heap.setRank(member.place, rank + degradation);
      previousRank = rank;
    }
    return answer;
  }

  #degradationOf(member: Member): number {
    return this.#ranking.degradationOf?.(member.policy) ?? 0;
  }
}
