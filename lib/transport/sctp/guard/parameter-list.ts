/**
 * A list of parameters (RFC 9260 section 3.2.1): each inside the list, none shorter than its own header (a length of
 * zero would never end), each followed by its padding. The last one's padding may be left out of the list.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * |        Parameter Type         |       Parameter Length        |
 * +-------------------------------+-------------------------------+
 * /                        Parameter Value                        /
 * +---------------------------------------------------------------+
 * ```
 */

import { type PacketReader, padded } from './packet-reader.js';

/** Checks one parameter further: its type, where it stands and its length (4 or more, inside the list). */
export type ParameterCheck = (reader: PacketReader, type: number, at: number, length: number) => boolean;

const section = 'RFC 9260 section 3.2.1';

/** Parameters about which nothing more is asked: copies of what somebody did not understand. */
export const anyParameter: ParameterCheck = () => true;

/** Checks the parameters in [start, end) and each of them with `check`. Unknown types are for the stack to skip. */
export function checkParameters(reader: PacketReader, start: number, end: number, check: ParameterCheck): boolean {
  let at = start;
  while (at < end) {
    if (++reader.parameters > reader.options.maxParameters) return reader.fail('tooManyParameters', at, 'limit');
    if (at + 4 > end) return reader.fail('parameterOutOfBounds', at, section);
    const length = reader.u16(at + 2);
    if (length < 4) return reader.fail('parameterLengthTooSmall', at, section);
    if (length > end - at) return reader.fail('parameterOutOfBounds', at, section);
    if (!check(reader, reader.u16(at), at, length)) return false;
    at += padded(length);
  }
  return true;
}
