/**
 * ABORT (6) and ERROR (9), RFC 9260 sections 3.3.7 and 3.3.10: error causes, in ERROR at least one.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-------------+-+-------------------------------+
 * |  Type = 6, 9  |  Reserved   |T|            Length             |
 * +---------------+-------------+-+-------------------------------+
 * /                         Error Causes                          /
 * +---------------------------------------------------------------+
 * ```
 */

import { checkCauses } from './error-cause.js';
import type { PacketReader } from './packet-reader.js';

/** Checks an ABORT chunk: its causes, if any, are well formed (otherwise it must be ignored, section 3.3.7). */
export function checkAbort(reader: PacketReader, at: number, length: number): boolean {
  return checkCauses(reader, at + 4, at + length);
}

/** Checks an ERROR chunk: one or more well-formed causes. */
export function checkError(reader: PacketReader, at: number, length: number): boolean {
  if (length < 8) return reader.fail('chunkLengthWrong', at, 'RFC 9260 section 3.3.10');
  return checkCauses(reader, at + 4, at + length);
}
