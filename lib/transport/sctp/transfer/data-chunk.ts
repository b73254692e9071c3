/** Writes DATA and SACK chunks (RFC 9260 sections 3.3.1 and 3.3.4; drawings in guard/data.ts and guard/sack.ts). */

import { chunkType } from '../guard/chunk-type.js';

/** Bytes of a DATA chunk before its user data. */
export const dataHeaderLength = 16;
export const dataFlag = { end: 0x01, begin: 0x02, unordered: 0x04 } as const;

/** A DATA chunk with its padding. */
export function writeData(
  tsn: number,
  flags: number,
  streamId: number,
  ssn: number,
  ppid: number,
  payload: Uint8Array,
): Buffer {
  const length = dataHeaderLength + payload.length;
  // Padding must be zero, and the buffer pool is not.
  const chunk = Buffer.allocUnsafe((length + 3) & ~3);
  chunk.fill(0, length);
  chunk[0] = chunkType.data;
  chunk[1] = flags;
  chunk.writeUInt16BE(length, 2);
  chunk.writeUInt32BE(tsn, 4);
  chunk.writeUInt16BE(streamId, 8);
  chunk.writeUInt16BE(ssn, 10);
  chunk.writeUInt32BE(ppid, 12);
  chunk.set(payload, dataHeaderLength);
  return chunk;
}

/** What a SACK says; blocks are offsets from the Cumulative TSN Ack, both ends included. */
export interface SackFacts {
  readonly cumulative: number;
  readonly window: number;
  readonly blocks: readonly { readonly start: number; readonly end: number }[];
  readonly duplicates: readonly number[];
}

export function writeSack(facts: SackFacts): Buffer {
  const { blocks, duplicates } = facts;
  const chunk = Buffer.alloc(16 + 4 * (blocks.length + duplicates.length));
  chunk[0] = chunkType.sack;
  chunk.writeUInt16BE(chunk.length, 2);
  chunk.writeUInt32BE(facts.cumulative, 4);
  chunk.writeUInt32BE(facts.window, 8);
  chunk.writeUInt16BE(blocks.length, 12);
  chunk.writeUInt16BE(duplicates.length, 14);
  let at = 16;
  for (const { start, end } of blocks) {
    chunk.writeUInt16BE(start, at);
    chunk.writeUInt16BE(end, at + 2);
    at += 4;
  }
  for (const tsn of duplicates) {
    chunk.writeUInt32BE(tsn, at);
    at += 4;
  }
  return chunk;
}
