/**
 * INIT (1) and INIT ACK (2), RFC 9260 sections 3.3.2 and 3.3.3: one format but for the State Cookie.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |  Type = 1, 2  |  Chunk Flags  |         Chunk Length          |
 * +---------------+---------------+-------------------------------+
 * |                         Initiate Tag                          |
 * +---------------------------------------------------------------+
 * |          Advertised Receiver Window Credit (a_rwnd)           |
 * +-------------------------------+-------------------------------+
 * |  Number of Outbound Streams   |   Number of Inbound Streams   |
 * +-------------------------------+-------------------------------+
 * |                          Initial TSN                          |
 * +---------------------------------------------------------------+
 * /              Optional/Variable-Length Parameters              /
 * +---------------------------------------------------------------+
 * ```
 */

import { checkInitParameters } from './init-parameter.js';
import type { PacketReader } from './packet-reader.js';

const fixedLength = 20;
/** The least a_rwnd that may be announced (RFC 9260 section 3.3.2). */
const leastReceiverWindow = 1500;

/** Checks an INIT chunk whose length lies inside the packet: fixed fields, then parameters. */
export function checkInit(reader: PacketReader, at: number, length: number): boolean {
  return check(reader, at, length, false, 'RFC 9260 section 3.3.2');
}

/** Checks an INIT ACK chunk likewise; its State Cookie is mandatory. */
export function checkInitAck(reader: PacketReader, at: number, length: number): boolean {
  return check(reader, at, length, true, 'RFC 9260 section 3.3.3');
}

function check(reader: PacketReader, at: number, length: number, acknowledges: boolean, section: string): boolean {
  if (length < fixedLength) return reader.fail('chunkLengthWrong', at, section);
  if (reader.u32(at + 4) === 0) return reader.fail('initiateTagZero', at + 4, section);
  if (reader.u32(at + 8) < leastReceiverWindow) return reader.fail('receiverWindowTooSmall', at + 8, section);
  if (reader.u16(at + 12) === 0) return reader.fail('noStreams', at + 12, section);
  if (reader.u16(at + 14) === 0) return reader.fail('noStreams', at + 14, section);
  return checkInitParameters(reader, at + fixedLength, at + length, acknowledges);
}
