/**
 * A 4-ary heap that knows where each item is, so that any item can be changed or removed in O(log n). Four children
 * a parent because half the levels mean half the cache misses, which is what costs at 100,000 items.
 */

/** Ordered by `primary`, then `secondary`; the least is at place 0. */
export class IndexedHeap<Item> {
  readonly #items: Item[] = [];
  readonly #primary: number[] = [];
  readonly #secondary: number[] = [];
  readonly #moved: (item: Item, place: number) => void;
  readonly #keys: 'both' | 'primary';

  /**
   * `moved` is told the place of an item whenever it changes, and -1 when the item leaves. With 'primary' there are no
   * secondary keys, and no memory for them: all are 0.
   */
  constructor(moved: (item: Item, place: number) => void, keys: 'both' | 'primary' = 'both') {
    this.#moved = moved;
    this.#keys = keys;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least item, or undefined when empty. */
  get least(): Item | undefined {
    return this.#items[0];
  }

  /** The primary key at a place that is in use. */
  primaryAt(place: number): number {
    return this.#primary[place] as number;
  }

  /** The secondary key at a place that is in use. */
  secondaryAt(place: number): number {
    return this.#keys === 'both' ? (this.#secondary[place] as number) : 0;
  }

  push(item: Item, primary: number, secondary: number): void {
    this.#siftUp(this.#items.length, item, primary, secondary);
  }

  /** Gives the item at `place` new keys. */
  update(place: number, primary: number, secondary: number): void {
    this.#settle(place, this.#items[place] as Item, primary, secondary);
  }

  /** Takes the item at `place` out. */
  remove(place: number): void {
    const removed = this.#items[place] as Item;
    const last = this.#items.pop() as Item;
    const primary = this.#primary.pop() as number;
    const secondary = this.#keys === 'both' ? (this.#secondary.pop() as number) : 0;
    if (place < this.#items.length) this.#settle(place, last, primary, secondary);
    this.#moved(removed, -1);
  }

  #settle(place: number, item: Item, primary: number, secondary: number): void {
    if (place > 0 && this.#before(primary, secondary, (place - 1) >> 2)) this.#siftUp(place, item, primary, secondary);
    else this.#siftDown(place, item, primary, secondary);
  }

  #siftUp(from: number, item: Item, primary: number, secondary: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (!this.#before(primary, secondary, parent)) break;
      this.#put(place, this.#items[parent] as Item, this.primaryAt(parent), this.secondaryAt(parent));
      place = parent;
    }
    this.#put(place, item, primary, secondary);
  }

  #siftDown(from: number, item: Item, primary: number, secondary: number): void {
    const size = this.#items.length;
    let place = from;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= size) break;
      let least = first;
      for (let child = first + 1, end = Math.min(first + 4, size); child < end; child++) {
        if (this.#before(this.primaryAt(child), this.secondaryAt(child), least)) least = child;
      }
      if (this.#before(primary, secondary, least)) break;
      this.#put(place, this.#items[least] as Item, this.primaryAt(least), this.secondaryAt(least));
      place = least;
    }
    this.#put(place, item, primary, secondary);
  }

  #before(primary: number, secondary: number, place: number): boolean {
    const other = this.#primary[place] as number;
    return primary < other || (primary === other && secondary < this.secondaryAt(place));
  }

  #put(place: number, item: Item, primary: number, secondary: number): void {
    this.#items[place] = item;
    this.#primary[place] = primary;
    if (this.#keys === 'both') this.#secondary[place] = secondary;
    this.#moved(item, place);
  }
}
