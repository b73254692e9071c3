/** The two orders in which most policies have a pool user try the elements of an answer. */

import type { PoolElement } from '../wire/parameters.js';
import type { Picker, PickerState } from './member-policy.js';

/** What a pool user begins with for a pool, and again with each new answer of its registrar. */
export function createPickerState(): PickerState {
  return { cursor: 0 };
}

/**
 * Takes the elements in turns, beginning with the first and starting over after the last (RFC 5356 section 4.1.3).
 * The turn is in the state, so it goes on when a changed list replaces this one between two answers.
 */
export class TurnPicker implements Picker {
  readonly elements: readonly PoolElement[];

  constructor(elements: readonly PoolElement[]) {
    this.elements = elements;
  }

  next(state: PickerState, excluded?: ReadonlySet<number>): PoolElement | undefined {
    const length = this.elements.length;
    for (let step = 0; step < length; step++) {
      const index = (state.cursor + step) % length;
      const element = this.elements[index];
      if (element === undefined || excluded?.has(element.identifier) === true) continue;
      state.cursor = (index + 1) % length;
      return element;
    }
    return undefined;
  }
}

/** Takes the first that is left, in the registrar's order, each time (RFC 5356 section 5.1.3). */
export class RankPicker implements Picker {
  readonly elements: readonly PoolElement[];

  constructor(elements: readonly PoolElement[]) {
    this.elements = elements;
  }

  next(_state: PickerState, excluded?: ReadonlySet<number>): PoolElement | undefined {
    if (excluded === undefined) return this.elements[0];
    for (const element of this.elements) {
      if (!excluded.has(element.identifier)) return element;
    }
    return undefined;
  }
}
