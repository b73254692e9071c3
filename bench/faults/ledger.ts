/** What became of each request, and how long none was answered. */

interface Entry {
  answers: number;
  executions: number;
  /** Executions that were not marked as redelivered. */
  unmarked: number;
}

export class Ledger {
  readonly #entries: Entry[] = [];
  /** Answers that were not the whole answer to their request. */
  wrong = 0;
  #lastAnswer = 0;
  /** The longest time between two answers since `watch`, ms. */
  #longest = 0;
  #answersWatched = 0;
  #watched: { readonly after: () => boolean; readonly done: (gap: number) => void } | undefined;

  /** The number of a request that is about to be sent. */
  open(): number {
    return this.#entries.push({ answers: 0, executions: 0, unmarked: 0 }) - 1;
  }

  answered(id: number): void {
    const entry = this.#entries[id];
    if (entry === undefined) {
      this.wrong++;
      return;
    }
    entry.answers++;
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#lastAnswer);
    this.#lastAnswer = now;
    const watched = this.#watched;
    if (watched === undefined || !watched.after() || ++this.#answersWatched < 20) return;
    this.#watched = undefined;
    watched.done(this.#longest);
  }

  executed(id: number, redelivered: boolean): void {
    const entry = this.#entries[id];
    if (entry === undefined) {
      this.wrong++;
      return;
    }
    entry.executions++;
    if (!redelivered) entry.unmarked++;
  }

  /**
   * The longest time in ms without an answer, from the last one before this call to the 20th one after `after` has
   * become true.
   */
  gap(after: () => boolean): Promise<number> {
    this.#longest = 0;
    this.#answersWatched = 0;
    return new Promise((resolve) => {
      this.#watched = { after, done: resolve };
    });
  }

  get requests(): number {
    return this.#entries.length;
  }

  get unanswered(): number {
    return this.#entries.filter((entry) => entry.answers === 0).length;
  }

  get answeredTwice(): number {
    return this.#entries.filter((entry) => entry.answers > 1).length;
  }

  get executedTwice(): number {
    return this.#entries.filter((entry) => entry.executions > 1).length;
  }

  get executedTwiceUnmarked(): number {
    return this.#entries.filter((entry) => entry.unmarked > 1).length;
  }
}
