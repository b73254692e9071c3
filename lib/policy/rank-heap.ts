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
  #turns = new Float64Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  rankOf(slot: number): number {
    return this.#ranks[this.#places[slot] as number] as number;
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
    this.#settle(place, slot, rank, this.#turns[place] as number);
  }

  remove(slot: number): void {
    const place = this.#places[slot] as number;
    const last = --this.#size;
    if (place < last) {
      this.#settle(place, this.#slots[last] as number, this.#ranks[last] as number, this.#turns[last] as number);
    }
    this.#items[slot] = undefined;
    this.#free.push(slot);
  }

  /** The `count` least items in ascending order; O(count log count), and nothing moves. */
  smallest(count: number): Item[] {
    const wanted = Math.min(count, this.#size);
    if (wanted <= 0) return [];
    if (wanted === 1) return [this.#items[this.#slots[0] as number] as Item];
    const found: Item[] = [];
    // The next in order is always a child of one already found.
    const frontier = new IndexedHeap<number>(ignoreMove);
    frontier.push(0, this.#ranks[0] as number, this.#turns[0] as number);
    for (;;) {
      const place = frontier.least as number;
      found.push(this.#items[this.#slots[place] as number] as Item);
      if (found.length === wanted) return found;
      frontier.remove(0);
      const end = Math.min(place * 4 + 5, this.#size);
      for (let child = place * 4 + 1; child < end; child++) {
        frontier.push(child, this.#ranks[child] as number, this.#turns[child] as number);
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
    const ranks = this.#ranks;
    const turns = this.#turns;
    let place = from;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= size) break;
      let least = first;
      for (let child = first + 1, end = Math.min(first + 4, size); child < end; child++) {
        if (this.#before(ranks[child] as number, turns[child] as number, least)) least = child;
      }
      if (this.#before(rank, turn, least)) break;
      this.#move(least, place);
      place = least;
    }
    this.#put(place, slot, rank, turn);
  }

  #before(rank: number, turn: number, place: number): boolean {
    const other = this.#ranks[place] as number;
    return rank < other || (rank === other && turn < (this.#turns[place] as number));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#slots[from] as number, this.#ranks[from] as number, this.#turns[from] as number);
  }

  #put(place: number, slot: number, rank: number, turn: number): void {
    this.#slots[place] = slot;
    this.#ranks[place] = rank;
    this.#turns[place] = turn;
    this.#places[slot] = place;
  }

  #grow(): void {
    const capacity = this.#slots.length * 2;
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
