/**
 * A queue that forgets what leaves it: a ring whose slots are emptied. An array that is shifted by a head index keeps
 * what has left, and once it is old it makes the garbage collector keep that too, and everything behind it.
 */

const smallest = 16;

export class Fifo<Item extends object> {
  #ring: (Item | undefined)[] = [];
  #mask = -1;
  #head = 0;
  #length = 0;
  /** How often something has left the ring while it was nearly empty, since it grew or was last found busy. */
  #calm = 0;

  get length(): number {
    return this.#length;
  }

  /** The item at this place from the front; undefined if there is none. */
  at(index: number): Item | undefined {
    return index >= 0 && index < this.#length ? this.#ring[(this.#head + index) & this.#mask] : undefined;
  }

  push(item: Item): void {
    if (this.#length > this.#mask) {
      this.#calm = 0;
      this.#resize(Math.max(smallest, 2 * this.#ring.length));
    }
    this.#ring[(this.#head + this.#length++) & this.#mask] = item;
  }

  /** Puts another item in the place of one that is there. */
  replace(index: number, item: Item): void {
    this.#ring[(this.#head + index) & this.#mask] = item;
  }

  /** Removes the item at the front; undefined if there is none. */
  shift(): Item | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    if (this.#length < this.#ring.length / 8 && this.#ring.length > 64 * smallest) this.#mayShrink();
    return item;
  }

  /** All items, the front first. */
  list(): Item[] {
    return Array.from({ length: this.#length }, (_, index) => this.at(index) as Item);
  }

  clear(): void {
    this.#ring = [];
    this.#mask = -1;
    this.#head = 0;
    this.#length = 0;
  }

  /** A long queue that has passed gives its room back; one that grows and empties in turns keeps it. */
  #mayShrink(): void {
    if (++this.#calm < this.#ring.length) return;
    this.#calm = 0;
    this.#resize(this.#ring.length / 4);
  }

  #resize(size: number): void {
    const ring = new Array<Item | undefined>(size).fill(undefined);
    for (let index = 0; index < this.#length; index++) ring[index] = this.at(index);
    this.#ring.fill(undefined);
    this.#ring = ring;
    this.#mask = size - 1;
    this.#head = 0;
  }
}
