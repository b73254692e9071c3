/** How a pool user draws an element by chance (RFC 5356 sections 4.3.3, 4.4.3 and 5.4.3). */

import type { Random } from '../random.js';
import type { MemberSelectionPolicy, PoolElement } from '../wire/parameters.js';
import { drawBelow } from './draw-below.js';
import type { Picker, PickerState } from './member-policy.js';
import { roundRobinPolicy } from './policy-type.js';

/** What a policy by chance makes of an element's values. */
export interface Weighing {
  /** A whole number from 0 to 2^32-1. */
  weightOf(policy: MemberSelectionPolicy): number;
  /** By how much the weight falls, at most to 0, each time that the member is in an answer. Default: 0. */
  degradationOf?(policy: MemberSelectionPolicy): number;
  /** Elements of weight 0: 'never' in an answer (default), or 'last', after all others, in random order. */
  readonly weightless?: 'never' | 'last';
}

/**
 * Draws by weight each time, but takes the first of an answer first. That one is the registrar's own draw from the
 * whole pool; of a large pool the answer is a sample in which the heavy ones are many already, and to draw from it by
 * weight again counts weights twice. Of a pool that fits the answer both are the same.
 */
export class WeightedPicker implements Picker {
  readonly elements: readonly PoolElement[];
  readonly #random: Random;
  readonly #weighing: Weighing;

  constructor(elements: readonly PoolElement[], random: Random, weighing: Weighing) {
    this.elements = elements;
    this.#random = random;
    this.#weighing = weighing;
  }

  next(state: PickerState, excluded?: ReadonlySet<number>): PoolElement | undefined {
    const first = this.elements[0];
    const isNew = state.cursor === 0;
    state.cursor = 1;
    if (isNew && first !== undefined && this.#weightOf(first, excluded) > 0) return first;
    return this.#draw((element) => this.#weightOf(element, excluded)) ?? this.#drawWeightless(excluded);
  }

  #weightOf(element: PoolElement, excluded: ReadonlySet<number> | undefined): number {
    if (excluded?.has(element.identifier) === true) return 0;
    return this.#weighing.weightOf(element.policy ?? roundRobinPolicy);
  }

  #drawWeightless(excluded: ReadonlySet<number> | undefined): PoolElement | undefined {
    if (this.#weighing.weightless !== 'last') return undefined;
    return this.#draw((element) => (excluded?.has(element.identifier) === true ? 0 : 1));
  }

  #draw(weightOf: (element: PoolElement) => number): PoolElement | undefined {
    let total = 0;
    for (const element of this.elements) total += weightOf(element);
    if (total === 0) return undefined;
    let point = drawBelow(this.#random, total);
    for (const element of this.elements) {
      point -= weightOf(element);
      if (point < 0) return element;
    }
    return undefined;
  }
}
