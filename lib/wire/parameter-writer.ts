/**
 * Writing of parameters (RFC 5354 sections 2 and 3). `length` runs without the padding of what was written last; the
 * padding is written when the next parameter opens. So a length counts the padding between nested parameters but not
 * the last one, which is the rule of section 2.
 */

import { RserpoolError } from '../errors.js';

/** The most that the 16 bits of a Message Length can say. */
export const maxMessageLength: number = 0xffff;

/**
 * Small copies share slabs, as Node's Buffers do: memory outside of V8's heap costs more to get and to collect than
 * all the rest of encoding. Who keeps a copy for long should make one of its own, or the whole slab stays.
 */
const slabSize = 8192;
const pieceSize = 2048;
let slab = new Uint8Array(slabSize);
let pieceUsed = 0;

const u16Max = 0xffff;
const u32Max = 0xffffffff;

/** A RangeError unless `value` is a whole number from `least` to `most`. */
export function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

export class ParameterWriter {
  // One slab for the largest message with its padding; finished messages are copied out of it.
  readonly #bytes = new Uint8Array(maxMessageLength + 1);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Bytes written, without the padding that is still due. */
  get length(): number {
    return this.#length;
  }

  /** Begins anew. */
  reset(): void {
    this.#length = 0;
  }

  /** Takes back what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Writes the padding that is due, zeros up to the next multiple of four. */
  align(): void {
    while (this.#length % 4 !== 0) this.#bytes[this.#length++] = 0;
  }

  /** Begins a parameter and returns the mark that `close` wants. */
  open(type: number): number {
    this.align();
    const mark = this.#room(4);
    this.#view.setUint16(mark, type);
    return mark;
  }

  /** Ends the parameter that `open` began: its Parameter Length is what was written since. */
  close(mark: number): void {
    this.#view.setUint16(mark + 2, this.#length - mark);
  }

  u8(name: string, value: number): void {
    checkRange(name, value, 0, 0xff);
    this.#bytes[this.#room(1)] = value;
  }

  u16(name: string, value: number): void {
    checkRange(name, value, 0, u16Max);
    this.#view.setUint16(this.#room(2), value);
  }

  u32(name: string, value: number): void {
    checkRange(name, value, 0, u32Max);
    this.#view.setUint32(this.#room(4), value);
  }

  i32(name: string, value: number): void {
    checkRange(name, value, -0x80000000, 0x7fffffff);
    this.#view.setInt32(this.#room(4), value);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Writes a string of one character (0 to 255) a byte. */
  characters(name: string, text: string): void {
    const at = this.#room(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0xff) throw new RangeError(`${name} must hold bytes only: character ${i} is above 255`);
      this.#bytes[at + i] = code;
    }
  }

  /** A copy of all that was written, without the padding that is still due. It shares its memory with other copies. */
  copy(): Uint8Array {
    const length = this.#length;
    if (length > pieceSize) return this.#bytes.slice(0, length);
    if (pieceUsed + length > slabSize) {
      slab = new Uint8Array(slabSize);
      pieceUsed = 0;
    }
    const piece = slab.subarray(pieceUsed, pieceUsed + length);
    piece.set(this.#bytes.subarray(0, length));
    pieceUsed += length;
    return piece;
  }

  #room(size: number): number {
    const at = this.#length;
    if (at + size > maxMessageLength) {
      throw new RserpoolError('ERR_RSERPOOL_MESSAGE_TOO_LARGE', {
        detail: `an ASAP or ENRP message ends at ${maxMessageLength} bytes`,
      });
    }
    this.#length = at + size;
    return at;
  }
}

// Encoding never waits, so that one slab serves all.
const shared = new ParameterWriter();

/** The bytes that `write` writes, without the padding of the last parameter. `write` must not compose by itself. */
export function compose(write: (writer: ParameterWriter) => void): Uint8Array {
  shared.reset();
  write(shared);
  return shared.copy();
}

/** How many bytes `write` writes, with the padding of the last parameter. */
export function measure(write: (writer: ParameterWriter) => void): number {
  shared.reset();
  write(shared);
  return (shared.length + 3) & ~3;
}
