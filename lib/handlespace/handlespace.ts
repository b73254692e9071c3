/** The handlespace of a registrar (RFC 5352 sections 3.1 to 3.3, RFC 5353 section 3.6): data only, no I/O, no timers. */

import { IndexedHeap } from '../policy/indexed-heap.js';
import { PolicyRegistry } from '../policy/registry.js';
import type { Random } from '../random.js';
import type { MemberSelectionPolicy, PoolElement, PoolHandle } from '../wire/parameters.js';
import { withHome } from '../wire/pool-element.js';
import type { ChangeReason, HandlespaceChange } from './change.js';
import { type HandlespaceEntry, StoredEntry } from './entry.js';
import { Ownership } from './ownership.js';
import { type HandlespacePool, Pool, type PoolProperties } from './pool.js';
import type { HandlespaceLimit, Rejection } from './rejection.js';
import { type Occupant, Room } from './room.js';

export interface HandlespaceOptions {
  /** Chance for the policies that need it. */
  readonly random: Random;
  /** Default: the policies that the library brings. */
  readonly policies?: PolicyRegistry;
  /** Most pools that began by registrations here; as for the following limits, peers have as much again, see room.ts. Default: 10,000. */
  readonly maxPools?: number;
  /** Most elements in one pool. Default: 100,000. */
  readonly maxElementsPerPool?: number;
  /** Most elements in all. Default: 1,000,000. */
  readonly maxElements?: number;
  /** Most elements in one answer, whatever was asked for. Default: 32, so that an answer fits few packets. */
  readonly maxElementsPerAnswer?: number;
  /** What one unit of registration life is, in ms. Default: 1000 (RFC 5354 section 3.10); 1 as the reference implementation has it. */
  readonly lifeUnit?: number;
  /**
   * Told of every change once it is complete, before the call that made it returns. It may call the handlespace
   * back. It must not throw.
   */
  readonly onChange?: (change: HandlespaceChange) => void;
}

/** What else there is to say about a registration. */
export interface RegistrationFacts {
  /** Now, in milliseconds of the caller's clock: the registration life begins. */
  readonly now: number;
  /** The server that owns the element from now on; default: the element's home server identifier. */
  readonly owner?: number;
  /** `false`: the registration life is not ours to enforce (its home server does). Default: true. */
  readonly expires?: boolean;
  /** `true`: refuse if the identifier is registered, because the caller knows that it is another element's. */
  readonly exclusive?: boolean;
  /** Default: 'registration' for register(), 'handleUpdate' for replicate(). */
  readonly reason?: ChangeReason;
}

export type RegistrationResult =
  | { readonly type: 'added' | 'updated'; readonly entry: HandlespaceEntry }
  | { readonly type: 'rejected'; readonly rejection: Rejection };

/** The answer to a handle resolution. */
export interface Resolution {
  /** The overall policy of the pool. */
  readonly policy: MemberSelectionPolicy;
  /** In the policy's order, none twice; empty when all elements of the pool are suspended. */
  readonly elements: readonly PoolElement[];
}

/** Pools that peers ended and that are remembered. */
const maxFormer = 1_000;

export class Handlespace {
  readonly #random: Random;
  readonly #policies: PolicyRegistry;
  readonly #maxElementsPerPool: number;
  readonly #elementRoom: Room;
  readonly #poolRoom: Room;
  readonly #maxElementsPerAnswer: number;
  readonly #lifeUnit: number;
  readonly #onChange: ((change: HandlespaceChange) => void) | undefined;
  readonly #pools = new Map<PoolHandle, Pool>();
  /** Pools that peers ended, as they were here: the latest ones. */
  readonly #former = new Map<PoolHandle, PoolProperties>();
  readonly #ownership = new Ownership();
  readonly #expiries = new IndexedHeap<StoredEntry>(setExpiryPlace, 'primary');
  #elementCount = 0;

  constructor(options: HandlespaceOptions) {
    this.#random = options.random;
    this.#policies = options.policies ?? new PolicyRegistry();
    this.#maxElementsPerPool = options.maxElementsPerPool ?? 100_000;
    this.#elementRoom = new Room(options.maxElements ?? 1_000_000);
    this.#poolRoom = new Room(options.maxPools ?? 10_000);
    this.#maxElementsPerAnswer = options.maxElementsPerAnswer ?? 32;
    this.#lifeUnit = options.lifeUnit ?? 1000;
    this.#onChange = options.onChange;
  }

