/** Pool elements as the bytes that they are in a message, kept from one answer to the next. */

import type { PoolElement } from '../wire/parameters.js';
import { encodePoolElement } from '../wire/pool-element.js';

/**
 * Elements are encoded once for many answers. What was in none for long is forgotten: when the younger generation has
 * grown to its share of `maxBytes` it becomes the older one, whose members survive by being asked for. An element that
 * registers anew is another object, so nothing here is ever out of date.
 */
export class ElementEncodings {
  readonly #share: number;
  #younger = new Map<PoolElement, Uint8Array>();
  #older = new Map<PoolElement, Uint8Array>();
  #youngerBytes = 0;

  /** `maxBytes`: encodings that are kept at most, in both generations. Default: 4 MiB. */
  constructor(maxBytes: number = 4 * 1024 * 1024) {
    this.#share = maxBytes / 2;
  }

  /** The Pool Element parameter without its padding; not to be changed. */
  of(element: PoolElement): Uint8Array {
    const present = this.#younger.get(element);
    if (present !== undefined) return present;
    const bytes = this.#older.get(element) ?? encodePoolElement(element).slice();
    this.#youngerBytes += bytes.length;
    if (this.#youngerBytes > this.#share) {
      this.#older = this.#younger;
      this.#younger = new Map();
      this.#youngerBytes = bytes.length;
    }
    this.#younger.set(element, bytes);
    return bytes;
  }
}
