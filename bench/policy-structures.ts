/** The structures that selection needs, with nothing around them: what the policies are measured against. */

/** A 4-ary heap of numbered items by a key and, among equals, a turn. Every item knows its place. */
export class BareHeap {
  readonly #items: Uint32Array;
  readonly #places: Uint32Array;
  readonly #keys: Float64Array;
  readonly #turns: Float64Array;
  #size = 0;
  #turn = 0;

  constructor(capacity: number) {
    this.#items = new Uint32Array(capacity);
    this.#places = new Uint32Array(capacity);
    this.#keys = new Float64Array(capacity);
    this.#turns = new Float64Array(capacity);
  }

  push(item: number, key: number): void {
    this.#up(this.#size++, item, key, this.#turn++);
  }

  update(item: number, key: number): void {
    const place = this.#places[item] as number;
    this.#settle(place, item, key, this.#turns[place] as number);
  }

  /** The least item, which becomes the last of its equals. */
  takeTurn(): number {
    const item = this.#items[0] as number;
    this.#settle(0, item, this.#keys[0] as number, this.#turn++);
    return item;
  }

  #settle(place: number, item: number, key: number, turn: number): void {
    if (place > 0 && this.#before(key, turn, (place - 1) >> 2)) this.#up(place, item, key, turn);
    else this.#down(place, item, key, turn);
  }

  #up(from: number, item: number, key: number, turn: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (!this.#before(key, turn, parent)) break;
      this.#move(parent, place);
      place = parent;
    }
    this.#put(place, item, key, turn);
  }

  #down(from: number, item: number, key: number, turn: number): void {
    let place = from;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= this.#size) break;
      let least = first;
      const end = Math.min(first + 4, this.#size);
      for (let child = first + 1; child < end; child++) {
        if (this.#before(this.#keys[child] as number, this.#turns[child] as number, least)) least = child;
      }
      if (this.#before(key, turn, least)) break;
      this.#move(least, place);
      place = least;
    }
    this.#put(place, item, key, turn);
  }

  #before(key: number, turn: number, place: number): boolean {
    const other = this.#keys[place] as number;
    return key < other || (key === other && turn < (this.#turns[place] as number));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#items[from] as number, this.#keys[from] as number, this.#turns[from] as number);
  }

  #put(place: number, item: number, key: number, turn: number): void {
    this.#items[place] = item;
    this.#keys[place] = key;
    this.#turns[place] = turn;
    this.#places[item] = place;
  }
}

/** A Fenwick tree of a fixed number of weights. */
export class BareFenwickTree {
  readonly #sums: Float64Array;
  readonly #weights: Float64Array;
  readonly #top: number;
  total = 0;

  constructor(size: number) {
    this.#sums = new Float64Array(size + 1);
    this.#weights = new Float64Array(size);
    this.#top = 1 << (31 - Math.clz32(size));
  }

  set(index: number, weight: number): void {
    const change = weight - (this.#weights[index] as number);
    this.#weights[index] = weight;
    this.total += change;
    const sums = this.#sums;
    for (let place = index + 1; place < sums.length; place += place & -place) {
      sums[place] = (sums[place] as number) + change;
    }
  }

  find(point: number): number {
    const sums = this.#sums;
    let left = point;
    let place = 0;
    for (let span = this.#top; span > 0; span >>= 1) {
      const next = place + span;
      if (next >= sums.length) continue;
      const sum = sums[next] as number;
      if (sum > left) continue;
      left -= sum;
      place = next;
    }
    return place;
  }
}