  get poolCount(): number {
    return this.#pools.size;
  }

  /** All registered elements, suspended ones included. */
  get elementCount(): number {
    return this.#elementCount;
  }

  /** The pools in the order of their creation; the iteration survives changes. */
  pools(): IterableIterator<HandlespacePool> {
    return this.#pools.values();
  }

  pool(poolHandle: PoolHandle): HandlespacePool | undefined {
    return this.#pools.get(poolHandle);
  }

  entry(poolHandle: PoolHandle, identifier: number): HandlespaceEntry | undefined {
    return this.#pools.get(poolHandle)?.get(identifier);
  }

  /** The servers that own at least one element. */
  owners(): IterableIterator<number> {
    return this.#ownership.owners();
  }

  /** The elements that a server owns; the iteration survives changes. */
  owned(owner: number): ReadonlySet<HandlespaceEntry> {
    return this.#ownership.owned(owner);
  }

  /** The PE checksum over the elements that a server owns (RFC 5353 section 3.6.2): 16 bits, kept incrementally. */
  checksum(owner: number): number {
    return this.#ownership.checksum(owner);
  }

  /**
   * An element registers, for the first time or again (RFC 5352 section 3.1 rules 1 to 5). Accepted, it has all the
   * attributes given here, the owner given here, and is in the answers from now on; a re-registration keeps its turn.
   */
  register(poolHandle: PoolHandle, element: PoolElement, facts: RegistrationFacts): RegistrationResult {
    const pool = this.#pools.get(poolHandle);
    const rejection = pool?.admit(element);
    if (rejection !== undefined) return { type: 'rejected', rejection };
    const result = this.#store(poolHandle, pool, element, facts, 'here', facts.reason ?? 'registration');
    if (pool === undefined && result.type === 'added') this.#registeredFirst(poolHandle);
    return result;
  }

  /**
   * A peer tells of an element. As register(), except that what the peer has accepted is not checked for
   * consistency with the pool (RFC 5353 section 3.3.1): two servers that each refuse the other's element would
   * differ for ever. Limits hold all the same.
   */
  replicate(poolHandle: PoolHandle, element: PoolElement, facts: RegistrationFacts): RegistrationResult {
    const pool = this.#pools.get(poolHandle);
    return this.#store(poolHandle, pool, element, facts, 'told', facts.reason ?? 'handleUpdate');
  }

  /**
   * Removes an element, and with the last one its pool (RFC 5352 section 3.2). Returns what was removed, or undefined
   * if there is no such element, which is no error.
   */
  remove(poolHandle: PoolHandle, identifier: number, reason: ChangeReason): HandlespaceEntry | undefined {
    const entry = this.#pools.get(poolHandle)?.get(identifier);
    if (entry !== undefined) this.#remove(entry, reason);
    return entry;
  }

  /**
   * Leaves an element out of the answers until it registers again, for instance while its connection is broken.
   * It stays in the checksum, and nobody is told. Returns false if there is no such element.
   */
  suspend(poolHandle: PoolHandle, identifier: number): boolean {
    return this.#pools.get(poolHandle)?.suspend(identifier) ?? false;
  }

  /** Takes a suspended element into the answers again, last in turn. Returns false if there is no such element. */
  resume(poolHandle: PoolHandle, identifier: number): boolean {
    return this.#pools.get(poolHandle)?.resume(identifier) ?? false;
  }

  /**
   * Answers a handle resolution (RFC 5352 section 3.3), or undefined for an unknown pool. `wanted` is how many
   * elements were asked for; absent or 0 means no preference. `hint` is for the pool's policy. At most `maxElementsPerAnswer` are given.
   */
  resolve(poolHandle: PoolHandle, wanted = 0, hint?: Uint8Array): Resolution | undefined {
    const pool = this.#pools.get(poolHandle);
    if (pool === undefined) return undefined;
    const count = wanted === 0 ? this.#maxElementsPerAnswer : Math.min(wanted, this.#maxElementsPerAnswer);
    const elements = pool.select(count, hint).map(elementOf);
    return { policy: pool.policy, elements };
  }

  /** When a registration expires, in the caller's milliseconds; Infinity: never, or it is none of this handlespace any more. */
  expiresAt(entry: HandlespaceEntry): number {
    const { expiryPlace } = entry as StoredEntry;
    return expiryPlace === -1 ? Number.POSITIVE_INFINITY : this.#expiries.primaryAt(expiryPlace);
  }

