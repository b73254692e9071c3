/** Whole packets to and from bytes (RFC 9260 section 3.1), beside the package's own code, which sums twice. */

import { commonHeaderLength } from '../guard/common-header.js';
import { writeChecksum } from '../guard/crc32c.js';

/** The packet's bytes. Each chunk comes with its padding. */
export function writePacket(
  sourcePort: number,
  destinationPort: number,
  tag: number,
  chunks: readonly Uint8Array[],
): Buffer {
  let length = commonHeaderLength;
  for (const chunk of chunks) length += chunk.length;
  const packet = Buffer.allocUnsafe(length);
  packet.writeUInt16BE(sourcePort, 0);
  packet.writeUInt16BE(destinationPort, 2);
  packet.writeUInt32BE(tag, 4);
  let at = commonHeaderLength;
  for (const chunk of chunks) {
    packet.set(chunk, at);
    at += chunk.length;
  }
  writeChecksum(packet);
  return packet;
}

/** The chunks of a packet that the guard let pass, without their padding. */
export function chunksOf(packet: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = commonHeaderLength; at < packet.length; ) {
    const length = packet.readUInt16BE(at + 2);
    chunks.push(packet.subarray(at, at + length));
    at += (length + 3) & ~3;
  }
  return chunks;
}
