/**
 * The chunks of a packet (RFC 9260 section 3.2): each inside the packet with its padding, none shorter than its own
 * header; and which of them may stand together (sections 3, 3.3.7, 5.1, 6.10 and 8.5.1).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |  Chunk Type   |  Chunk Flags  |         Chunk Length          |
 * +---------------+---------------+-------------------------------+
 * /                          Chunk Value                          /
 * +---------------------------------------------------------------+
 * ```
 */

import { checkChunkFormat } from './chunk-format.js';
import { chunkType } from './chunk-type.js';
import { commonHeaderLength, verificationTagOffset } from './common-header.js';
import { type PacketReader, padded } from './packet-reader.js';

const section = 'RFC 9260 section 3.2';

/** Checks all chunks of a packet with a good common header and at least one byte behind it. */
export function checkChunks(reader: PacketReader): boolean {
  const end = reader.bytes.length;
  let count = 0;
  let hasData = false;
  let hasAbort = false;
  /** Nothing but AUTH has been seen, which stands before what it protects (RFC 4895 section 6.2). */
  let atFront = true;
  for (let at = commonHeaderLength; at < end; ) {
    // The packet's length is a multiple of four: a chunk that begins inside has a whole header.
    const type = reader.u8(at);
    const length = reader.u16(at + 2);
    if (++count > reader.options.maxChunks) return reader.fail('tooManyChunks', at, 'limit');
    if (length < 4) return reader.fail('chunkLengthTooSmall', at, section);
    if (length > end - at) return reader.fail('chunkOutOfBounds', at, section);
    const next = at + padded(length);
    if (standsAlone(type) && (count > 1 || next !== end)) {
      return reader.fail('chunkNotAlone', at, 'RFC 9260 section 6.10');
    }
    if (opensPacket(type) && !atFront) return reader.fail('chunkNotFirst', at, 'RFC 9260 section 5.1');
    hasData ||= type === chunkType.data || type === chunkType.iData;
    hasAbort ||= type === chunkType.abort;
    if (hasData && hasAbort) return reader.fail('dataWithAbort', at, 'RFC 9260 section 3.3.7');
    if (!checkTagOfType(reader, type, at)) return false;
    if (!checkChunkFormat(reader, type, at, length, count === 1)) return false;
    atFront &&= type === chunkType.auth;
    at = next;
  }
  return true;
}

function standsAlone(type: number): boolean {
  return type === chunkType.init || type === chunkType.initAck || type === chunkType.shutdownComplete;
}

/** COOKIE ECHO and COOKIE ACK may be followed by others but not preceded (section 5.1, steps C to E). */
function opensPacket(type: number): boolean {
  return type === chunkType.cookieEcho || type === chunkType.cookieAck;
}

/** A Verification Tag of zero belongs to INIT and to nothing else (section 8.5.1, rules A). */
function checkTagOfType(reader: PacketReader, type: number, at: number): boolean {
  const isZero = reader.u32(verificationTagOffset) === 0;
  if (isZero === (type === chunkType.init)) return true;
  return reader.fail(isZero ? 'verificationTagZero' : 'verificationTagNotZero', at, 'RFC 9260 section 8.5.1');
}
