/**
 * Chunks of one fixed length: SHUTDOWN (7), SHUTDOWN ACK (8), COOKIE ACK (11), ECNE (12), CWR (13) and
 * SHUTDOWN COMPLETE (14), RFC 9260 sections 3.3.8, 3.3.9, 3.3.12, 3.3.13; ECNE and CWR as in RFC 4960 appendix A.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-------------+-+-------------------------------+
 * |     Type      |  Reserved   |T|        Length = 4 or 8        |
 * +---------------+-------------+-+-------------------------------+
 * |   Cumulative TSN Ack (7), Lowest TSN (12, 13); not in 8, 11, 14
 * +---------------------------------------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';

/** A chunk that is its header only. */
export function checkHeaderOnly(reader: PacketReader, at: number, length: number, section: string): boolean {
  return length === 4 || reader.fail('chunkLengthWrong', at, section);
}

/** A chunk with one TSN behind its header. */
export function checkOneTsn(reader: PacketReader, at: number, length: number, section: string): boolean {
  return length === 8 || reader.fail('chunkLengthWrong', at, section);
}
