/**
 * The next element, made ready before it is known to be needed: while the one that has the session is tried once more,
 * whoever would be next is looked for and connected to. It stands by, and begins nothing until it is wanted.
 */

import type { Clock, Timer } from '../clock.js';
import type { PoolElement } from '../wire/parameters.js';
import type { Candidates } from './candidates.js';
import type { PoolAccess, PreparedDial, SessionHello } from './pool-access.js';

/** An element that is being connected to, or is. */
interface Prepared {
  readonly element: PoolElement;
  readonly dial: PreparedDial;
  readonly expiry: Timer;
}

export class Preparation {
  readonly #pool: PoolAccess;
  readonly #clock: Clock;
  readonly #candidates: Candidates;
  readonly #readyTime: number;
  readonly #onReady: () => void;
  #prepared: Prepared | undefined;
  /** Counts the preparations: a registrar may answer when nobody wants one any more. */
  #run = 0;

  /** What is not claimed within `readyTime` ms is dropped; 0: nothing is prepared. `onReady`: the element stands by. */
  constructor(pool: PoolAccess, clock: Clock, candidates: Candidates, readyTime: number, onReady: () => void) {
    this.#pool = pool;
    this.#clock = clock;
    this.#candidates = candidates;
    this.#readyTime = readyTime;
    this.#onReady = onReady;
  }

  /** Prepares for the failure of the element `failing`; `hello`: what the next one is told. */
  begin(failing: number | undefined, hello: SessionHello): void {
    this.cancel();
    if (this.#pool.prepare === undefined || this.#pool.element !== undefined || this.#readyTime === 0) return;
    const run = this.#run;
    // Who is known from an answer that is not old will do; the registrar is asked all the same, for what may come next.
    if (this.#candidates.isRecent(this.#clock.now())) this.#choose(failing, hello);
    this.#pool.resolve(false, this.#readyTime, (_error, pool) => {
      if (pool === undefined) return;
      this.#candidates.update(pool);
      if (run === this.#run && this.#prepared === undefined) this.#choose(failing, hello);
    });
  }

  /** The element that is connected to, or about to be. */
  get element(): PoolElement | undefined {
    return this.#prepared?.element;
  }

  /** That element, if it stands by. */
  get ready(): PoolElement | undefined {
    return this.#prepared?.dial.isReady === true ? this.#prepared.element : undefined;
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

  #choose(failing: number | undefined, hello: SessionHello): void {
    this.#candidates.spread();
    const isSuspected = (identifier: number): boolean => this.#pool.isSuspected(identifier);
    const element = this.#candidates.next(this.#clock.now(), isSuspected, failing);
    const dial = element && this.#pool.prepare?.(element, hello, this.#readyTime, this.#onReady);
    if (element === undefined || dial === undefined) return;
    const expiry = this.#clock.setTimeout(() => this.cancel(), this.#readyTime, 'background');
    this.#prepared = { element, dial, expiry };
  }
}
