/**
 * RE-CONFIG (0x82), RFC 6525 sections 3.1 and 4: one or two parameters.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |  Type = 0x82  |     Flags     |            Length             |
 * +---------------+---------------+-------------------------------+
 * /                 Re-configuration Parameter                    /
 * +---------------------------------------------------------------+
 * /           Re-configuration Parameter (optional)               /
 * +---------------------------------------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';
import { checkParameters } from './parameter-list.js';

/** Checks a RE-CONFIG chunk: the number and the lengths of its parameters. */
export function checkReConfig(reader: PacketReader, at: number, length: number): boolean {
  if (length < 8) return reader.fail('chunkLengthWrong', at, 'RFC 6525 section 3.1');
  let count = 0;
  return checkParameters(reader, at + 4, at + length, (_, type, offset, parameterLength) => {
    if (++count > 2) return reader.fail('parameterNotAllowed', offset, 'RFC 6525 section 3.1');
    if (!lengthFits(type, parameterLength)) return reader.fail('parameterLengthWrong', offset, 'RFC 6525 section 4');
    return true;
  });
}

function lengthFits(type: number, length: number): boolean {
  switch (type) {
    case 13: // Outgoing SSN Reset Request, with a list of streams
      return length >= 16 && length % 2 === 0;
    case 14: // Incoming SSN Reset Request, with a list of streams
      return length >= 8 && length % 2 === 0;
    case 15: // SSN/TSN Reset Request
      return length === 8;
    case 16: // Re-configuration Response, with both next TSNs or without
      return length === 12 || length === 20;
    case 17: // Add Outgoing Streams Request
    case 18: // Add Incoming Streams Request
      return length === 12;
    default:
      return true;
  }
}
