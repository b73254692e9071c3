/** Which TSNs have arrived behind a gap (RFC 9260 section 3.3.4): disjoint ranges of offsets from a base, ascending. */

export interface GapRange {
  start: number;
  end: number;
}

export class GapRanges {
  readonly ranges: GapRange[] = [];
  /** What the ranges' numbers are counted from; grows for ever as a number, so that nothing has to be rewritten. */
  #base = 0;

  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  /** Notes the offset from the Cumulative TSN Ack (2 or more); false if it was noted before. */
  add(offset: number): boolean {
    const at = this.#base + offset;
    const { ranges } = this;
    // The first range that ends at or after `at - 1`.
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle]!.end < at - 1) low = middle + 1;
      else high = middle;
    }
    const range = ranges[low];
    if (range === undefined || range.start > at + 1) {
      ranges.splice(low, 0, { start: at, end: at });
      return true;
    }
    if (at >= range.start && at <= range.end) return false;
    if (at < range.start) {
      range.start = at;
      return true;
    }
    range.end = at;
    const next = ranges[low + 1];
    if (next !== undefined && next.start === at + 1) {
      range.end = next.end;
      ranges.splice(low + 1, 1);
    }
    return true;
  }

  /** The Cumulative TSN Ack moved on by `by`: what it has passed is forgotten. */
  advance(by: number): void {
    this.#base += by;
    const { ranges } = this;
    while (ranges.length > 0 && ranges[0]!.end <= this.#base) ranges.shift();
    const first = ranges[0];
    if (first !== undefined && first.start <= this.#base) first.start = this.#base + 1;
  }

  /** At most `most` blocks as a SACK has them: offsets from the Cumulative TSN Ack. */
  blocks(most: number): GapRange[] {
    const blocks: GapRange[] = [];
    for (const { start, end } of this.ranges) {
      if (blocks.length === most || end - this.#base > 0xffff) break;
      blocks.push({ start: start - this.#base, end: end - this.#base });
    }
    return blocks;
  }
}
