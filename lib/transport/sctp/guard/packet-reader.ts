/**
 * Reads fields of one packet, counts what was read against the limits, and keeps the first fault. A field outside the
 * packet reads as zero, so that not even a mistake in a check could throw.
 */

import type { GuardOptions } from './guard-options.js';
import type { Drop, DropReason } from './verdict.js';

/** One packet being read. It belongs to one call and is not kept. */
export class PacketReader {
  readonly bytes: Uint8Array;
  readonly options: GuardOptions;
  /** Fields read and bytes summed so far. */
  steps = 0;
  /** Parameters and error causes seen so far in the packet. */
  parameters = 0;
  causes = 0;
  fault: Drop | undefined;

  constructor(bytes: Uint8Array, options: GuardOptions) {
    this.bytes = bytes;
    this.options = options;
  }

  u8(at: number): number {
    this.steps++;
    return this.bytes[at]! | 0;
  }

  u16(at: number): number {
    this.steps++;
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u32(at: number): number {
    this.steps++;
    const { bytes } = this;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** Notes the fault, if it is the first, and returns false, so that a check can end with it. */
  fail(reason: DropReason, offset: number, section: string): false {
    this.fault ??= { type: 'drop', reason, offset, section };
    return false;
  }
}

/** `length` and the padding that follows it: the next multiple of four (RFC 9260 section 3.2). */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
