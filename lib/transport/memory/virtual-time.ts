/** Virtual time: a queue of events that runs as fast as the machine allows, the same way every time. */

/** An event that waits for its instant. */
export interface ScheduledEvent {
  readonly at: number;
  /** Ties are run in the order in which they were scheduled. */
  readonly order: number;
  /** Cleared when cancelled. */
  run: (() => void) | undefined;
}

export class VirtualTime {
  #now = 0;
  #scheduled = 0;
  #executed = 0;
  /** A binary heap by (at, order). */
  readonly #heap: ScheduledEvent[] = [];

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#now;
  }

  /** How many events have run. */
  get executed(): number {
    return this.#executed;
  }

  /** Runs `run` `delay` milliseconds from now. */
  schedule(delay: number, run: () => void): ScheduledEvent {
    const event: ScheduledEvent = { at: this.#now + Math.max(0, delay), order: this.#scheduled++, run };
    this.#push(event);
    return event;
  }

  /** The instant of the next event, or undefined if none waits. */
  get next(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.at;
  }

  /** Runs the next event, if there is one no later than `until`. Returns whether it did. */
  step(until: number = Number.POSITIVE_INFINITY): boolean {
    this.#dropCancelled();
    const event = this.#heap[0];
    if (event === undefined || event.at > until) return false;
    this.#pop();
    this.#now = event.at;
    this.#executed++;
    const run = event.run as () => void;
    event.run = undefined;
    run();
    return true;
  }

  /** Moves the clock on without running anything; never past the next event. */
  advanceTo(instant: number): void {
    const next = this.next;
    const target = next === undefined ? instant : Math.min(instant, next);
    if (target > this.#now) this.#now = target;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.run === undefined) this.#pop();
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as ScheduledEvent;
      if (above.at < event.at || (above.at === event.at && above.order < event.order)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    const size = heap.length;
    if (last === undefined || size === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      const right = heap[child + 1];
      let least = heap[child] as ScheduledEvent;
      if (right !== undefined && (right.at < least.at || (right.at === least.at && right.order < least.order))) {
        child++;
        least = right;
      }
      if (last.at < least.at || (last.at === least.at && last.order < least.order)) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
  }
}
