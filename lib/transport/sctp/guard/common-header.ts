/**
 * The common header and the packet as a whole (RFC 9260 sections 3 and 3.1; over UDP the packet is the whole payload,
 * RFC 6951 section 5.3, and the checksum is as mandatory as over IP).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * |      Source Port Number       |    Destination Port Number    |
 * +-------------------------------+-------------------------------+
 * |                       Verification Tag                        |
 * +---------------------------------------------------------------+
 * |                  Checksum (lowest byte first)                 |
 * +---------------------------------------------------------------+
 * ```
 */

import { carriedChecksum, packetChecksum } from './crc32c.js';
import type { PacketReader } from './packet-reader.js';

/** Bytes of the common header: the first chunk stands behind it. */
export const commonHeaderLength = 12;
/** Where the Verification Tag stands, in bytes. */
export const verificationTagOffset = 4;

const section = 'RFC 9260 section 3.1';

/** Length, ports and checksum. The cheap questions come first: a flood of rubbish should not even be summed. */
export function checkCommonHeader(reader: PacketReader): boolean {
  const { bytes, options } = reader;
  if (bytes.length < commonHeaderLength) return reader.fail('packetTooShort', 0, section);
  if (bytes.length > options.maxPacketLength) return reader.fail('packetTooLong', 0, 'limit');
  if (bytes.length % 4 !== 0) return reader.fail('packetNotPadded', bytes.length & ~3, 'RFC 9260 section 3.2');
  if (reader.u16(0) === 0) return reader.fail('portZero', 0, section);
  if (reader.u16(2) === 0) return reader.fail('portZero', 2, section);
  if (bytes.length === commonHeaderLength) return reader.fail('noChunk', commonHeaderLength, 'RFC 9260 section 3');
  reader.steps += bytes.length;
  if (packetChecksum(bytes) !== carriedChecksum(bytes)) {
    return reader.fail('checksumMismatch', 8, 'RFC 9260 section 6.8');
  }
  return true;
}
