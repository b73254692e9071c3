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
  /** Rank and turn of each place, side by side: they are compared together. */
  #keys = new Float64Array(128);
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
    // Mostly it stays where it is: then nothing is touched but its own keys.
    for (let child = 1, end = Math.min(5, this.#size); child < end; child++) {
      if (this.#before(rank, turn, child)) continue;
      this.#siftDown(0, this.#slots[0] as number, rank, turn);
      return;
    }
    this.#keys[0] = rank;
    this.#keys[1] = turn;
  }

  rankOf(slot: number): number {
    return this.#rankAt(this.#places[slot] as number);
  }

  /** Adds an item and returns its slot, which it keeps until it is removed. */
  add(item: Item, rank: number, turn: number): number {
    const slot = this.#free.pop() ?? this.#items.length;
    this.#items[slot] = item;
    if (this.#size === this.#slots.length) this.#grow();
    this.#siftUp(this.#size++, slot, rank, turn);
    return slot;
  }

  update(slot: number, rank: number, turn: number): void {
    this.#settle(this.#places[slot] as number, slot, rank, turn);
  }

  /** Gives the item another rank and leaves it its turn. */
  setRank(slot: number, rank: number): void {
    const place = this.#places[slot] as number;
    this.#settle(place, slot, rank, this.#turnAt(place));
  }

  remove(slot: number): void {
    const place = this.#places[slot] as number;
    const last = --this.#size;
    if (place < last) {
      this.#settle(place, this.#slots[last] as number, this.#rankAt(last), this.#turnAt(last));
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

  #settle(place: number, slot: number, rank: number, turn: number): void {
    if (place > 0 && this.#before(rank, turn, (place - 1) >> 2)) this.#siftUp(place, slot, rank, turn);
    else this.#siftDown(place, slot, rank, turn);
  }

  #siftUp(from: number, slot: number, rank: number, turn: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (!this.#before(rank, turn, parent)) break;
      this.#move(parent, place);
      place = parent;
    }
    this.#put(place, slot, rank, turn);
  }

  #siftDown(from: number, slot: number, rank: number, turn: number): void {
    const size = this.#size;
    const keys = this.#keys;
    let place = from;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= size) break;
      let least = first;
      for (let child = first + 1, end = Math.min(first + 4, size); child < end; child++) {
        if (this.#before(keys[child * 2] as number, keys[child * 2 + 1] as number, least)) least = child;
      }
      if (this.#before(rank, turn, least)) break;
      this.#move(least, place);
      place = least;
    }
    this.#put(place, slot, rank, turn);
  }

  #rankAt(place: number): number {
    return this.#keys[place * 2] as number;
  }

  #turnAt(place: number): number {
    return this.#keys[place * 2 + 1] as number;
  }

  #before(rank: number, turn: number, place: number): boolean {
    const other = this.#rankAt(place);
    return rank < other || (rank === other && turn < this.#turnAt(place));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#slots[from] as number, this.#rankAt(from), this.#turnAt(from));
  }

  #put(place: number, slot: number, rank: number, turn: number): void {
    this.#slots[place] = slot;
    this.#keys[place * 2] = rank;
    this.#keys[place * 2 + 1] = turn;
    this.#places[slot] = place;
  }

  #grow(): void {
    // Not to a power of two: what stands at the same place in each array would then compete for the same cache lines.
    const capacity = Math.floor(this.#slots.length * 1.25) + 3;
    this.#places = copied(new Uint32Array(capacity), this.#places);
    this.#slots = copied(new Uint32Array(capacity), this.#slots);
    this.#keys = copied(new Float64Array(capacity * 2), this.#keys);
  }
}

function copied<Numbers extends Uint32Array | Float64Array>(to: Numbers, from: Numbers): Numbers {
  to.set(from);
  return to;
}

function ignoreMove(): void {
  // The places of a frontier are of no interest.
}
