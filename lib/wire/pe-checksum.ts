/**
 * PE Checksum (RFC 5354 section 3.15) and its arithmetic (RFC 5353 section 3.6.2, RFC 1071):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0xf                    | Length = 6                    |
 *    +-------------------------------+-------------------------------+
 *    | PE Checksum                   | padding                       |
 *    +-------------------------------+-------------------------------+
 *
 * Each element contributes a block of 16-bit words: its pool handle, padded with zeros to a multiple of four, then
 * its PE identifier. The checksum is the complement of their one's complement sum.
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';
import type { PoolHandle } from './parameters.js';

const modulus = 0xffff;

/** The plain sum of the words of one element's byte block (RFC 5353 section 3.6.2); below 2^31 for any handle. */
export function peBlockSum(poolHandle: PoolHandle, identifier: number): number {
  let sum = (identifier >>> 16) + (identifier & 0xffff);
  const even = poolHandle.length & ~1;
  for (let i = 0; i < even; i += 2) sum += (poolHandle.charCodeAt(i) << 8) + poolHandle.charCodeAt(i + 1);
  if (even < poolHandle.length) sum += poolHandle.charCodeAt(even) << 8;
  return sum;
}

/**
 * The PE checksum of a changing set of elements. `add` and `remove` cost as much as the handle is long.
 *
 * One's complement has two zeros: a sum over words that are not all zero never folds to 0 but to 0xffff, so the
 * residue modulo 0xffff alone cannot tell "no elements" (checksum ffff) from a sum that came round (checksum 0).
 * Hence the count of blocks that are not all zero.
 */
export class PeChecksum {
  #residue = 0;
  #nonZeroBlocks = 0;

  /** Adds an element that is not in the set. */
  add(poolHandle: PoolHandle, identifier: number): void {
    const sum = peBlockSum(poolHandle, identifier);
    if (sum === 0) return;
    this.#residue = (this.#residue + sum) % modulus;
    this.#nonZeroBlocks++;
  }

  /** Takes out an element that is in the set; what was never added corrupts the checksum. */
  remove(poolHandle: PoolHandle, identifier: number): void {
    const sum = peBlockSum(poolHandle, identifier);
    if (sum === 0) return;
    this.#residue = (this.#residue + modulus - (sum % modulus)) % modulus;
    this.#nonZeroBlocks--;
  }

  /** The 16 bits of the PE Checksum parameter. */
  get value(): number {
    if (this.#nonZeroBlocks === 0) return 0xffff;
    return this.#residue === 0 ? 0 : modulus - this.#residue;
  }
}

/** Reads the PE Checksum parameter at `offset`. */
export function readPeChecksum(reader: ParameterReader, offset: number, length: number): number {
  reader.expectLength(offset, length, 6, 'RFC 5354 section 3.15');
  return reader.view.getUint16(offset + 4);
}

/** Writes a PE Checksum parameter; a RangeError if it is not unsigned 16 bits. */
export function writePeChecksum(writer: ParameterWriter, checksum: number): void {
  const mark = writer.open(parameterType.peChecksum);
  writer.u16('PE checksum', checksum);
  writer.close(mark);
}
