/**
 * SACK (3), RFC 9260 section 3.3.4. The counts must fill the chunk exactly, and the Gap Ack Blocks must ascend
 * without overlap: then no stack walks over more than 65,535 TSNs for one SACK.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |   Type = 3    |  Chunk Flags  |         Chunk Length          |
 * +---------------+---------------+-------------------------------+
 * |                      Cumulative TSN Ack                       |
 * +---------------------------------------------------------------+
 * |          Advertised Receiver Window Credit (a_rwnd)           |
 * +-------------------------------+-------------------------------+
 * | Number of Gap Ack Blocks = N  |  Number of Duplicate TSNs = M |
 * +-------------------------------+-------------------------------+
 * |   Gap Ack Block Start (N x)   |    Gap Ack Block End (N x)    |
 * +-------------------------------+-------------------------------+
 * |                      Duplicate TSN (M x)                      |
 * +---------------------------------------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';

const section = 'RFC 9260 section 3.3.4';
/** Where the first Gap Ack Block stands in the chunk, in bytes. */
export const gapAckBlocksOffset = 16;

/** Checks a SACK chunk: counts and the order of its blocks. What they acknowledge is for the association to judge. */
export function checkSack(reader: PacketReader, at: number, length: number): boolean {
  if (length < gapAckBlocksOffset) return reader.fail('chunkLengthWrong', at, section);
  const blocks = reader.u16(at + 12);
  const duplicates = reader.u16(at + 14);
  if (length !== gapAckBlocksOffset + 4 * (blocks + duplicates)) return reader.fail('chunkLengthWrong', at, section);
  if (blocks > reader.options.maxGapAckBlocks) return reader.fail('tooManyGapAckBlocks', at + 12, 'limit');
  if (duplicates > reader.options.maxDuplicateTsns) return reader.fail('tooManyDuplicateTsns', at + 14, 'limit');
  // Offset 1 would be the next TSN in order, so a receiver that has it would have moved its Cumulative TSN Ack. Still
  // it is taken: blocks "SHOULD be isolated" leaves room for it, and it harms nobody. Offset 0 is no gap at all.
  let before = 0;
  for (let block = 0; block < blocks; block++) {
    const offset = at + gapAckBlocksOffset + 4 * block;
    const start = reader.u16(offset);
    const end = reader.u16(offset + 2);
    if (start <= before || end < start) return reader.fail('gapAckBlockDisordered', offset, section);
    before = end;
  }
  return true;
}
