/** Cuts frames out of a byte stream. Whole frames are handed on where they lie; only a frame that straddles chunks is copied, once. */

import { headerLength, magic } from './frame.js';

/** What the reader hands a frame to. `body` is where its body begins in `bytes`; false stops the reading for good. */
export type FrameSink = (
  type: number,
  flags: number,
  streamId: number,
  bytes: Uint8Array,
  view: DataView,
  body: number,
  length: number,
) => boolean;

/** A copy with memory of its own. `slice` of Node's Buffers is a view, which would hold on to the whole chunk. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Reads the magic that each direction begins with, however it is cut. */
export class MagicReader {
  #read = 0;

  get isRead(): boolean {
    return this.#read === magic.length;
  }

  /** What follows the magic in the chunk; undefined if this is not the magic. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    let at = 0;
    for (; at < chunk.length && !this.isRead; at++) if (chunk[at] !== magic[this.#read++]) return undefined;
    return chunk.subarray(at);
  }
}

export class FrameReader {
  readonly #sink: FrameSink;
  /** The longest body accepted. */
  readonly #longestBody: number;
  readonly #onTooLong: (type: number, length: number) => void;
  /** The beginning of a frame that is not here whole: its header, then all of it. */
  #partial: Uint8Array | undefined;
  #partialLength = 0;
  #stopped = false;
  /** How many bytes were read before the current chunk: for the offsets in protocol errors. */
  offset = 0;

  constructor(longestBody: number, sink: FrameSink, onTooLong: (type: number, length: number) => void) {
    this.#longestBody = longestBody;
    this.#sink = sink;
    this.#onTooLong = onTooLong;
  }

  push(chunk: Uint8Array): void {
    if (this.#stopped) return;
    let at = 0;
    if (this.#partial !== undefined) {
      at = this.#continuePartial(chunk);
      if (this.#stopped || this.#partial !== undefined) return;
    }
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const size = chunk.length;
    while (size - at >= headerLength) {
      const length = view.getUint32(at + 4);
      if (length > this.#longestBody) {
        this.#refuse(view.getUint8(at), length);
        return;
      }
      const next = at + headerLength + length;
      if (next > size) break;
      if (
        !this.#sink(
          view.getUint8(at),
          view.getUint8(at + 1),
          view.getUint16(at + 2),
          chunk,
          view,
          at + headerLength,
          length,
        )
      ) {
        this.#stopped = true;
        return;
      }
      at = next;
    }
    if (at < size) this.#keep(chunk, view, at);
    this.offset += size;
  }

  #refuse(type: number, length: number): void {
    this.#stopped = true;
    this.#onTooLong(type, length);
  }

  /** Keeps the beginning of a frame: room for its header, or for all of it once its length is known. */
  #keep(chunk: Uint8Array, view: DataView, at: number): void {
    const rest = chunk.length - at;
    const size = rest < headerLength ? headerLength : headerLength + view.getUint32(at + 4);
    this.#partial = new Uint8Array(size);
    this.#partial.set(chunk.subarray(at));
    this.#partialLength = rest;
  }

  /** Fills the partial frame from the chunk and hands it on when whole; returns how much of the chunk it took. */
  #continuePartial(chunk: Uint8Array): number {
    let at = 0;
    for (;;) {
      const partial = this.#partial as Uint8Array;
      const taken = Math.min(partial.length - this.#partialLength, chunk.length - at);
      partial.set(chunk.subarray(at, at + taken), this.#partialLength);
      this.#partialLength += taken;
      at += taken;
      if (this.#partialLength < partial.length) {
        this.offset += chunk.length;
        return at;
      }
      const view = new DataView(partial.buffer);
      const length = view.getUint32(4);
      if (length > this.#longestBody) {
        this.#refuse(view.getUint8(0), length);
        return at;
      }
      if (partial.length < headerLength + length) {
        const whole = new Uint8Array(headerLength + length);
        whole.set(partial);
        this.#partial = whole;
        continue;
      }
      this.#partial = undefined;
      if (!this.#sink(view.getUint8(0), view.getUint8(1), view.getUint16(2), partial, view, headerLength, length))
        this.#stopped = true;
      return at;
    }
  }
}
