/**
 * PE Identifier (RFC 5354 section 3.14):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0xe                    | Length = 8                    |
 *    +-------------------------------+-------------------------------+
 *    | PE Identifier                                                 |
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';

/** Reads the PE Identifier parameter at `offset`. */
export function readPeIdentifier(reader: ParameterReader, offset: number, length: number): number {
  reader.expectLength(offset, length, 8, 'RFC 5354 section 3.14');
  return reader.view.getUint32(offset + 4);
}

/** Writes a PE Identifier parameter; a RangeError if it is not unsigned 32 bits. */
export function writePeIdentifier(writer: ParameterWriter, identifier: number): void {
  const mark = writer.open(parameterType.peIdentifier);
  writer.u32('PE identifier', identifier);
  writer.close(mark);
}
