/**
 * HEARTBEAT (4) and HEARTBEAT ACK (5), RFC 9260 sections 3.3.5 and 3.3.6: one Heartbeat Info parameter, nothing else.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |  Type = 4, 5  |  Chunk Flags  |         Chunk Length          |
 * +---------------+---------------+-------------------------------+
 * |    Heartbeat Info Type = 1    |        HB Info Length         |
 * +-------------------------------+-------------------------------+
 * /                Sender-Specific Heartbeat Info                 /
 * +---------------------------------------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';
import { checkParameters } from './parameter-list.js';

const heartbeatInfoType = 1;

/** Checks a HEARTBEAT or HEARTBEAT ACK chunk; what is in its information is its sender's affair. */
export function checkHeartbeat(reader: PacketReader, at: number, length: number): boolean {
  const section = 'RFC 9260 section 3.3.5';
  if (length < 8) return reader.fail('heartbeatInfoMissing', at, section);
  const first = at + 4;
  return checkParameters(reader, first, at + length, (_, type, offset) => {
    if (offset !== first) return reader.fail('parameterNotAllowed', offset, section);
    return type === heartbeatInfoType || reader.fail('heartbeatInfoMissing', offset, section);
  });
}
