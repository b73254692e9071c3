/**
 * IP addresses as text and as parameters (RFC 5354 sections 3.1 and 3.2):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x1                    | Length = 8                    |
 *    +-------------------------------+-------------------------------+
 *    | IPv4 Address                                                  |
 *    +---------------------------------------------------------------+
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x2                    | Length = 20                   |
 *    +-------------------------------+-------------------------------+
 *    : IPv6 Address (16 bytes)                                       :
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';

/** The text of the IPv4 address at `offset`; four bytes must be there. */
export function formatIpv4(bytes: Uint8Array, offset: number): string {
  // One flat string: adding up its parts would keep all of them.
  return [bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]].join('.');
}

/**
 * The canonical text (RFC 5952) of the IPv6 address at `offset`; sixteen bytes must be there. IPv4-mapped addresses
 * get the mixed form of its section 5: `::ffff:192.0.2.1`.
 */
export function formatIpv6(bytes: Uint8Array, offset: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[offset + i] ?? 0) << 8) | (bytes[offset + i + 1] ?? 0));
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${formatIpv4(bytes, offset + 12)}`;
  }
  const [start, length] = longestZeroRun(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return length < 2 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}

/** The first of the longest runs of zero groups (RFC 5952 section 4.2.3): start and length. */
function longestZeroRun(groups: readonly number[]): readonly [start: number, length: number] {
  let start = 0;
  let length = 0;
  let run = 0;
  for (let i = 0; i < groups.length; i++) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > length) {
      length = run;
      start = i - run + 1;
    }
  }
  return [start, length];
}

/** The 32 bits of an IPv4 address in dotted form, or undefined if `text` is not one. Runs for each address sent. */
export function parseIpv4(text: string): number | undefined {
  let address = 0;
  let byte = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e && digits > 0 && ++dots < 4) {
      address = address * 256 + byte;
      byte = 0;
      digits = 0;
    } else if (code >= 0x30 && code <= 0x39 && !(digits > 0 && byte === 0)) {
      // No leading zeros: some readers take them for octal.
      byte = byte * 10 + code - 0x30;
      digits++;
      if (byte > 255) return undefined;
    } else {
      return undefined;
    }
  }
  return dots === 3 && digits > 0 ? address * 256 + byte : undefined;
}

/** The bytes of an IPv6 address in any form of RFC 4291 section 2.2, or undefined. Zones (%eth0) are not addresses. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const given = head.length + tail.length;
  // "::" stands for one group at least.
  if (halves.length === 2 ? given > 7 : given !== 8) return undefined;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [i, group] of head.entries()) view.setUint16(i * 2, group);
  for (const [i, group] of tail.entries()) view.setUint16((8 - tail.length + i) * 2, group);
  return bytes;
}

/** Groups of one side of "::"; only the last one of an address may be a dotted IPv4 address (two groups). */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = endsAddress && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push(ipv4 >>> 16, ipv4 & 0xffff);
  }
  return groups;
}

/** The text of the address parameter at `offset`, or undefined if the parameter there is something else, to be skipped. */
export function readAddress(reader: ParameterReader, offset: number, length: number): string | undefined {
  switch (reader.view.getUint16(offset)) {
    case parameterType.ipv4Address:
      reader.expectLength(offset, length, 8, 'RFC 5354 section 3.1');
      return formatIpv4(reader.bytes, offset + 4);
    case parameterType.ipv6Address:
      reader.expectLength(offset, length, 20, 'RFC 5354 section 3.2');
      return formatIpv6(reader.bytes, offset + 4);
    default:
      reader.unrecognized(offset, length);
      return undefined;
  }
}

/** Writes an IPv4 or IPv6 Address parameter; a RangeError if `text` is neither. */
export function writeAddress(writer: ParameterWriter, text: string): void {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) {
    const mark = writer.open(parameterType.ipv4Address);
    writer.u32('IPv4 address', ipv4);
    writer.close(mark);
    return;
  }
  const ipv6 = parseIpv6(text);
  if (ipv6 === undefined) throw new RangeError(`not an IP address: '${text}'`);
  const mark = writer.open(parameterType.ipv6Address);
  writer.raw(ipv6);
  writer.close(mark);
}
