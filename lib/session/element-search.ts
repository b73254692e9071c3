/** Looks for an element that takes a session: resolves, tries the elements in turn, pauses, begins again, until time runs out. */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { aggregateError, RserpoolError, type RserpoolErrorCode } from '../errors.js';
import type { MappingConnection, MappingHandler } from '../mapping/mapping.js';
import type { Random } from '../random.js';
import type { Attempt } from '../transport/transport.js';
import type { PoolElement } from '../wire/parameters.js';
import { Candidates, type ExclusionTimes } from './candidates.js';
import type { DialledCallbacks, PoolAccess, SessionHello } from './pool-access.js';
import { Preparation, type PreparationOptions } from './preparation.js';

export interface SearchOptions extends PreparationOptions {
  readonly exclusion: ExclusionTimes;
  /** Milliseconds between rounds over the pool: doubling from `first` to `most`, each shortened at random by up to half. */
  readonly backoff: { readonly first: number; readonly most: number };
  /** Milliseconds that a registrar's answer is awaited before the elements that are already known are tried. */
  readonly answerPatience: number;
  /** Rounds over the pool before it is given up, whatever time is left. */
  readonly rounds: number;
}

export interface SearchCallbacks {
  /** An element has said hello: returns who is told of its connection. The search is over. */
  onReached(element: PoolElement, connection: MappingConnection): MappingHandler;
  /** Time ran out. `errors`: what the registrar and each element that was tried said. */
  onExhausted(errors: readonly Error[]): void;
  /** Whether something is to be sent to the element, so that its failure may be reported. */
  hasSomethingToSend(): boolean;
}

/** Milliseconds from a failover until a registrar is asked who is there now. */
const newsAfter = 1000;

const failed = diagnosticEvent<{ poolHandle: string; element: number; error: Error }>('session', 'attempt-failed');

export class ElementSearch {
  readonly #pool: PoolAccess;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: SearchOptions;
  readonly #callbacks: SearchCallbacks;
  readonly #candidates = new Candidates();
  /** Counts the searches: what belongs to an earlier one is late. */
  #run = 0;
  #searching = false;
  #hello: SessionHello | undefined;
  #errors: Error[] = [];
  #backoff = 0;
  #rounds = 0;
  #attempt: Attempt | undefined;
  #deadline: Timer | undefined;
  #deadlineAt = 0;
  #pause: Timer | undefined;
  /** Whether a search keeps the process alive. */
  #referenced = true;
  /** Runs while a registrar is asked and there are elements to try without its answer. */
  #impatience: Timer | undefined;
  /** Runs after a failover, until a registrar is asked who is there now. */
  #news: Timer | undefined;
  /** Counts the questions: the answer to an earlier one is news, but nothing waits for it. */
  #asked = 0;
  /** The next element, kept ready before it is known to be needed. */
  readonly #preparation: Preparation;

  constructor(pool: PoolAccess, clock: Clock, random: Random, options: SearchOptions, callbacks: SearchCallbacks) {
    this.#pool = pool;
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
    this.#callbacks = callbacks;
    this.#preparation = new Preparation(pool, clock, this.#candidates, options, () => this.#tryPrepared());
  }

