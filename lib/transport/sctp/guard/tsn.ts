/** TSN arithmetic: 32-bit serial numbers that wrap (RFC 9260 section 1.6, RFC 1982). */

/** How many steps lead from `from` forward to `to`: 0 to 2^32 - 1. */
export function tsnDistance(from: number, to: number): number {
  return (to - from) >>> 0;
}

/** `tsn` moved by `by`, which may be negative. */
export function tsnAfter(tsn: number, by: number): number {
  return (tsn + by) >>> 0;
}

/** The most that a serial number can be behind another and still be told from one that is ahead. */
const halfCircle = 0x7fff_ffff;

/**
 * The newest TSN that has been reached, and how far back it began: enough to say of any TSN whether it was reached.
 * A TSN more than half a circle behind has been forgotten.
 */
export class TsnTrack {
  #newest: number;
  #reached = 0;

  /** Nothing is reached yet; `initial` will be the first. */
  constructor(initial: number) {
    this.#newest = tsnAfter(initial, -1);
  }

  /** The newest TSN reached; before the first, the one before it. */
  get newest(): number {
    return this.#newest;
  }

  /** Moves on to `tsn`; one that is not newer changes nothing. */
  reach(tsn: number): void {
    const ahead = tsnDistance(this.#newest, tsn);
    if (ahead > halfCircle) return;
    this.#newest = tsn >>> 0;
    this.#reached = Math.min(this.#reached + ahead, halfCircle);
  }

  /** Whether `tsn` was reached; the one before the first counts ("nothing yet" in a Cumulative TSN Ack). */
  includes(tsn: number): boolean {
    return tsnDistance(tsn, this.#newest) <= this.#reached;
  }

  /** Whether `tsn` was reached or is at most `window` ahead. */
  admits(tsn: number, window: number): boolean {
    return this.includes(tsn) || tsnDistance(this.#newest, tsn) <= window;
  }
}
