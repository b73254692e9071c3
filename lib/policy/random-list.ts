/** A list without an order, from which items are drawn by chance in O(1) each. */

import type { Random } from '../random.js';
import { drawBelow } from './draw-below.js';

export class RandomList<Item> {
  readonly #items: Item[] = [];
  readonly #random: Random;
  readonly #moved: (item: Item, index: number) => void;

  /** `moved` is told the index of an item whenever it changes. */
  constructor(random: Random, moved: (item: Item, index: number) => void) {
    this.#random = random;
    this.#moved = moved;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    this.#put(this.#items.length, item);
  }

  /** Takes out the item at `index`. */
  remove(index: number): void {
    const last = this.#items.pop() as Item;
    if (index < this.#items.length) this.#put(index, last);
  }

  /** At most `count` items, none twice, every choice and every order of them equally likely. */
  draw(count: number): Item[] {
    const wanted = Math.min(count, this.#items.length);
    // A shuffle that stops when it has enough: what is drawn is at the front.
    for (let index = 0; index < wanted; index++) {
      const chosen = index + drawBelow(this.#random, this.#items.length - index);
      if (chosen === index) continue;
      const item = this.#items[chosen] as Item;
      this.#put(chosen, this.#items[index] as Item);
      this.#put(index, item);
    }
    return this.#items.slice(0, Math.max(0, wanted));
  }

  #put(index: number, item: Item): void {
    this.#items[index] = item;
    this.#moved(item, index);
  }
}
