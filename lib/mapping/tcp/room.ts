/** Whether a sender's owner may go on: no above the high-water mark, and yes again, once, below half of it. */
export class Room {
  readonly #highWaterMark: number;
  /** The owner was told that more than the high-water mark waits. */
  #wanted = false;

  constructor(highWaterMark: number) {
    this.#highWaterMark = highWaterMark;
  }

  /** Whether more may be sent while so many bytes wait. */
  allows(queuedBytes: number): boolean {
    if (queuedBytes <= this.#highWaterMark) return true;
    this.#wanted = true;
    return false;
  }

  /** Whether the owner is to be told that there is room again. */
  isBack(queuedBytes: number): boolean {
    if (!this.#wanted || queuedBytes > this.#highWaterMark / 2) return false;
    this.#wanted = false;
    return true;
  }
}
