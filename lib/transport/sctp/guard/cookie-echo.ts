/**
 * COOKIE ECHO (10), RFC 9260 section 3.3.11: the cookie of the INIT ACK, at least one byte of it.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |   Type = 10   |  Chunk Flags  |            Length             |
 * +---------------+---------------+-------------------------------+
 * /                            Cookie                             /
 * +---------------------------------------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';

/** Checks a COOKIE ECHO chunk: there is a cookie. Whether it is ours, its maker must find out. */
export function checkCookieEcho(reader: PacketReader, at: number, length: number): boolean {
  return length > 4 || reader.fail('chunkLengthWrong', at, 'RFC 9260 section 3.3.11');
}

/** Whether the COOKIE ECHO chunk at `at` (well formed) carries exactly `cookie`. Costs a step a byte at most. */
export function carriesCookie(reader: PacketReader, at: number, length: number, cookie: Uint8Array): boolean {
  if (length - 4 !== cookie.length) return false;
  // Every byte is compared, so that the time taken tells nothing of where a guess went wrong.
  let difference = 0;
  for (let index = 0; index < cookie.length; index++) difference |= reader.u8(at + 4 + index) ^ cookie[index]!;
  return difference === 0;
}
