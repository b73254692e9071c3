/** What was given to a session and is not yet acknowledged, in the order in which it was given to the connection. */

import type { RetainedMessage } from './message.js';

export class RetrievalQueue {
  #messages: RetainedMessage[] = [];
  #head = 0;
  /** Taken by the far application, but their answers have not come: by sequence. */
  readonly #unanswered = new Map<number, RetainedMessage>();

  get length(): number {
    return this.#unanswered.size + this.#messages.length - this.#head;
  }

  /** Whether nothing is left to wait for: no message but answered ones. */
  get isSettled(): boolean {
    if (this.#unanswered.size > 0) return false;
    for (let i = this.#head; i < this.#messages.length; i++) if (this.#messages[i]?.answered !== true) return false;
    return true;
  }

  push(message: RetainedMessage): void {
    this.#messages.push(message);
  }

  /** The `count` oldest have been taken by the far application. */
  acknowledge(count: number): void {
    const end = this.#head + count;
    for (; this.#head < end; this.#head++) {
      const message = this.#messages[this.#head] as RetainedMessage;
      if (message.awaitsAnswer && !message.answered) this.#unanswered.set(message.sequence, message);
      else message.settle(undefined);
    }
    if (this.#head === this.#messages.length) {
      this.#messages = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The last answer to the message with this sequence has come. */
  answered(sequence: number): void {
    const message = this.#unanswered.get(sequence) ?? this.#find(sequence);
    if (message === undefined || message.answered) return;
    this.#unanswered.delete(sequence);
    message.answered = true;
    message.settle(undefined);
  }

  /** Everything still here, oldest first. */
  list(): RetainedMessage[] {
    return [...this.#unanswered.values(), ...this.#messages.slice(this.#head)];
  }

  /** Empties the queue, for a new connection; returns what was in it, oldest first. */
  begin(): RetainedMessage[] {
    const list = this.list();
    this.#messages = [];
    this.#head = 0;
    this.#unanswered.clear();
    return list;
  }

  #find(sequence: number): RetainedMessage | undefined {
    const first = this.#messages[this.#head];
    if (first === undefined) return undefined;
    // Mostly the numbers are without gaps; after a failover they need not be.
    const direct = this.#messages[this.#head + sequence - first.sequence];
    if (direct?.sequence === sequence) return direct;
    return this.#messages.find((message, index) => index >= this.#head && message.sequence === sequence);
  }
}
