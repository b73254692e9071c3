/** Which element comes next: the policy's order, without those that have just failed. */

import type { Picker, PickerState } from '../policy/member-policy.js';
import type { PoolElement } from '../wire/parameters.js';

/** An answer of the registrar, and the turn in it, which all sessions of a process share so that they spread. */
export interface PoolView {
  readonly picker: Picker;
  readonly state: PickerState;
}

/** How long (ms) an element is passed over after it failed, unless it registers again meanwhile. */
export interface ExclusionTimes {
  /** Its connection broke or was refused: the machine answers, so it may be back at once. */
  readonly broken: number;
  /** It was silent. */
  readonly silent: number;
}

export class Candidates {
  readonly #failedUntil = new Map<number, number>();
  #pool: PoolView | undefined;

  /** A new answer of the registrar. */
  update(pool: PoolView): void {
    this.#pool = pool;
  }

  failed(identifier: number, until: number): void {
    this.#failedUntil.set(identifier, until);
  }

  /** The element is known to be alive. */
  alive(identifier: number): void {
    this.#failedUntil.delete(identifier);
  }

  isExcluded(identifier: number, now: number): boolean {
    const until = this.#failedUntil.get(identifier);
    return until !== undefined && now < until;
  }

  /** The next element to try, or undefined if all that are known have failed too recently. */
  next(now: number): PoolElement | undefined {
    for (const [identifier, until] of this.#failedUntil) if (now >= until) this.#failedUntil.delete(identifier);
    const excluded = this.#failedUntil.size === 0 ? undefined : new Set(this.#failedUntil.keys());
    return this.#pool?.picker.next(this.#pool.state, excluded);
  }

  get elements(): readonly PoolElement[] {
    return this.#pool?.picker.elements ?? [];
  }
}
