/**
 * Elements Wanted, the reference implementation's option of Handle Resolution (bits 10: skip if unknown):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x803f                 | Length = 8                    |
 *    +-------------------------------+-------------------------------+
 *    | Pool elements wanted (0xffffffff: as many as possible)        |
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';

/** Reads the Elements Wanted parameter at `offset`. */
export function readElementsWanted(reader: ParameterReader, offset: number, length: number): number {
  reader.expectLength(offset, length, 8, 'Handle Resolution option 0x803f');
  return reader.view.getUint32(offset + 4);
}

/** Writes an Elements Wanted parameter; a RangeError if it is not unsigned 32 bits. */
export function writeElementsWanted(writer: ParameterWriter, elementsWanted: number): void {
  const mark = writer.open(parameterType.elementsWanted);
  writer.u32('elementsWanted', elementsWanted);
  writer.close(mark);
}