  /** When the next registration expires, or Infinity: for the caller's timer. */
  nextExpiry(): number {
    return this.#expiries.size === 0 ? Number.POSITIVE_INFINITY : this.#expiries.primaryAt(0);
  }

  /** Removes every element whose registration life has ended by `now` and returns them, earliest first. */
  expire(now: number): HandlespaceEntry[] {
    const expired: HandlespaceEntry[] = [];
    while (this.nextExpiry() <= now) {
      const entry = this.#expiries.least as StoredEntry;
      this.#remove(entry, 'expiry');
      expired.push(entry);
    }
    return expired;
  }

  /**
   * Gives all elements of one server to another (RFC 5353 section 3.5.2) and returns them. Their registration lives
   * begin anew, as far as they are ours to enforce, so that they have time to register at their new home.
   */
  takeOver(from: number, to: number, facts: Pick<RegistrationFacts, 'now' | 'expires'>): HandlespaceEntry[] {
    if (from === to) return [];
    const entries = [...this.#ownership.owned(from)];
    for (const entry of entries) {
      // A listener of an earlier change may have removed it or given it away.
      if (!this.#ownership.owned(from).has(entry)) continue;
      const previous = entry.element;
      const pool = this.#pools.get(entry.poolHandle) as Pool;
      this.#leave(entry, pool);
      entry.element = withHome(previous, to);
      // A mark is about the former owner's table.
      entry.marked = false;
      entry.registeredHere = false;
      this.#enter(entry, pool);
      this.#setExpiry(entry, facts);
      this.#tell('updated', entry, 'takeover', previous);
    }
    return entries;
  }

  /** Marks all elements of a server, as a re-synchronisation begins (RFC 5353 section 3.6.3 step 1). */
  mark(owner: number): void {
    for (const entry of this.#ownership.owned(owner)) entry.marked = true;
  }

  /** Removes the elements of a server that were not registered or replicated since mark() (step 5), and returns them. */
  removeMarked(owner: number): HandlespaceEntry[] {
    const left = [...this.#ownership.owned(owner)].filter((entry) => entry.marked);
    for (const entry of left) {
      // A listener of an earlier change may have removed it or given it away.
      if (this.#ownership.owned(owner).has(entry)) this.#remove(entry, 'handleTable');
    }
    return left;
  }

  #store(
    poolHandle: PoolHandle,
    pool: Pool | undefined,
    registered: PoolElement,
    facts: RegistrationFacts,
    from: 'here' | 'told',
    reason: ChangeReason,
  ): RegistrationResult {
    const owner = facts.owner ?? registered.homeServerId;
    const element = registered.homeServerId === owner ? registered : withHome(registered, owner);
    const occupant = from === 'here' ? from : owner;
    const present = pool?.get(element.identifier);
    if (pool === undefined || present === undefined)
      return this.#add(poolHandle, pool, element, occupant, facts, reason);
    if (facts.exclusive === true) return { type: 'rejected', rejection: { type: 'nonUniquePeIdentifier' } };
    return this.#update(pool, present, element, occupant, facts, reason);
  }

  #add(
    poolHandle: PoolHandle,
    existing: Pool | undefined,
    element: PoolElement,
    occupant: Occupant,
    facts: RegistrationFacts,
    reason: ChangeReason,
  ): RegistrationResult {
    const limit = this.#limitReached(existing, occupant);
    if (limit !== undefined) return { type: 'rejected', rejection: { type: 'lackOfResources', limit } };
    let pool = existing;
    if (pool === undefined) {
      const room = new Room(this.#maxElementsPerPool);
      pool = new Pool(poolHandle, element, occupant, room, this.#policies, this.#random);
      pool.former = this.#former.get(pool.poolHandle);
      this.#pools.set(poolHandle, pool);
      this.#poolRoom.enter(occupant);
    }
    const entry = new StoredEntry(pool.poolHandle, element);
    entry.registeredHere = occupant === 'here';
    pool.add(entry);
    this.#elementCount++;
    this.#enter(entry, pool);
    this.#setExpiry(entry, facts);
    this.#tell('added', entry, reason);
    return { type: 'added', entry };
  }

  #update(
    pool: Pool,
    entry: StoredEntry,
    element: PoolElement,
    occupant: Occupant,
    facts: RegistrationFacts,
    reason: ChangeReason,
  ): RegistrationResult {
    const previous = entry.element;
    const resumed = entry.suspended;
    const changesHands = previous.homeServerId !== element.homeServerId || entry.occupant !== occupant;
    if (changesHands) {
      this.#leave(entry, pool);
      const limit = this.#limitReached(pool, occupant);
      if (limit !== undefined) {
        this.#enter(entry, pool);
        return { type: 'rejected', rejection: { type: 'lackOfResources', limit } };
      }
      entry.registeredHere = occupant === 'here';
    }
    pool.update(entry, element);
    entry.marked = false;
    if (changesHands) this.#enter(entry, pool);
    this.#setExpiry(entry, facts);
    this.#tell('updated', entry, reason, previous, resumed);
    return { type: 'updated', entry };
  }

  #remove(entry: StoredEntry, reason: ChangeReason): void {
    const pool = this.#pools.get(entry.poolHandle) as Pool;
    pool.remove(entry);
    if (pool.size === 0) {
      this.#pools.delete(pool.poolHandle);
      this.#poolRoom.leave(pool.founder);
      if (reason === 'handleUpdate' || reason === 'handleTable') this.#remember(pool);
    }
    this.#elementCount--;
    this.#leave(entry, pool);
    if (entry.expiryPlace !== -1) this.#expiries.remove(entry.expiryPlace);
    this.#tell('removed', entry, reason);
  }

  /** A pool began with an element that registered here. */
  #registeredFirst(poolHandle: PoolHandle): void {
    const pool = this.#pools.get(poolHandle);
    // A listener may have removed it.
    if (pool === undefined) return;
    pool.registeredHere = true;
    pool.former = undefined;
    this.#former.delete(poolHandle);
  }

  /** Peers ended a pool that elements of ours were in: they may come back to find another one in its place. */
  #remember(pool: Pool): void {
    const { remembered } = pool;
    if (remembered === undefined) return;
    this.#former.delete(pool.poolHandle);
    this.#former.set(pool.poolHandle, remembered);
    if (this.#former.size <= maxFormer) return;
    const [oldest] = this.#former.keys();
    if (oldest !== undefined) this.#former.delete(oldest);
  }

  /** Counts the entry under its present owner, wherever it counts. */
  #enter(entry: StoredEntry, pool: Pool): void {
    this.#ownership.add(entry);
    this.#elementRoom.enter(entry.occupant);
    pool.room.enter(entry.occupant);
  }

  #leave(entry: StoredEntry, pool: Pool): void {
    this.#ownership.remove(entry);
    this.#elementRoom.leave(entry.occupant);
    pool.room.leave(entry.occupant);
  }

