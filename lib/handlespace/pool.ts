/** One pool: its overall properties, its elements, and the selector that answers for it. */

import type { MemberSelector } from '../policy/member-policy.js';
import { roundRobinPolicy, samePolicyType } from '../policy/policy-type.js';
import type { PolicyRegistry } from '../policy/registry.js';
import type { Random } from '../random.js';
import type { MemberSelectionPolicy, PoolElement, PoolHandle, Transport } from '../wire/parameters.js';
import type { HandlespaceEntry, StoredEntry } from './entry.js';
import type { Rejection } from './rejection.js';
import type { Occupant, Room } from './room.js';

/** A pool as others see it. It is live, like its entries. */
export interface HandlespacePool {
  readonly poolHandle: PoolHandle;
  /** The overall policy: that of the element the pool began with (RFC 5352 section 3.1 rule 1). */
  readonly policy: MemberSelectionPolicy;
  /** The overall transport type and use: those of this transport, with which the pool began. */
  readonly transport: Transport;
  /** How many elements are registered, suspended ones included. */
  readonly size: number;
  /** How many elements answers are made of. */
  readonly available: number;
  /** The elements in the order of their first registration. */
  entries(): IterableIterator<HandlespaceEntry>;
}

/** The overall properties of a pool. */
export interface PoolProperties {
  readonly policy: MemberSelectionPolicy;
  readonly transport: Transport;
}

export class Pool implements HandlespacePool {
  readonly poolHandle: PoolHandle;
  /** Who began it. */
  readonly founder: Occupant;
  /** For its elements. */
  readonly room: Room;
  /** An element registered with this server while the pool was as it is. */
  registeredHere = false;
  /** What the pool was while elements registered with this server, until peers said that it is something else. */
  former: PoolProperties | undefined;
  readonly #policies: PolicyRegistry;
  readonly #random: Random;
  /** By PE identifier as a signed number: V8 keeps unsigned ones from 2^31 on in objects of their own. */
  readonly #entries = new Map<number, StoredEntry>();
  #policy!: MemberSelectionPolicy;
  #transport!: Transport;
  #selector!: MemberSelector<StoredEntry>;

  /** A pool without elements that will have `first` as its first one. */
  constructor(
    poolHandle: PoolHandle,
    first: PoolElement,
    founder: Occupant,
    room: Room,
    policies: PolicyRegistry,
    random: Random,
  ) {
    this.poolHandle = poolHandle;
    this.founder = founder;
    this.room = room;
    this.#policies = policies;
    this.#random = random;
    this.#found(first);
  }

  get policy(): MemberSelectionPolicy {
    return this.#policy;
  }

  get transport(): Transport {
    return this.#transport;
  }

  get size(): number {
    return this.#entries.size;
  }

  get available(): number {
    return this.#selector.size;
  }

  entries(): IterableIterator<StoredEntry> {
    return this.#entries.values();
  }

  get(identifier: number): StoredEntry | undefined {
    return this.#entries.get(identifier | 0);
  }

  /** How the element contradicts the pool, if it does (RFC 5352 section 3.1 rule 2). */
  inconsistency(element: PoolElement): Rejection | undefined {
    return inconsistency(element, this);
  }

  /**
   * An element registers with this server: says how it contradicts the pool, if it does. Where peers alone have made the
   * pool what it is, one that is as the pool was here before makes it so again: a peer that lies must not lock out the
   * elements of others by elements of another kind.
   */
  admit(element: PoolElement): Rejection | undefined {
    const rejection = inconsistency(element, this);
    if (rejection === undefined) {
      this.registeredHere = true;
      this.former = undefined;
      return undefined;
    }
    if (this.registeredHere || this.former === undefined || inconsistency(element, this.former) !== undefined)
      return rejection;
    const offered = [...this.#entries.values()].filter((entry) => !entry.suspended);
    for (const entry of offered) this.#selector.remove(entry);
    this.#found(element);
    for (const entry of offered) this.#selector.add(entry);
    this.registeredHere = true;
    this.former = undefined;
    return undefined;
  }

  /** What is to be remembered of the pool when peers make it another one, or nothing. */
  get remembered(): PoolProperties | undefined {
    return this.registeredHere ? { policy: this.#policy, transport: this.#transport } : this.former;
  }

  add(entry: StoredEntry): void {
    this.#entries.set(entry.identifier | 0, entry);
    this.#selector.add(entry);
  }

  /** Gives the entry new attributes; it keeps its turn unless it was suspended. */
  update(entry: StoredEntry, element: PoolElement): void {
    entry.element = element;
    // An only element that a peer replaced by one of another kind means that the pool was founded anew over there.
    if (this.#entries.size === 1 && this.inconsistency(element) !== undefined) {
      if (!entry.suspended) this.#withdraw(entry);
      this.former = this.remembered;
      this.registeredHere = false;
      this.#found(element);
    }
    if (entry.suspended) this.#offer(entry);
    else this.#selector.update(entry);
  }

  remove(entry: StoredEntry): void {
    if (!entry.suspended) this.#selector.remove(entry);
    this.#entries.delete(entry.identifier | 0);
  }

  /** Leaves an element out of the answers. Returns false if there is no such element. */
  suspend(identifier: number): boolean {
    const entry = this.#entries.get(identifier | 0);
    if (entry === undefined) return false;
    if (!entry.suspended) this.#withdraw(entry);
    return true;
  }

  /** Takes an element into the answers again. Returns false if there is no such element. */
  resume(identifier: number): boolean {
    const entry = this.#entries.get(identifier | 0);
    if (entry === undefined) return false;
    if (entry.suspended) this.#offer(entry);
    return true;
  }

  select(count: number, hint?: Uint8Array): StoredEntry[] {
    return this.#selector.select(count, hint);
  }

  #withdraw(entry: StoredEntry): void {
    this.#selector.remove(entry);
    entry.suspended = true;
  }

  #offer(entry: StoredEntry): void {
    entry.suspended = false;
    this.#selector.add(entry);
  }

  /** Takes the overall properties from the element the pool begins with (RFC 5352 section 3.1 rule 1). */
  #found(first: PoolElement): void {
    this.#policy = first.policy ?? roundRobinPolicy;
    this.#transport = first.userTransport;
    this.#selector = this.#policies.get(this.#policy).createSelector<StoredEntry>(this.#random);
  }
}

function inconsistency(element: PoolElement, { policy, transport }: PoolProperties): Rejection | undefined {
  if (!samePolicyType(element.policy ?? roundRobinPolicy, policy)) return { type: 'inconsistentPoolPolicy', policy };
  if (element.userTransport.type !== transport.type) return { type: 'inconsistentTransportType', transport };
  if (transportUse(element.userTransport) !== transportUse(transport))
    return { type: 'inconsistentDataControlConfiguration' };
  return undefined;
}

/** Transports without a Transport Use carry data only (RFC 5354 sections 3.3 to 3.7). */
function transportUse(transport: Transport): string {
  return transport.type === 'sctp' ? transport.use : 'dataOnly';
}
