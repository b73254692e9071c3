/**
 * Error causes (RFC 9260 section 3.3.10), in ERROR and ABORT chunks.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * |          Cause Code           |         Cause Length          |
 * +-------------------------------+-------------------------------+
 * /                  Cause-Specific Information                   /
 * +---------------------------------------------------------------+
 * ```
 */

import { type PacketReader, padded } from './packet-reader.js';
import { anyParameter, checkParameters } from './parameter-list.js';

const section = 'RFC 9260 section 3.3.10';

/** Checks the causes in [start, end). The last one's padding may be left out. Unknown codes need only a good length. */
export function checkCauses(reader: PacketReader, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (++reader.causes > reader.options.maxCauses) return reader.fail('tooManyCauses', at, 'limit');
    if (at + 4 > end) return reader.fail('causeOutOfBounds', at, section);
    const length = reader.u16(at + 2);
    if (length < 4) return reader.fail('causeLengthTooSmall', at, section);
    if (length > end - at) return reader.fail('causeOutOfBounds', at, section);
    if (!checkCause(reader, reader.u16(at), at, length)) return false;
    at += padded(length);
  }
  return true;
}

function checkCause(reader: PacketReader, code: number, at: number, length: number): boolean {
  switch (code) {
    case 1: // Invalid Stream Identifier
    case 3: // Stale Cookie
    case 9: // No User Data
      return length === 8 || reader.fail('causeLengthWrong', at, `${section}.${code}`);
    case 4: // Out of Resource
    case 10: // Cookie Received While Shutting Down
      return length === 4 || reader.fail('causeLengthWrong', at, `${section}.${code}`);
    case 2:
      return checkMissingParameters(reader, at, length);
    case 6:
      return checkUnrecognizedChunk(reader, at, length);
    case 5: // Unresolvable Address
    case 8: // Unrecognized Parameters
    case 11: // Restart of an Association with New Addresses
      return checkCopies(reader, code, at, length);
    default: // 7 is 4 bytes long in RFC 9260, but others add the parameter; 12 and 13 carry text
      return true;
  }
}

/** A 32-bit number N and N parameter types of 16 bits. */
function checkMissingParameters(reader: PacketReader, at: number, length: number): boolean {
  if (length < 8 || length !== 8 + 2 * reader.u32(at + 4)) {
    return reader.fail('causeLengthWrong', at, `${section}.2`);
  }
  return true;
}

/** A copy of a chunk; its padding may have been copied with it. */
function checkUnrecognizedChunk(reader: PacketReader, at: number, length: number): boolean {
  if (length < 8) return reader.fail('causeLengthWrong', at, `${section}.6`);
  const copied = reader.u16(at + 6);
  if (copied < 4 || padded(copied) < length - 4 || copied > length - 4) {
    return reader.fail('causeLengthWrong', at, `${section}.6`);
  }
  return true;
}

/** Copies of parameters, at least one. */
function checkCopies(reader: PacketReader, code: number, at: number, length: number): boolean {
  if (length < 8) return reader.fail('causeLengthWrong', at, `${section}.${code}`);
  return checkParameters(reader, at + 4, at + length, anyParameter);
}
