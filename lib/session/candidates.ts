/** Which element comes next: the business card's order, then the policy's, without those that have just failed. */

import type { Picker, PickerState } from '../policy/member-policy.js';
import type { PoolElement } from '../wire/parameters.js';

/** An answer of the registrar, and the turn in it, which all sessions of a process share so that they spread. */
export interface PoolView {
  readonly picker: Picker;
  readonly state: PickerState;
  /** When the registrar answered, in ms of the session's clock. */
  readonly resolvedAt: number;
  /**
   * An element has failed: all users that had this answer would take the same one next. Begins the turn anywhere, once
   * for each answer.
   */
  spread(): void;
}

/** How long (ms) an element is passed over after it failed, unless it registers again meanwhile. */
export interface ExclusionTimes {
  /** Its connection broke or was refused: the machine answers, so it may be back at once. */
  readonly broken: number;
  /** It was silent. */
  readonly silent: number;
}

/** ms. */
const staleAfter = 30_000;

export class Candidates {
  readonly #failedUntil = new Map<number, number>();
  /**
   * Until when they are passed over; no registrar has named them since. One that names them earlier may not know yet that
   * they have failed.
   */
  readonly #unheard = new Map<number, number>();
  #pool: PoolView | undefined;
  #preferred: readonly PoolElement[] = [];

  /** A new answer of the registrar. */
  update(pool: PoolView): void {
    this.#pool = pool;
    const named = new Set(this.#unheard.size === 0 ? [] : pool.picker.elements.map(({ identifier }) => identifier));
    for (const [identifier, until] of this.#unheard) {
      // Who is not named is of no more interest, unless a card recommends it.
      const isCards = !named.has(identifier) && this.#preferred.some((element) => element.identifier === identifier);
      if (pool.resolvedAt > until && !isCards) this.#unheard.delete(identifier);
    }
  }

  /** Whether the last answer is young enough to choose by without asking (RFC 5352 section 7.1, stale.cache.value). */
  isRecent(now: number): boolean {
    return this.#pool !== undefined && now - this.#pool.resolvedAt < staleAfter;
  }

  /** The order of the business card of the element that has the session (RFC 5352 section 3.9, BC2). */
  prefer(elements: readonly PoolElement[]): void {
    this.#preferred = elements;
  }

  spread(): void {
    this.#pool?.spread();
  }

  /** It failed and is not tried again before `until`. */
  failed(identifier: number, until: number): void {
    this.#failedUntil.set(identifier, until);
    this.#unheard.set(identifier, until);
  }

  /** The element is known to be alive. */
  alive(identifier: number): void {
    this.#failedUntil.delete(identifier);
    this.#unheard.delete(identifier);
  }

  isExcluded(identifier: number, now: number): boolean {
    const until = this.#failedUntil.get(identifier);
    return until !== undefined && now < until;
  }

  /**
   * The next element to try, or undefined if all that are known have failed too recently. One that failed and was named
   * by no registrar since comes after all others. `isSuspected`: whether others of this process found it dead lately; a
   * card does not know that. `except`: one that may just be failing.
   */
  next(
    now: number,
    isSuspected: (identifier: number) => boolean,
    except?: number | undefined,
  ): PoolElement | undefined {
    for (const [identifier, until] of this.#failedUntil) if (now >= until) this.#failedUntil.delete(identifier);
    const failing = except === undefined ? [] : [except];
    const none = this.#failedUntil.size === 0 && except === undefined;
    const excluded = none ? undefined : new Set([...this.#failedUntil.keys(), ...failing]);
    for (const preferred of this.#preferred) {
      const { identifier } = preferred;
      if (excluded?.has(identifier) === true || this.#unheard.has(identifier) || isSuspected(identifier)) continue;
      // The registrar's word is newer; it need not have named all elements.
      return this.elements.find((element) => element.identifier === identifier) ?? preferred;
    }
    if (this.#pool === undefined) return undefined;
    const { picker, state } = this.#pool;
    if (this.#unheard.size > this.#failedUntil.size) {
      const better = picker.next(state, new Set([...(excluded ?? []), ...this.#unheard.keys()]));
      if (better !== undefined) return better;
    }
    return picker.next(state, excluded);
  }

  get elements(): readonly PoolElement[] {
    return this.#pool?.picker.elements ?? [];
  }
}
