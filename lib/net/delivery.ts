/**
 * Hands a session's messages to the readable side of a socket one at a time and knows when the application has taken
 * each (docs/api.md, "taken"): with 'data' listeners and pipe when they have returned, with read() and async iteration
 * when read() is called again. It counts by message, never from `readableLength`, which an encoding changes.
 */

import type { Message } from '../session/message.js';

/** What the delivery needs of its Readable. */
export interface ReadableSide {
  push(chunk: Uint8Array | null): boolean;
  readonly readableLength: number;
  readonly readableFlowing: boolean | null;
  readonly destroyed: boolean;
}

export class Delivery {
  readonly #side: ReadableSide;
  #inbox: Message[] = [];
  #head = 0;
  /** Pushed, and not yet given to the application whole. */
  #pushed: Message | undefined;
  /** Returned by read(): taken when read() is called again. */
  #returned: Message | undefined;
  #end: Message | undefined;
  #delivering = false;
  /** Bytes given to the application's side. */
  bytesRead = 0;

  constructor(side: ReadableSide) {
    this.#side = side;
  }

  add(message: Message): void {
    this.#inbox.push(message);
    this.deliver();
  }

  /** The far side sends no more: the end follows what is still here. */
  addEnd(message: Message): void {
    this.#end = message;
    this.deliver();
  }

  /** The application knows of the end. */
  endTaken(): void {
    this.#end?.acknowledge();
  }

  /** Pushes what can be pushed. */
  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#pushed === undefined && !this.#side.destroyed) {
      const message = this.#inbox[this.#head];
      if (message === undefined) {
        if (this.#end !== undefined && this.#head === this.#inbox.length) this.#pushEnd();
        break;
      }
      this.#head++;
      this.#pushed = message;
      this.bytesRead += message.data.length;
      this.#side.push(message.data);
      // Flowing: the listeners of 'data' have already had it and returned.
      if (this.#side.readableLength === 0) this.#taken();
    }
    if (this.#head === this.#inbox.length && this.#head > 0) {
      this.#inbox = [];
      this.#head = 0;
    }
    this.#delivering = false;
  }

  /** Around every read(): `read` is the stream's own. */
  read<Chunk>(read: () => Chunk): Chunk {
    this.#returned?.acknowledge();
    this.#returned = undefined;
    const chunk = read();
    if (this.#pushed !== undefined && chunk !== null && this.#side.readableLength === 0) {
      if (this.#side.readableFlowing === true) this.#taken();
      else {
        this.#returned = this.#pushed;
        this.#pushed = undefined;
      }
      this.deliver();
    }
    return chunk;
  }

  #taken(): void {
    const message = this.#pushed;
    this.#pushed = undefined;
    message?.acknowledge();
  }

  #ended = false;

  #pushEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#side.push(null);
  }
}
