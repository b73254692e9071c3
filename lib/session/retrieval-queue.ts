/** What was given to a session and is not yet acknowledged, in the order in which it was given to the connection. */

import { Fifo } from '../fifo.js';
import type { RetainedMessage } from './message.js';

export class RetrievalQueue {
  readonly #messages = new Fifo<RetainedMessage>();
  /** Taken by the far application, but their answers have not come: by sequence. */
  readonly #unanswered = new Map<number, RetainedMessage>();

  get length(): number {
    return this.#unanswered.size + this.#messages.length;
  }

  /** Whether nothing is left to wait for: no message but answered ones. */
  get isSettled(): boolean {
    if (this.#unanswered.size > 0) return false;
    for (let i = 0; i < this.#messages.length; i++) if (this.#messages.at(i)?.answered !== true) return false;
    return true;
  }

  push(message: RetainedMessage): void {
    this.#messages.push(message);
  }

  /** The `count` oldest have been taken by the far application. */
  acknowledge(count: number): void {
    for (let left = count; left > 0; left--) {
      const message = this.#messages.shift();
      // Who is told of one may leave the connection, and with it all that it has.
      if (message === undefined) return;
      if (message.awaitsAnswer && !message.answered) this.#unanswered.set(message.sequence, message);
      else message.settle(undefined);
    }
  }

  /** The last answer to a message that is here has come. */
  answered(message: RetainedMessage): void {
    if (message.answered) return;
    if (this.#unanswered.size > 0) this.#unanswered.delete(message.sequence);
    message.answered = true;
    message.settle(undefined);
  }

  /** Nobody waits for the answer any more. One that was not taken yet stays until it is. */
  abandoned(message: RetainedMessage): void {
    if (this.#unanswered.delete(message.sequence)) message.settle(undefined);
  }

  /** Everything still here, oldest first. */
  list(): RetainedMessage[] {
    return [...this.#unanswered.values(), ...this.#messages.list()];
  }

  /** Empties the queue, for a new connection; returns what was in it, oldest first. */
  begin(): RetainedMessage[] {
    const list = this.list();
    this.#messages.clear();
    this.#unanswered.clear();
    return list;
  }

  /** The message with this sequence, if it is still here. */
  find(sequence: number): RetainedMessage | undefined {
    const taken = this.#unanswered.size > 0 ? this.#unanswered.get(sequence) : undefined;
    const first = this.#messages.at(0);
    if (taken !== undefined || first === undefined) return taken;
    // Mostly the numbers are without gaps; after a failover they need not be.
    const direct = this.#messages.at(sequence - first.sequence);
    if (direct?.sequence === sequence) return direct;
    return this.#messages.list().find((message) => message.sequence === sequence);
  }
}
