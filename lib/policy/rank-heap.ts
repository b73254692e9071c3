/**
 * A 4-ary heap of items that can be changed and removed in O(log n). Items have slots, and what moves within the heap
 * are numbers in typed arrays: of 100,000 items the objects do not fit a cache, so the fewer of them are touched the
 * better. Four children a parent, because half the levels mean half the cache misses.
 */

import { IndexedHeap } from './indexed-heap.js';

/** Ordered by rank, then turn; the least first. */
export class RankHeap<Item> {
  /** By slot. */
  readonly #items: (Item | undefined)[] = [];
  readonly #free: number[] = [];
  #places = new Uint32Array(64);
  /** By place. */
  #slots = new Uint32Array(64);
  #ranks = new Float64Array(64);
  /** Apart from the ranks, which fill half as many cache lines by themselves: turns are looked at among equals only. */
  #turns = new Float64Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The least item, or undefined when empty. */
  get least(): Item | undefined {
    return this.#size === 0 ? undefined : this.#items[this.#slots[0] as number];
  }

  /** The least item becomes the last of its equals, with its rank raised by so much. */
  turnLeast(turn: number, raised: number): void {
    const rank = this.#rankAt(0) + raised;
    this.#ranks[0] = rank;
    this.#turns[0] = turn;
    // Mostly it stays where it is.
    for (let child = 1, end = Math.min(5, this.#size); child < end; child++) {
      const childRank = this.#rankAt(child);
      if (childRank > rank || (childRank === rank && this.#turnAt(child) > turn)) continue;
      this.#siftDown(0);
      return;
    }
  }

  rankOf(slot: number): number {
    return this.#rankAt(this.#places[slot] as number);
  }

  /** Adds an item and returns its slot, which it keeps until it is removed. */
  add(item: Item, rank: number, turn: number): number {
    const slot = this.#free.pop() ?? this.#items.length;
    this.#items[slot] = item;
    if (this.#size === this.#slots.length) this.#grow();
    const place = this.#size++;
    this.#put(place, slot, rank, turn);
    this.#siftUp(place);
    return slot;
  }

  update(slot: number, rank: number, turn: number): void {
    const place = this.#places[slot] as number;
    this.#ranks[place] = rank;
    this.#turns[place] = turn;
    this.#settle(place);
  }

  /** Gives the item another rank and leaves it its turn. */
  setRank(slot: number, rank: number): void {
    const place = this.#places[slot] as number;
    this.#ranks[place] = rank;
    this.#settle(place);
  }

  remove(slot: number): void {
    const place = this.#places[slot] as number;
    const last = --this.#size;
    if (place < last) {
      this.#put(place, this.#slots[last] as number, this.#rankAt(last), this.#turnAt(last));
      this.#settle(place);
    }
    this.#items[slot] = undefined;
    this.#free.push(slot);
  }

  /** The `count` least items in ascending order; O(count log count), and nothing moves. */
  smallest(count: number): Item[] {
    const wanted = Math.min(count, this.#size);
    if (wanted <= 0) return [];
    const found: Item[] = [];
    // The next in order is always a child of one already found.
    const frontier = new IndexedHeap<number>(ignoreMove);
    frontier.push(0, this.#rankAt(0), this.#turnAt(0));
    for (;;) {
      const place = frontier.least as number;
      found.push(this.#items[this.#slots[place] as number] as Item);
      if (found.length === wanted) return found;
      frontier.remove(0);
      const end = Math.min(place * 4 + 5, this.#size);
      for (let child = place * 4 + 1; child < end; child++) {
        frontier.push(child, this.#rankAt(child), this.#turnAt(child));
      }
    }
  }

  /**
   * Moves what stands at a place to where it belongs. Rank and turn are read from there and not handed over: numbers
   * with a fraction, or above 2^30, that go from one function to the next become objects on the way.
   */
  #settle(place: number): void {
    if (place > 0 && this.#before(place, (place - 1) >> 2)) this.#siftUp(place);
    else this.#siftDown(place);
  }

  #siftUp(from: number): void {
    const ranks = this.#ranks;
    const turns = this.#turns;
    const slots = this.#slots;
    const places = this.#places;
    const rank = ranks[from] as number;
    const turn = turns[from] as number;
    const slot = slots[from] as number;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      const parentRank = ranks[parent] as number;
      if (parentRank < rank || (parentRank === rank && (turns[parent] as number) < turn)) break;
      const moved = slots[parent] as number;
      slots[place] = moved;
      ranks[place] = parentRank;
      turns[place] = turns[parent] as number;
      places[moved] = place;
      place = parent;
    }
    if (place !== from) this.#put(place, slot, rank, turn);
  }

  #siftDown(from: number): void {
    const size = this.#size;
    const ranks = this.#ranks;
    const turns = this.#turns;
    const slots = this.#slots;
    const places = this.#places;
    const rank = ranks[from] as number;
    const turn = turns[from] as number;
    const slot = slots[from] as number;
    let place = from;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= size) break;
      let least = first;
      let leastRank = ranks[first] as number;
      for (let child = first + 1, end = Math.min(first + 4, size); child < end; child++) {
        const childRank = ranks[child] as number;
        if (childRank > leastRank) continue;
        if (childRank === leastRank && (turns[child] as number) > (turns[least] as number)) continue;
        least = child;
        leastRank = childRank;
      }
      if (rank < leastRank || (rank === leastRank && turn < (turns[least] as number))) break;
      const moved = slots[least] as number;
      slots[place] = moved;
      ranks[place] = leastRank;
      turns[place] = turns[least] as number;
      places[moved] = place;
      place = least;
    }
    if (place !== from) this.#put(place, slot, rank, turn);
  }

  #rankAt(place: number): number {
    return this.#ranks[place] as number;
  }

  #turnAt(place: number): number {
    return this.#turns[place] as number;
  }

  /** Whether what stands at one place comes before what stands at the other. */
  #before(one: number, other: number): boolean {
    const rank = this.#rankAt(one);
    const otherRank = this.#rankAt(other);
    return rank < otherRank || (rank === otherRank && this.#turnAt(one) < this.#turnAt(other));
  }

  #put(place: number, slot: number, rank: number, turn: number): void {
    this.#slots[place] = slot;
    this.#ranks[place] = rank;
    this.#turns[place] = turn;
    this.#places[slot] = place;
  }

  #grow(): void {
    // Not to a power of two: what stands at the same place in each array would then compete for the same cache lines.
    const capacity = Math.floor(this.#slots.length * 1.25) + 3;
    this.#places = copied(new Uint32Array(capacity), this.#places);
    this.#slots = copied(new Uint32Array(capacity), this.#slots);
    this.#ranks = copied(new Float64Array(capacity), this.#ranks);
    this.#turns = copied(new Float64Array(capacity), this.#turns);
  }
}

function copied<Numbers extends Uint32Array | Float64Array>(to: Numbers, from: Numbers): Numbers {
  to.set(from);
  return to;
}

function ignoreMove(): void {
  // The places of a frontier are of no interest.
}
