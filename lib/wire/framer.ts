/**
 * Cuts ASAP or ENRP messages out of a byte stream (RFC 5352 section 2.2 over TCP; ENRP over TCP is our extension).
 * A message takes its Message Length, rounded up to a multiple of four: so a stream is read in the same way whether
 * its sender counts the final padding, as the reference implementation does, or not, as RFC 5354 section 4 says.
 */

import type { WireFault } from './decoded.js';
import { padded } from './parameter-reader.js';
import { maxMessageLength } from './parameter-writer.js';
import { causeCode } from './parameters.js';

const section = 'RFC 5354 section 4';

export interface FramerOptions {
  /** Bytes of one message, padding included; more is a fault. Default: 65,538, the most that can be. */
  readonly maxMessageSize?: number;
}

/** A whole message with its padding. The bytes are the framer's: valid until the callback returns. */
export type OnMessage = (message: Uint8Array) => void;

export class MessageFramer {
  readonly #maxMessageSize: number;
  /** The beginning of a message that has not come to its end. It grows with what arrives, not with what is claimed. */
  #partial = new Uint8Array(0);
  #partialLength = 0;
  #fault: WireFault | undefined;
  #stopped = false;

  constructor(options: FramerOptions = {}) {
    const most = options.maxMessageSize ?? maxMessageLength + 3;
    if (!Number.isSafeInteger(most) || most < 4) throw new RangeError(`maxMessageSize must be 4 or more, not ${most}`);
    this.#maxMessageSize = most;
  }

  /** Bytes of a message that has begun and not ended: more than 0 at the end of a stream means that it was cut off. */
  get pendingBytes(): number {
    return this.#partialLength;
  }

  /** Nothing is handed on after this, not even what the chunk at hand still holds. May be called from `onMessage`. */
  stop(): void {
    this.#stopped = true;
    this.#keep(new Uint8Array(0));
  }

  /**
   * Calls `onMessage` for each message that `chunk` completes, in order, and keeps the rest: part of one message at
   * most. Returns the fault that makes the stream unreadable, from then on always the same; undefined otherwise.
   */
  push(chunk: Uint8Array, onMessage: OnMessage): WireFault | undefined {
    if (this.#fault !== undefined || this.#stopped) return this.#fault;
    let offset = this.#partialLength > 0 ? this.#complete(chunk, onMessage) : 0;
    while (!this.#halted() && chunk.length - offset >= 4) {
      const size = this.#messageSize(chunk, offset);
      if (size === undefined || chunk.length - offset < size) break;
      const start = offset;
      offset += size;
      onMessage(chunk.subarray(start, offset));
    }
    if (!this.#halted() && offset < chunk.length) this.#keep(chunk.subarray(offset));
    return this.#fault;
  }

  #halted(): boolean {
    return this.#stopped || this.#fault !== undefined;
  }

  /** Adds to the partial message what it lacks; returns how much of `chunk` that took. */
  #complete(chunk: Uint8Array, onMessage: OnMessage): number {
    let taken = 0;
    if (this.#partialLength < 4) taken = this.#append(chunk, 0, 4);
    if (this.#partialLength < 4) return taken;
    const size = this.#messageSize(this.#partial, 0);
    if (size === undefined) return taken;
    taken += this.#append(chunk, taken, size);
    if (this.#partialLength < size) return taken;
    const message = this.#partial.subarray(0, size);
    this.#partial = new Uint8Array(0);
    this.#partialLength = 0;
    onMessage(message);
    return taken;
  }

  #append(chunk: Uint8Array, from: number, size: number): number {
    const count = Math.min(size - this.#partialLength, chunk.length - from);
    const needed = this.#partialLength + count;
    if (needed > this.#partial.length) {
      const grown = new Uint8Array(Math.min(Math.max(needed, this.#partial.length * 2), this.#maxMessageSize));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(from, from + count), this.#partialLength);
    this.#partialLength = needed;
    return count;
  }

  #keep(rest: Uint8Array): void {
    // A plain copy, even of a Buffer: the chunk is the caller's.
    this.#partial = new Uint8Array(rest);
    this.#partialLength = rest.length;
  }

  /** The size of the message whose header stands at `offset`; undefined, with the fault set, if it cannot be. */
  #messageSize(bytes: Uint8Array, offset: number): number | undefined {
    const length = ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0);
    const size = padded(length);
    if (length < 4) return this.#fail(causeCode.unspecified, `Message Length ${length} is below 4`);
    if (size > this.#maxMessageSize) {
      return this.#fail(causeCode.lackOfResources, `limit: message above ${this.#maxMessageSize} bytes`);
    }
    return size;
  }

  #fail(code: number, reason: string): undefined {
    this.#fault = { offset: 2, section, reason, cause: { code, information: new Uint8Array(0) } };
    this.#keep(new Uint8Array(0));
    return undefined;
  }
}
