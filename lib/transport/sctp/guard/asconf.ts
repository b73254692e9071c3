/**
 * ASCONF (0xc1) and ASCONF-ACK (0x80), RFC 5061 section 4.1.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | Type 0xc1/80  |     Flags     |            Length             |
 * +---------------+---------------+-------------------------------+
 * |                        Sequence Number                        |
 * +---------------------------------------------------------------+
 * /              Address Parameter (ASCONF only)                  /
 * +---------------------------------------------------------------+
 * /      Parameters: each with a 32-bit correlation number        /
 * +---------------------------------------------------------------+
 * ```
 */

import { type PacketReader, padded } from './packet-reader.js';
import { checkParameters } from './parameter-list.js';

const section = 'RFC 5061 section 4.1.1';
const ipv4AddressType = 5;
const ipv6AddressType = 6;

/** Checks an ASCONF chunk: an address, then at least one parameter of 8 bytes or more. */
export function checkAsconf(reader: PacketReader, at: number, length: number): boolean {
  // The shortest: header, sequence number, an IPv4 address, one parameter.
  if (length < 24) return reader.fail('chunkLengthWrong', at, section);
  const first = at + 8;
  const addressType = reader.u16(first);
  const addressLength = reader.u16(first + 2);
  if (addressType !== ipv4AddressType && addressType !== ipv6AddressType) {
    return reader.fail('parameterNotAllowed', first, section);
  }
  if (addressLength !== (addressType === ipv4AddressType ? 8 : 20)) {
    return reader.fail('parameterLengthWrong', first, section);
  }
  if (length < 8 + addressLength + 8) return reader.fail('chunkLengthWrong', at, section);
  return checkCorrelated(reader, first + padded(addressLength), at + length, section);
}

/** Checks an ASCONF-ACK chunk: any number of parameters of 8 bytes or more. */
export function checkAsconfAck(reader: PacketReader, at: number, length: number): boolean {
  if (length < 8) return reader.fail('chunkLengthWrong', at, 'RFC 5061 section 4.1.2');
  return checkCorrelated(reader, at + 8, at + length, 'RFC 5061 section 4.1.2');
}

function checkCorrelated(reader: PacketReader, start: number, end: number, of: string): boolean {
  return checkParameters(
    reader,
    start,
    end,
    (_, _type, at, length) => length >= 8 || reader.fail('parameterLengthWrong', at, of),
  );
}
