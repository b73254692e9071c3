/**
 * DATA (0), RFC 9260 section 3.3.1, and I-DATA (64), RFC 8260 section 2.1, which has four bytes more. At least one
 * byte of user data is mandatory.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-------+-+-+-+-+-------------------------------+
 * |   Type = 0    |  Res  |I|U|B|E|            Length             |
 * +---------------+-------+-+-+-+-+-------------------------------+
 * |                              TSN                              |
 * +-------------------------------+-------------------------------+
 * |       Stream Identifier       |    Stream Sequence Number     |
 * +-------------------------------+-------------------------------+
 * |                  Payload Protocol Identifier                  |
 * +---------------------------------------------------------------+
 * /                           User Data                           /
 * +---------------------------------------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';

/** Checks a DATA chunk: it has user data. Stream and TSN are for the association to judge. */
export function checkData(reader: PacketReader, at: number, length: number): boolean {
  return length > 16 || reader.fail('chunkLengthWrong', at, 'RFC 9260 section 3.3.1');
}

/** In I-DATA the stream identifier is followed by 16 reserved bits and a 32-bit message identifier. */
export function checkIData(reader: PacketReader, at: number, length: number): boolean {
  return length > 20 || reader.fail('chunkLengthWrong', at, 'RFC 8260 section 2.1');
}
