/**
 * Chunks of extensions, checked by their length for a stack that was told to expect them (option `extensions`):
 * AUTH (RFC 4895), FORWARD-TSN (RFC 3758), I-FORWARD-TSN (RFC 8260), PAD (RFC 4820). The larger ones have files of
 * their own.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |  Type = 0x0f  |     Flags     |            Length             |
 * +---------------+---------------+-------------------------------+
 * |     Shared Key Identifier     |        HMAC Identifier        |
 * +-------------------------------+-------------------------------+
 * /                             HMAC                              /
 * +---------------------------------------------------------------+
 *
 * +---------------+---------------+-------------------------------+
 * |  Type = 0xc0  |     Flags     |        Length = 8 + 4N        |
 * +---------------+---------------+-------------------------------+
 * |                    New Cumulative TSN                         |
 * +-------------------------------+-------------------------------+
 * |         Stream (N x)          |     Stream Sequence (N x)     |
 * +-------------------------------+-------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';

/** Checks an AUTH chunk: it has an HMAC. Whether that is right, the holder of the key must find out. */
export function checkAuth(reader: PacketReader, at: number, length: number): boolean {
  return length > 8 || reader.fail('chunkLengthWrong', at, 'RFC 4895 section 4.1');
}

/** Checks a FORWARD-TSN chunk: whole streams behind its TSN. */
export function checkForwardTsn(reader: PacketReader, at: number, length: number): boolean {
  return (length >= 8 && length % 4 === 0) || reader.fail('chunkLengthWrong', at, 'RFC 3758 section 3.2');
}

/** Here each stream has eight bytes: identifier, reserved bits with U, message identifier. */
export function checkIForwardTsn(reader: PacketReader, at: number, length: number): boolean {
  return length % 8 === 0 || reader.fail('chunkLengthWrong', at, 'RFC 8260 section 2.3.1');
}
