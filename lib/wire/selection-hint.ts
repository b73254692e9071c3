/**
 * Selection Hint (docs/asap.md), in Handle Resolution: what a pool user has to say to the pool's policy at the registrar
 * (draft-tuexen-rserpool-reqts section 5). Its type says "skip" (bits 10) to registrars that do not know it.
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x8254                 | Length (at most 260)          |
 *    +-------------------------------+-------------------------------+
 *    : Hint: any bytes, what they mean is the policy's business      :
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';

/** The longest hint, in bytes: registrars remember those of subscribers. */
export const longestSelectionHint = 256;

/** Reads the Selection Hint parameter at `offset`. A copy. */
export function readSelectionHint(reader: ParameterReader, offset: number, length: number): Uint8Array {
  if (length - 4 > longestSelectionHint) {
    throw reader.overLimit(offset, `selection hint longer than ${longestSelectionHint} bytes`);
  }
  return reader.copyValue(offset, length);
}

/** Writes a Selection Hint parameter; a RangeError if it is too long. */
export function writeSelectionHint(writer: ParameterWriter, hint: Uint8Array): void {
  if (hint.length > longestSelectionHint)
    throw new RangeError(`a selection hint must have ${longestSelectionHint} bytes at most`);
  const mark = writer.open(parameterType.selectionHint);
  writer.raw(hint);
  writer.close(mark);
}