  /** Searches for at most `timeout` ms. */
  start(timeout: number, hello: SessionHello): void {
    this.#halt();
    this.#searching = true;
    this.#hello = hello;
    this.#errors = [];
    this.#rounds = 0;
    this.#backoff = this.#options.backoff.first;
    this.#deadlineAt = this.#clock.now() + timeout;
    this.#armDeadline();
    if (!this.#tryPrepared()) this.#resolve(false);
  }

  /**
   * The element that has the session may have failed: asks who is there, and connects to the one that would be next, so
   * that a search that begins soon, with this very hello, begins there.
   */
  prepare(failing: number | undefined, hello: SessionHello): void {
    this.#preparation.begin(failing, hello);
  }

  /** The element that has the session has not failed. */
  unprepare(): void {
    this.#preparation.cancel();
  }

  /** Whether this search and later ones keep the process alive. Default: yes. */
  keepAlive(referenced: boolean): void {
    this.#referenced = referenced;
    if (this.#searching) this.#armDeadline();
  }

  stop(): void {
    this.#halt();
    this.#preparation.cancel();
  }

  #halt(): void {
    this.#run++;
    this.#searching = false;
    this.#attempt?.cancel();
    this.#attempt = undefined;
    this.#deadline?.cancel();
    this.#pause?.cancel();
    this.#impatience?.cancel();
    this.#news?.cancel();
  }

  /** The element failed: it is passed over for a while. */
  exclude(identifier: number, how: keyof ExclusionTimes): void {
    const now = this.#clock.now();
    this.#candidates.failed(identifier, now + this.#options.exclusion[how]);
  }

  /** The order that a business card recommends. */
  prefer(elements: readonly PoolElement[]): void {
    if (this.#pool.element === undefined) this.#candidates.prefer(elements);
  }

  /** The elements that are known and have not just failed. */
  get candidates(): readonly PoolElement[] {
    return this.#candidates.elements.filter(({ identifier }) => !this.isExcluded(identifier));
  }

  isExcluded(identifier: number): boolean {
    return this.#candidates.isExcluded(identifier, this.#clock.now());
  }

  /** Who will be there instead of the element that failed, should the next one fail too. */
  #askLater(): void {
    const ask = (): void =>
      this.#pool.resolve(true, this.#options.answerPatience, (_error, pool) => pool && this.#candidates.update(pool));
    this.#news = this.#clock.setTimeout(ask, newsAfter, 'background');
  }

  #armDeadline(): void {
    this.#deadline?.cancel();
    const left = this.#deadlineAt - this.#clock.now();
    this.#deadline = this.#clock.setTimeout(() => this.#giveUp(), left, this.#referenced ? undefined : 'background');
  }

