/**
 * Which element of a pool a plain connection goes to next: by the pool's policy, without those that have just failed, and
 * without those set aside because they keep answering errors while any other is left.
 */

import type { Cancellable, Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import type { ExclusionTimes, PoolView } from '../session/candidates.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { poolView } from './pool-access.js';
import { type PoolServer, serversOf } from './select-server.js';

export interface ElementChoiceOptions {
  /** Milliseconds that an element is passed over; a silent one twice as long each time, up to 16 times. */
  readonly exclusion: ExclusionTimes;
  /** Answers in a row that are errors until an element is set aside; 0: never. */
  readonly errorsUntilSetAside: number;
  /** Milliseconds for which it is. */
  readonly setAsideTime: number;
}

/** What is known of one element; nothing while all is well. */
interface Record {
  /** Not to be used before; clock time. */
  excludedUntil: number;
  /** Times in a row that it was silent. */
  silences: number;
  setAsideUntil: number;
  /** Answers in a row that were errors. */
  errors: number;
}

export class ElementChoice {
  readonly poolHandle: string;
  readonly scope: OperationalScope;
  readonly #options: ElementChoiceOptions;
  readonly #records = new Map<number, Record>();
  readonly #waiting = new Set<() => void>();
  #subscription: Cancellable | undefined;
  #view: PoolView | undefined;
  #servers: ReadonlyMap<number, PoolServer> = new Map();
  /** Elements that plain TCP cannot reach. */
  #foreign = new Set<number>();
  /** Whether a registrar has answered, and that there is no such pool. */
  #unknown = false;

  constructor(scope: OperationalScope, poolHandle: string, options: ElementChoiceOptions) {
    this.scope = scope;
    this.poolHandle = poolHandle;
    this.#options = options;
  }

  /** What the registrar said last: nothing yet, no such pool, or who is in it. */
  get answer(): 'none' | 'unknown' | 'known' {
    if (this.#unknown) return 'unknown';
    return this.#view === undefined ? 'none' : 'known';
  }

  /** Whether the element is in the pool, as far as is known. */
  has(identifier: number): boolean {
    return this.#servers.has(identifier);
  }

  /** Takes the policy's next turn; undefined: none can be used at present. `tried`: not these. */
  next(tried?: ReadonlySet<number>): PoolServer | undefined {
    this.#listen();
    if (this.#view === undefined) return undefined;
    if (this.#records.size === 0 && this.#foreign.size === 0 && tried === undefined) return this.#pick(undefined);
    const now = this.scope.clock.now();
    const failed = new Set([...this.#foreign, ...(tried ?? [])]);
    const aside = new Set<number>();
    for (const [identifier, record] of this.#records) {
      if (now < record.excludedUntil) failed.add(identifier);
      else if (now < record.setAsideUntil) aside.add(identifier);
    }
    if (aside.size === 0) return this.#pick(failed);
    return this.#pick(new Set([...failed, ...aside])) ?? this.#pick(failed);
  }

  /** Calls `changed` after each news of the pool, until it is cancelled. */
  await(changed: () => void): Cancellable {
    this.#listen();
    this.#waiting.add(changed);
    return { cancel: () => void this.#waiting.delete(changed) };
  }

  /** The element could not be reached, was silent, or broke a connection: it is reported and passed over for a while. */
  failed(identifier: number, how: keyof ExclusionTimes): void {
    this.scope.endpoint.reportUnreachable(toPoolHandle(this.poolHandle), identifier);
    const record = this.#record(identifier);
    const factor = how === 'silent' ? 2 ** Math.min(record.silences++, 4) : 1;
    const until = this.scope.clock.now() + this.#options.exclusion[how] * factor;
    record.excludedUntil = Math.max(record.excludedUntil, until);
  }

  /** The element answered: an error of its own, or as it should. */
  answered(identifier: number, isError: boolean): void {
    const { errorsUntilSetAside, setAsideTime } = this.#options;
    if (!isError) {
      if (this.#records.size > 0) this.#records.delete(identifier);
      return;
    }
    if (errorsUntilSetAside === 0) return;
    const record = this.#record(identifier);
    record.silences = 0;
    record.errors++;
    if (record.errors >= errorsUntilSetAside) record.setAsideUntil = this.scope.clock.now() + setAsideTime;
  }

  /** Stops listening for news; the next use begins again. */
  close(): void {
    this.#subscription?.cancel();
    this.#subscription = undefined;
    this.#view = undefined;
  }

  #record(identifier: number): Record {
    let record = this.#records.get(identifier);
    if (record === undefined) {
      record = { excludedUntil: 0, silences: 0, setAsideUntil: 0, errors: 0 };
      this.#records.set(identifier, record);
    }
    return record;
  }

  #pick(excluded: ReadonlySet<number> | undefined): PoolServer | undefined {
    const { picker, state } = this.#view as PoolView;
    const element = picker.next(state, excluded);
    return element === undefined ? undefined : this.#servers.get(element.identifier);
  }

  #listen(): void {
    this.#subscription ??= this.scope.endpoint.subscribe(toPoolHandle(this.poolHandle), (resolution) => {
      this.#unknown = resolution === undefined;
      if (resolution === undefined) this.#view = undefined;
      else this.#update(resolution);
      for (const changed of [...this.#waiting]) changed();
    });
  }

  #update(resolution: Resolution): void {
    this.#view = poolView(this.scope, resolution);
    this.#servers = serversOf(resolution.elements);
    this.#foreign = new Set();
    for (const { identifier } of resolution.elements)
      if (this.#servers.get(identifier)?.protocol !== 'tcp') this.#foreign.add(identifier);
    // What left the pool may come back as good as new: a restarted process takes another identifier.
    for (const identifier of this.#records.keys()) if (!this.#servers.has(identifier)) this.#records.delete(identifier);
  }
}
