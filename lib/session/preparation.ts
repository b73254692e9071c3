/**
 * The next element, made ready before it is known to be needed: while the one that has the session is tried once more,
 * whoever would be next is looked for and connected to. It stands by, and begins nothing until it is wanted.
 */

import type { Clock, Timer } from '../clock.js';
import type { PoolElement } from '../wire/parameters.js';
import type { Candidates } from './candidates.js';
import type { PoolAccess, PreparedDial, SessionHello } from './pool-access.js';

/** What the next element is for: the element that may have failed, and what the next one is told. */
interface Purpose {
  readonly failing: number | undefined;
  readonly hello: SessionHello;
}

/** An element that is being connected to, or is. */
interface Prepared {
  readonly element: PoolElement;
  readonly dial: PreparedDial;
  readonly expiry: Timer;
}

export interface PreparationOptions {
  /** Milliseconds that an element is kept ready; 0: nothing is prepared. */
  readonly readyTime: number;
  /** Milliseconds that one is passed over that could not be reached. */
  readonly exclusion: { readonly broken: number };
}

/** So many elements are tried at a time. */
const mostTries = 4;

export class Preparation {
  readonly #pool: PoolAccess;
  readonly #clock: Clock;
  readonly #candidates: Candidates;
  readonly #options: PreparationOptions;
  readonly #onReached: () => void;
  #prepared: Prepared | undefined;
  /** Counts the preparations: a registrar may answer when nobody wants one any more. */
  #run = 0;
  #tries = 0;

  /** `onReached`: the element is connected to. */
  constructor(
    pool: PoolAccess,
    clock: Clock,
    candidates: Candidates,
    options: PreparationOptions,
    onReached: () => void,
  ) {
    this.#pool = pool;
    this.#clock = clock;
    this.#candidates = candidates;
    this.#options = options;
    this.#onReached = onReached;
  }

  /** Prepares for the failure of the element `failing`; `hello`: what the next one is told. */
  begin(failing: number | undefined, hello: SessionHello): void {
    this.cancel();
    if (this.#pool.prepare === undefined || this.#pool.element !== undefined || this.#options.readyTime === 0) return;
    this.#tries = 0;
    const purpose = { failing, hello };
    // Who is known from an answer that is not old will do: to ask takes time in which the element could be connected to.
    if (!this.#candidates.isRecent(this.#clock.now()) || !this.#choose(purpose)) this.#ask(false, purpose);
  }

  /** The element that is connected to, or about to be. */
  get element(): PoolElement | undefined {
    return this.#prepared?.element;
  }

  /** That element, if it is connected to. */
  get reached(): PoolElement | undefined {
    return this.#prepared?.dial.isReached === true ? this.#prepared.element : undefined;
  }

  /** What was prepared for this element; anything else is dropped. */
  claim({ identifier }: PoolElement): PreparedDial | undefined {
    const prepared = this.#prepared;
    if (prepared?.element.identifier !== identifier) {
      this.cancel();
      return undefined;
    }
    this.#run++;
    prepared.expiry.cancel();
    this.#prepared = undefined;
    return prepared.dial;
  }

  /** Nothing of it is needed. */
  cancel(): void {
    this.#run++;
    this.#prepared?.expiry.cancel();
    this.#prepared?.dial.drop();
    this.#prepared = undefined;
  }

  #ask(refresh: boolean, purpose: Purpose): void {
    const run = this.#run;
    this.#pool.resolve(refresh, this.#options.readyTime, (_error, pool) => {
      if (pool === undefined) return;
      this.#candidates.update(pool);
      if (run === this.#run) this.#choose(purpose);
    });
  }

  /** Whether there is anybody to prepare. */
  #choose(purpose: Purpose): boolean {
    this.#candidates.spread();
    const isSuspected = (identifier: number): boolean => this.#pool.isSuspected(identifier);
    const { readyTime } = this.#options;
    const element = this.#candidates.next(this.#clock.now(), isSuspected, purpose.failing);
    if (element === undefined) return false;
    const run = this.#run;
    let reached = false;
    const dial = this.#pool.prepare?.(element, purpose.hello, readyTime, {
      onReached: () => {
        reached = true;
        this.#onReached();
      },
      onFailed: () => {
        if (run !== this.#run) return;
        // One that was there, but would or could not stand by, is for the search to judge.
        if (reached) this.cancel();
        else this.#failed(element, purpose);
      },
    });
    if (dial === undefined) return true;
    const expiry = this.#clock.setTimeout(() => this.cancel(), readyTime, 'background');
    this.#prepared = { element, dial, expiry };
    return true;
  }

  /** Who was known is not there: a registrar may know better. */
  #failed({ identifier }: PoolElement, purpose: Purpose): void {
    this.cancel();
    this.#candidates.failed(identifier, this.#clock.now() + this.#options.exclusion.broken);
    if (++this.#tries < mostTries) this.#ask(true, purpose);
  }
}
