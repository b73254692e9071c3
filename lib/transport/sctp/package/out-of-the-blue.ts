/** Answers to packets that belong to no association (RFC 9260 section 8.4), so that a peer learns that its own is gone. */

import { chunkType, reflectedTagFlag } from '../guard/chunk-type.js';
import { commonHeaderLength, verificationTagOffset } from '../guard/common-header.js';
import { chunksOf, writePacket } from './packet-bytes.js';

/** The answer to a packet that the guard let pass, never longer than it; undefined: silence. */
export function answerOutOfTheBlue(packet: Buffer): Buffer | undefined {
  const chunks = chunksOf(packet);
  const types = chunks.map((chunk) => chunk[0]);
  // An answer to any of these could be answered again (rules 2, 6 and 7).
  const quiet = [chunkType.abort, chunkType.shutdownComplete, chunkType.cookieAck, chunkType.error] as const;
  if (types.some((type) => quiet.some((one) => one === type))) return undefined;
  const source = packet.readUInt16BE(2);
  const destination = packet.readUInt16BE(0);
  if (types[0] === chunkType.init) {
    const tag = packet.readUInt32BE(commonHeaderLength + 4);
    return writePacket(source, destination, tag, [Uint8Array.of(chunkType.abort, 0, 0, 4)]);
  }
  const type = types.includes(chunkType.shutdownAck) ? chunkType.shutdownComplete : chunkType.abort;
  const tag = packet.readUInt32BE(verificationTagOffset);
  return writePacket(source, destination, tag, [Uint8Array.of(type, reflectedTagFlag, 0, 4)]);
}