  #limitReached(pool: Pool | undefined, occupant: Occupant): HandlespaceLimit | undefined {
    if (this.#elementRoom.isFullFor(occupant)) return 'maxElements';
    if (pool === undefined) return this.#poolRoom.isFullFor(occupant) ? 'maxPools' : undefined;
    return pool.room.isFullFor(occupant) ? 'maxElementsPerPool' : undefined;
  }

  #setExpiry(entry: StoredEntry, facts: Pick<RegistrationFacts, 'now' | 'expires'>): void {
    const expiresAt =
      facts.expires === false ? Number.POSITIVE_INFINITY : endOfLife(entry.element, facts.now, this.#lifeUnit);
    const place = entry.expiryPlace;
    if (expiresAt === Number.POSITIVE_INFINITY) {
      if (place !== -1) this.#expiries.remove(place);
    } else if (place === -1) {
      this.#expiries.push(entry, expiresAt, 0);
    } else {
      this.#expiries.update(place, expiresAt, 0);
    }
  }

  #tell(
    type: HandlespaceChange['type'],
    entry: StoredEntry,
    reason: ChangeReason,
    previous?: PoolElement,
    resumed = false,
  ): void {
    if (this.#onChange === undefined) return;
    const change: HandlespaceChange = { type, poolHandle: entry.poolHandle, entry, reason, resumed };
    this.#onChange(previous === undefined ? change : { ...change, previous });
  }
}

/** -1 is for ever (RFC 5354 section 3.10); other negative lives are over before they began, like 0. */
function endOfLife(element: PoolElement, now: number, unit: number): number {
  return element.registrationLife === -1
    ? Number.POSITIVE_INFINITY
    : now + Math.max(0, element.registrationLife) * unit;
}

function elementOf(entry: StoredEntry): PoolElement {
  return entry.element;
}

function setExpiryPlace(entry: StoredEntry, place: number): void {
  entry.expiryPlace = place;
}
