/** Builds SCTP packets out of hexadecimal chunks. */

import { writeChecksum } from '../../../lib/transport/sctp/guard/crc32c.js';
import { hex } from '../../vectors/hex.js';

/** The Verification Tag of packets in tests, as text and as number. */
export const tagText = '11223344';
export const tag = 0x11223344;

/** A packet of these chunks (padding included) with a right checksum; INIT gets the tag zero that it needs. */
export function packetOf(chunks: string, verificationTag?: string): Uint8Array {
  const wanted = verificationTag ?? (chunks.trimStart().startsWith('01') ? '00000000' : tagText);
  const packet = hex(`0f17 c350 ${wanted} 00000000 ${chunks}`);
  writeChecksum(packet);
  return packet;
}

/** A number as 8 hexadecimal digits (or another count). */
export function digits(value: number, count = 8): string {
  return (value >>> 0).toString(16).padStart(count, '0');
}

/** A DATA chunk of one byte on a stream. */
export function dataChunk(tsn: number, stream = 0): string {
  return `00030011 ${digits(tsn)} ${digits(stream, 4)} 0000 0000000b 61000000`;
}

/** A SACK chunk with Gap Ack Blocks (start and end offsets). */
export function sackChunk(cumulative: number, blocks: readonly (readonly [start: number, end: number])[] = []): string {
  const list = blocks.map(([start, end]) => digits(start, 4) + digits(end, 4)).join('');
  return `0300${digits(16 + 4 * blocks.length, 4)} ${digits(cumulative)} 00010000 ${digits(blocks.length, 4)} 0000 ${list}`;
}