  #giveUp(): void {
    this.stop();
    this.#callbacks.onExhausted(this.#errors);
  }

  #resolve(refresh: boolean): void {
    const run = this.#run;
    const asked = ++this.#asked;
    let answered = false;
    const goOn = (): void => {
      if (run !== this.#run || !this.#searching || asked !== this.#asked || answered) return;
      answered = true;
      this.#impatience?.cancel();
      this.#tryNext();
    };
    // A registrar may fail together with an element: those that it named before are likely to live still.
    if (this.#candidates.elements.length > 0)
      this.#impatience = this.#clock.setTimeout(goOn, this.#options.answerPatience, 'background');
    // The registrar's silence is to be known as such before the time for all of it runs out.
    const timeout = Math.max(1, (this.#deadlineAt - this.#clock.now()) * 0.9);
    this.#pool.resolve(refresh, timeout, (error, pool) => {
      // News is news, even when an element was found without it: the next search may have to do with what is known.
      if (pool !== undefined) this.#candidates.update(pool);
      if (run !== this.#run || !this.#searching) return;
      if (error !== undefined) this.#errors.push(error);
      goOn();
    });
  }

  /** Goes to the element that is prepared, if it is connected to and somebody waits for it. */
  #tryPrepared(): boolean {
    const element = this.#preparation.reached;
    if (element === undefined || !this.#searching || this.isExcluded(element.identifier)) return false;
    // What the registrar answers meanwhile is news, but nothing waits for it; nor is it asked again.
    this.#asked++;
    this.#impatience?.cancel();
    this.#pause?.cancel();
    this.#try(element);
    return true;
  }

  #tryNext(): void {
    if (this.#hello?.failedOver === true) this.#candidates.spread();
    const isSuspected = (identifier: number): boolean => this.#pool.isSuspected(identifier);
    const element = this.#awaited() ?? this.#candidates.next(this.#clock.now(), isSuspected);
    if (element === undefined) {
      this.#pauseThenResolve();
      return;
    }
    this.#try(element);
  }

  /** Who is being connected to already, and still in the pool. */
  #awaited(): PoolElement | undefined {
    const identifier = this.#preparation.element?.identifier;
    if (identifier === undefined || this.isExcluded(identifier)) return undefined;
    return this.#candidates.elements.find((element) => element.identifier === identifier);
  }

  #try(element: PoolElement): void {
    const run = this.#run;
    const hello = this.#hello as SessionHello;
    const prepared = this.#preparation.claim(element);
    const callbacks: DialledCallbacks = {
      onOpen: (connection) => {
        this.#attempt = undefined;
        this.stop();
        this.#candidates.alive(element.identifier);
        if (hello.failedOver && this.#pool.element === undefined) this.#askLater();
        return this.#callbacks.onReached(element, connection);
      },
      onFailed: (errors) => {
        if (run !== this.#run) return;
        this.#attempt = undefined;
        const error = this.#elementFailed(element, errors);
        this.#errors.push(error);
        failed.publish({ poolHandle: this.#pool.poolHandle, element: element.identifier, error });
        const full = errors.some((one) => (one as Partial<RserpoolError>).code === 'ERR_RSERPOOL_LIMIT');
        this.exclude(element.identifier, full ? 'broken' : 'silent');
        // A report needs something that was to be sent to it (RFC 5352 section 6.9.2), and an element that is not well.
        const blocked = errors.some((one) => (one as NodeJS.ErrnoException).code === 'ERR_IP_BLOCKED');
        if (!full && !blocked && this.#callbacks.hasSomethingToSend()) this.#pool.reportUnreachable(element.identifier);
        this.#tryNext();
      },
    };
    this.#attempt = prepared === undefined ? this.#pool.dial(element, hello, callbacks) : prepared.claim(callbacks);
  }

  #elementFailed(element: PoolElement, errors: readonly Error[]): RserpoolError {
    const cause =
      errors.length === 1 ? errors[0] : new AggregateError(errors, 'none of its addresses could be reached');
    return new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', {
      poolHandle: this.#pool.poolHandle,
      element: element.identifier,
      origin: 'remote',
      cause,
      ...(cause === undefined ? {} : { detail: cause.message }),
    });
  }

  #pauseThenResolve(): void {
    if (++this.#rounds >= this.#options.rounds) {
      this.#giveUp();
      return;
    }
    const delay = this.#backoff * (1 - this.#random.uniform() / 2);
    this.#backoff = Math.min(this.#options.backoff.most, this.#backoff * 2);
    // The deadline keeps the process alive, if anything is to.
    this.#pause = this.#clock.setTimeout(() => this.#resolve(true), delay, 'background');
  }
}

/** One error for a search in vain: what the registrar said if no element was ever tried, else all elements' errors. */
export function searchError(code: RserpoolErrorCode, poolHandle: string, errors: readonly Error[]): Error {
  const gone = (errors.at(-1) as Partial<RserpoolError> | undefined)?.code === 'ERR_RSERPOOL_UNKNOWN_ELEMENT';
  const tried = !gone && errors.some((error) => error instanceof RserpoolError && error.element !== undefined);
  const last = errors.at(-1);
  if (!tried && last !== undefined) return last;
  return aggregatedSearchError(code, poolHandle, errors);
}

/** What a session ends with that finds no element: `cause` is why it left the one that it had, if it had one. */
export function exhaustedError(poolHandle: string, cause: Error | undefined, errors: readonly Error[]): Error {
  if (cause === undefined) return searchError('ERR_RSERPOOL_CONNECT_TIMEOUT', poolHandle, errors);
  return aggregatedSearchError('ERR_RSERPOOL_FAILOVER_EXHAUSTED', poolHandle, [cause, ...errors]);
}

/** All that went wrong in one error. */
function aggregatedSearchError(code: RserpoolErrorCode, poolHandle: string, errors: readonly Error[]): Error {
  // A long search repeats itself: the last word of each element is enough.
  const latest = new Map<unknown, Error>();
  for (const error of errors) latest.set((error as Partial<RserpoolError>).element ?? error.message, error);
  return aggregateError(code, { poolHandle, origin: 'remote' }, [...latest.values()]);
}
