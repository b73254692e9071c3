/**
 * Hands a session's messages to the readable side of a socket and knows when the application has taken each
 * (docs/api.md, "taken"): with 'data' listeners and pipe when they have returned, with read() and async iteration when
 * read() is called again. One message is pushed at a time, so that no chunk holds two, but for a read(n) that wants
 * more than is there. What was pushed is counted in the stream's own units (bytes, or characters of an encoding).
 */

import type { Message } from '../session/message.js';

/** What the delivery needs of its Readable. */
export interface ReadableSide {
  push(chunk: Uint8Array | null): boolean;
  read(size?: number): unknown;
  listenerCount(event: string): number;
  readonly readableLength: number;
  readonly destroyed: boolean;
}

/** A message that lies in the stream's buffer, wholly or in part. */
interface Pushed {
  readonly message: Message;
  /** How much had been pushed when it was, itself included. */
  end: number;
}

export class Delivery {
  readonly #side: ReadableSide;
  #inbox: Message[] = [];
  #head = 0;
  #pushed: Pushed[] = [];
  /** Everything that was ever pushed, in the stream's units. */
  #total = 0;
  /** Returned by read(): taken when read() is called again. */
  #returned: Message[] = [];
  /** A read(n) waits for so much. */
  #wanted = 0;
  #end: Message | undefined;
  #endPushed = false;
  #endTaken = false;
  #delivering = false;
  /** Bytes given to the application's side. */
  bytesRead = 0;

  constructor(side: ReadableSide) {
    this.#side = side;
  }

  add(message: Message): void {
    if (this.#endPushed || this.#side.destroyed) {
      // The former element had ended in order, or nobody reads any more: there is nobody to have it.
      message.acknowledge();
      return;
    }
    this.#inbox.push(message);
    this.deliver();
  }

  /** The far side sends no more: the end follows what is still here. */
  addEnd(message: Message): void {
    this.#end = message;
    if (this.#endTaken || this.#side.destroyed) message.acknowledge();
    else this.deliver();
  }

  /** The application knows of the end. */
  endTaken(): void {
    this.#endTaken = true;
    for (const message of this.#returned.splice(0)) message.acknowledge();
    this.#end?.acknowledge();
  }

  /** Nobody will read the rest: it counts as taken. */
  discard(): void {
    for (const { message } of this.#pushed.splice(0)) message.acknowledge();
    for (const message of this.#inbox.splice(0).slice(this.#head)) message.acknowledge();
    this.#head = 0;
    this.endTaken();
  }

  /** Pushes what can be pushed. */
  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (!this.#side.destroyed && this.#head < this.#inbox.length && this.#isHungry()) {
        this.#push(this.#inbox[this.#head++] as Message);
      }
      if (this.#head === this.#inbox.length) this.#inboxEmpty();
    } finally {
      this.#delivering = false;
    }
  }

  /** Around every read(): `read` is the stream's own. */
  read<Chunk>(size: number | undefined, read: () => Chunk): Chunk {
    // read(0) is how the stream itself asks for more.
    if (size !== 0) {
      for (const message of this.#returned.splice(0)) message.acknowledge();
      this.#wanted = size === undefined || Number.isNaN(size) ? 0 : size;
      // The stream asks only once; what came since waits here.
      if (this.#side.readableLength < this.#wanted) this.deliver();
    }
    const chunk = read();
    if (chunk === null) return chunk;
    this.#wanted = 0;
    const given = this.#takeGiven();
    // 'data' listeners have had it, and have returned.
    if (this.#side.listenerCount('data') > 0) for (const message of given) message.acknowledge();
    else this.#returned.push(...given);
    this.deliver();
    return chunk;
  }

  /** Around setEncoding(), which counts the buffer anew: what is in it becomes one. */
  setEncoding(set: () => void): void {
    const consumed = this.#total - this.#side.readableLength;
    set();
    this.#total = consumed + this.#side.readableLength;
    for (const pushed of this.#pushed) pushed.end = this.#total;
  }

  #isHungry(): boolean {
    const { readableLength } = this.#side;
    return readableLength === 0 || readableLength < this.#wanted;
  }

  #push(message: Message): void {
    const before = this.#side.readableLength;
    const pushed = { message, end: Number.POSITIVE_INFINITY };
    this.#pushed.push(pushed);
    try {
      this.#pushPieces(message.pieces, 0);
    } finally {
      this.#total += this.#side.readableLength - before;
      pushed.end = this.#total;
      // Flowing: the listeners of 'data' have already had it, even if one of them threw.
      for (const given of this.#takeGiven()) given.acknowledge();
    }
  }

  /** A stream has no need of the whole message in one chunk. A listener that throws costs nothing of what follows. */
  #pushPieces(pieces: readonly Uint8Array[], from: number): void {
    for (let index = from; index < pieces.length && !this.#side.destroyed; index++) {
      const piece = pieces[index] as Uint8Array;
      this.bytesRead += piece.length;
      try {
        this.#side.push(piece);
      } catch (error) {
        this.#pushPieces(pieces, index + 1);
        throw error;
      }
    }
  }

  /** Removes what has left the stream's buffer. */
  #takeGiven(): Message[] {
    const consumed = this.#total - this.#side.readableLength;
    let count = 0;
    while (count < this.#pushed.length && (this.#pushed[count] as Pushed).end <= consumed) count++;
    return this.#pushed.splice(0, count).map(({ message }) => message);
  }

  #inboxEmpty(): void {
    if (this.#head > 0) {
      this.#inbox = [];
      this.#head = 0;
    }
    if (this.#end === undefined || this.#endPushed || this.#side.destroyed) return;
    this.#endPushed = true;
    this.#side.push(null);
    // As net does: who never reads hears of the end all the same, if nothing is left to read.
    this.#side.read(0);
  }
}
