/**
 * Cuts frames out of a byte stream. Whole frames are handed on where they lie. A frame that straddles chunks is copied,
 * once; but the payload of a large data frame is handed on in the pieces that it came in.
 */

import { dataHeaderLength, frameType, headerLength, magic } from './frame.js';

/**
 * What the reader hands a frame to. `body` is where its body begins in `bytes`, and `length` how long it is. With `pieces`
 * only the data header lies in `bytes`, and they are the payload. False stops the reading for good.
 */
export type FrameSink = (
  type: number,
  flags: number,
  streamId: number,
  bytes: Uint8Array,
  view: DataView,
  body: number,
  length: number,
  pieces?: readonly Uint8Array[],
) => boolean;

/** Bytes in front of the payload of a data frame. */
const headersLength = headerLength + dataHeaderLength;
/** From this length on a data frame that straddles chunks is not copied. */
const smallestInPieces = 8 * 1024;
/** One that comes in more pieces is copied after all: each piece costs memory beside its bytes. */
const mostPieces = 8;

/** A copy with memory of its own. `slice` of Node's Buffers is a view, which would hold on to the whole chunk. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** A copy of pieces that follow each other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
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
  /** The payload of a data frame whose headers are the partial frame, and how much of it is to come. */
  #pieces: Uint8Array[] | undefined;
  #piecesLeft = 0;
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
      at = this.#pieces === undefined ? this.#continuePartial(chunk) : this.#continuePieces(chunk, this.#pieces);
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
    if (rest >= headersLength && view.getUint8(at) === frameType.data) {
      const payload = view.getUint32(at + 4) - dataHeaderLength;
      if (payload >= smallestInPieces) {
        this.#partial = copyOf(chunk.subarray(at, at + headersLength));
        this.#pieces = [];
        this.#piecesLeft = payload;
        this.#addPiece(chunk.subarray(at + headersLength), this.#pieces);
        return;
      }
    }
    const size = rest < headerLength ? headerLength : headerLength + view.getUint32(at + 4);
    this.#partial = new Uint8Array(size);
    this.#partial.set(chunk.subarray(at));
    this.#partialLength = rest;
  }

  /** An empty piece is none. */
  #addPiece(piece: Uint8Array, pieces: Uint8Array[]): void {
    if (piece.length > 0) pieces.push(piece);
    this.#piecesLeft -= piece.length;
  }

  /** Takes the payload that the chunk has, and hands the frame on when it is whole; returns how much that was. */
  #continuePieces(chunk: Uint8Array, pieces: Uint8Array[]): number {
    const taken = Math.min(this.#piecesLeft, chunk.length);
    this.#addPiece(taken === chunk.length ? chunk : chunk.subarray(0, taken), pieces);
    if (this.#piecesLeft > 0) {
      this.offset += chunk.length;
      if (pieces.length >= mostPieces) this.#copyPieces(pieces);
      return taken;
    }
    const headers = this.#partial as Uint8Array;
    const view = new DataView(headers.buffer);
    this.#partial = undefined;
    this.#pieces = undefined;
    const length = view.getUint32(4);
    if (!this.#sink(view.getUint8(0), view.getUint8(1), view.getUint16(2), headers, view, headerLength, length, pieces))
      this.#stopped = true;
    return taken;
  }

  /** Goes on as with a frame that is copied. */
  #copyPieces(pieces: readonly Uint8Array[]): void {
    const headers = this.#partial as Uint8Array;
    const whole = new Uint8Array(headerLength + new DataView(headers.buffer).getUint32(4));
    whole.set(headers);
    this.#partialLength = headers.length;
    for (const piece of pieces) {
      whole.set(piece, this.#partialLength);
      this.#partialLength += piece.length;
    }
    this.#partial = whole;
    this.#pieces = undefined;
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
