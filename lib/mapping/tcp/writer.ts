/**
 * Builds frames into slabs and hands them to the stream in one call. Small payloads are copied behind their headers;
 * large ones are passed by reference. A slab is never reused: the system may still hold it.
 */

import { dataHeaderLength, headerLength } from './frame.js';

/** An idle connection keeps a small slab, a busy one gets large ones. */
const smallestSlab = 2048;
const largestSlab = 64 * 1024;
/** Up to here a payload is copied, which is cheaper than one more entry in the system call. */
const copyLimit = 4096;
/** Up to here what waits moves to the next slab rather than leave as an entry of its own. */
const moveLimit = 32 * 1024;

export class FrameWriter {
  #slab: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#slab.buffer);
  #start = 0;
  #end = 0;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  /** Bytes that went through slabs since the last `take`. */
  #sinceTake = 0;

  /** Bytes waiting to be taken. */
  get length(): number {
    return this.#chunkBytes + this.#end - this.#start;
  }

  /** Everything written since the last call, in order. */
  take(): Uint8Array[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#sinceTake = 0;
    return chunks;
  }

  /** Opens a frame whose whole body follows in the slab: returns the offset of its body. */
  frame(type: number, flags: number, streamId: number, bodyLength: number): number {
    const at = this.#reserve(headerLength + bodyLength);
    const view = this.#view;
    view.setUint8(at, type);
    view.setUint8(at + 1, flags);
    view.setUint16(at + 2, streamId);
    view.setUint32(at + 4, bodyLength);
    return at + headerLength;
  }

  /** The slab's view: valid until the next frame. */
  get view(): DataView {
    return this.#view;
  }

  bytes(at: number, data: Uint8Array): void {
    this.#slab.set(data, at);
  }

  /** Writes bytes as they are, outside any frame: the magic. */
  raw(data: Uint8Array): void {
    const at = this.#reserve(data.length);
    this.#slab.set(data, at);
  }

  /** One data frame: its headers in the slab, its payload copied or by reference. */
  data(
    type: number,
    flags: number,
    streamId: number,
    sequence: number,
    ppid: number,
    inAnswerTo: number,
    payload: Uint8Array,
  ): void {
    const inSlab = payload.length <= copyLimit ? payload.length : 0;
    const at = this.#reserve(headerLength + dataHeaderLength + inSlab);
    const view = this.#view;
    view.setUint8(at, type);
    view.setUint8(at + 1, flags);
    view.setUint16(at + 2, streamId);
    view.setUint32(at + 4, dataHeaderLength + payload.length);
    view.setUint32(at + 8, sequence);
    view.setUint32(at + 12, ppid);
    view.setUint32(at + 16, inAnswerTo);
    if (inSlab > 0) this.#slab.set(payload, at + headerLength + dataHeaderLength);
    else if (payload.length > 0) {
      this.#cut();
      this.#chunks.push(payload);
      this.#chunkBytes += payload.length;
    }
  }

  #reserve(length: number): number {
    if (this.#end + length > this.#slab.length) {
      if (this.#end - this.#start > moveLimit) this.#cut();
      const waiting = this.#slab.subarray(this.#start, this.#end);
      const size = Math.min(largestSlab, Math.max(smallestSlab, 4 * this.#sinceTake));
      // Only what was written to it ever leaves; a Buffer, since the sockets would make one of anything else.
      this.#slab = Buffer.allocUnsafeSlow(Math.max(size, waiting.length + length));
      this.#slab.set(waiting);
      this.#view = new DataView(this.#slab.buffer);
      this.#start = 0;
      this.#end = waiting.length;
    }
    const at = this.#end;
    this.#end += length;
    this.#sinceTake += length;
    return at;
  }

  #cut(): void {
    if (this.#end === this.#start) return;
    this.#chunks.push(this.#slab.subarray(this.#start, this.#end));
    this.#chunkBytes += this.#end - this.#start;
    this.#start = this.#end;
  }
}
