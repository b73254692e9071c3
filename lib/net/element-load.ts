/** The policy of an element with its load in it, and elements that report their load by themselves. */

import {
  checkFunction,
  checkMilliseconds,
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
} from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import type { Timer } from '../clock.js';
import type { MemberSelectionPolicy } from '../wire/parameters.js';
import { guard } from './guarded.js';

/** From what an element finds out its own load. The function returns it, 0 (idle) to 1 (full). */
export type LoadSource = 'eventLoop' | 'sessions' | (() => number);

/** What `listen` and `register` take for the load; times in milliseconds. */
export interface LoadOptions {
  /**
   * Load for the policies that use it, 0 to 1, or how the element is to find it out by itself. 'eventLoop': the share of
   * time in which the event loop is busy. 'sessions': how many sessions there are, as a share of `maxConnections` (1,000
   * without). The weights of the weighted policies are reduced by it. Default: 0.
   */
  readonly load?: number | LoadSource;
  /** How often an element that finds it out by itself does so; it registers again for a change of 1 %. Default: 1,000. */
  readonly loadInterval?: number;
}

/** A change of less is not worth a registration. */
const leastChange = 0.01;

/** A load of 0 to 1 as RFC 5356 section 3.1 counts it; throws Node's argument errors. */
export function checkLoad(load: unknown, name: string = 'load'): number {
  if (typeof load !== 'number') throw invalidArgumentType(name, 'of type number', load);
  if (!(load >= 0 && load <= 1)) throw outOfRange(name, '>= 0 and <= 1', load);
  return Math.round(load * 0xffffffff);
}

export interface ElementLoadCallbacks {
  /** Sessions as a share of the most that there may be; absent: the element cannot know. */
  sessions?(): number;
  /** It is to register with these values. */
  onChange(policy: MemberSelectionPolicy): void;
}

export class ElementLoad {
  readonly #scope: OperationalScope;
  readonly #interval: number;
  readonly #source: LoadSource | undefined;
  readonly #callbacks: ElementLoadCallbacks;
  /** As the application gave it: weights are those of an idle element. */
  #base: MemberSelectionPolicy;
  /** With the load in it. */
  #policy: MemberSelectionPolicy;
  /** 0 to 1, as registered last. */
  #load: number | undefined;
  #timer: Timer | undefined;

  /** Throws Node's argument errors, also for a source of load that the policy has no use for. */
  constructor(
    scope: OperationalScope,
    policy: MemberSelectionPolicy,
    { load, loadInterval = 1_000 }: LoadOptions,
    callbacks: ElementLoadCallbacks,
  ) {
    this.#scope = scope;
    this.#callbacks = callbacks;
    this.#base = policy;
    this.#policy = policy;
    this.#interval = checkMilliseconds('options.loadInterval', loadInterval, 'finite', 1);
    if (load === undefined || typeof load === 'number') {
      if (load !== undefined) this.#apply(checkLoad(load, 'options.load') / 0xffffffff);
      return;
    }
    if (load === 'sessions' && callbacks.sessions === undefined)
      throw invalidArgumentValue('options.load', load, 'is for listen, which knows the sessions');
    if (load !== 'eventLoop' && load !== 'sessions') checkFunction('options.load', load);
    if (this.#withLoad(policy, 0) === undefined)
      throw invalidArgumentValue('options.load', load, `is of no use to the policy '${policy.type}'`);
    this.#source = load;
  }

  /** What the element registers with. */
  get policy(): MemberSelectionPolicy {
    return this.#policy;
  }

  /** Begins to report, if the load is to be found out. */
  start(): void {
    const source = this.#source;
    if (source === undefined || this.#timer !== undefined) return;
    const measure = this.#measure(source);
    const { clock } = this.#scope;
    const look = (): void => {
      this.#timer = clock.setTimeout(look, this.#interval, 'background');
      guard(clock, () => this.#report(checkLoad(measure(), 'the returned load') / 0xffffffff));
    };
    this.#timer = clock.setTimeout(look, this.#interval, 'background');
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** 0 to 1, told to the registrar at once; without effect on policies that have no use for it. */
  set(load: unknown): void {
    this.#apply(checkLoad(load) / 0xffffffff);
    this.#callbacks.onChange(this.#policy);
  }

  /**
   * Other values, a load among them if the policy has one; `load` (unsigned 32 bits) instead of that. Throws what
   * `onChange` throws, for values that the wire cannot carry, and leaves the former ones.
   */
  setPolicy(policy: MemberSelectionPolicy, load?: number): void {
    const changed = load === undefined ? policy : (this.#withLoad(policy, load) ?? policy);
    this.#callbacks.onChange(changed);
    this.#base = policy;
    this.#policy = changed;
    this.#load = load === undefined ? undefined : load / 0xffffffff;
  }

  #measure(source: LoadSource): () => number {
    if (typeof source === 'function') return source;
    if (source === 'sessions') return () => Math.min(1, this.#callbacks.sessions?.() ?? 0);
    // A clock of the application's own may know nothing of the event loop: it is idle as far as anybody can say.
    return this.#scope.clock.measureUtilization?.() ?? (() => 0);
  }

  #report(load: number): void {
    if (this.#load !== undefined && Math.abs(load - this.#load) < leastChange) return;
    this.#apply(load);
    this.#callbacks.onChange(this.#policy);
  }

  #apply(load: number): void {
    const policy = this.#withLoad(this.#base, Math.round(load * 0xffffffff));
    if (policy === undefined) return;
    this.#load = load;
    this.#policy = policy;
  }

  #withLoad(policy: MemberSelectionPolicy, load: number): MemberSelectionPolicy | undefined {
    return this.#scope.policies.get(policy).withLoad?.(policy, load);
  }
}
