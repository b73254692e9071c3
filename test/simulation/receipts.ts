/** What a session received of one element, from its opening there until it leaves: exactly once, and in order. */

import type { Message } from '../../lib/session/message.js';

export class Receipts {
  readonly #fail: (reason: string) => never;
  readonly #sequences = new Set<number>();
  readonly #lastOfStream = new Map<number, number>();
  /** What the element had sent whole when it was killed. */
  #due = 0;

  /** `fail` takes what is wrong. */
  constructor(fail: (reason: string) => never) {
    this.#fail = fail;
  }

  /** The session is at another element. */
  restart(): void {
    this.#sequences.clear();
    this.#lastOfStream.clear();
    this.#due = 0;
  }

  /** The element is dead and has sent this many messages whole. */
  expect(messages: number): void {
    this.#due = messages;
  }

  /** The session leaves the element; `kept` messages may have come that it has not handed on. */
  judgeWhole(kept: number): void {
    const received = this.#sequences.size;
    if (received + kept < this.#due) this.#fail(`got ${received} of the ${this.#due} messages that its element sent`);
  }

  /** Once, however often the connection broke. */
  once({ sequence }: Message): void {
    if (this.#sequences.has(sequence)) this.#fail(`got message ${sequence} of its element twice`);
    this.#sequences.add(sequence);
  }

  /** Once, and in order on its stream. */
  inOrder(message: Message): void {
    const { sequence, streamId, unordered } = message;
    this.once(message);
    if (unordered) return;
    const last = this.#lastOfStream.get(streamId) ?? 0;
    if (sequence <= last) this.#fail(`got message ${sequence} of its element after ${last}`);
    this.#lastOfStream.set(streamId, sequence);
  }
}
