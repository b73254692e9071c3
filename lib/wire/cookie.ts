/**
 * Cookie (RFC 5354 section 3.13):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0xd                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    : Cookie (any bytes)                                            :
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';

/** Reads the Cookie parameter at `offset`: a copy. */
export function readCookie(reader: ParameterReader, offset: number, length: number): Uint8Array {
  return reader.copyValue(offset, length);
}

/** Writes a Cookie parameter. */
export function writeCookie(writer: ParameterWriter, cookie: Uint8Array): void {
  const mark = writer.open(parameterType.cookie);
  writer.raw(cookie);
  writer.close(mark);
}
