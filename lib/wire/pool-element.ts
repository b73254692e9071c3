/**
 * Pool Element (RFC 5354 section 3.10):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0xa                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    | PE Identifier                                                 |
 *    +---------------------------------------------------------------+
 *    | Home ENRP Server Identifier                                   |
 *    +---------------------------------------------------------------+
 *    | Registration Life (signed, seconds)                           |
 *    +---------------------------------------------------------------+
 *    : User Transport                                                :
 *    +---------------------------------------------------------------+
 *    : Mapping, then unrecognised parameters to be forwarded         :
 *    +---------------------------------------------------------------+
 *    : Member Selection Policy (optional here)                       :
 *    +---------------------------------------------------------------+
 *    : ASAP Transport (optional here)                                :
 *    +---------------------------------------------------------------+
 *
 * Any order is read: the first transport is the user's, a second one is ASAP's. This order is written, since the
 * reference implementation reads no other and stumbles over strangers at the end.
 */

import { readMappings, writeMappings } from './mapping-parameter.js';
import { type ParameterReader, padded } from './parameter-reader.js';
import { isTransportType, parameterType } from './parameter-type.js';
import { compose, measure, type ParameterWriter } from './parameter-writer.js';
import type { MappingOffer, MemberSelectionPolicy, PoolElement, Transport } from './parameters.js';
import { readPolicy, writePolicy } from './policy-parameter.js';
import { readTransport, writeTransport } from './transport-parameter.js';

const section = 'RFC 5354 section 3.10';

/** Reads the Pool Element parameter at `offset`. */
export function readPoolElement(reader: ParameterReader, offset: number, length: number): PoolElement {
  reader.countPoolElement(offset);
  reader.expectRoom(offset, length, 16, section);
  const end = offset + length;
  let userTransport: Transport | undefined;
  let asapTransport: Transport | undefined;
  let mappings: MappingOffer[] | undefined;
  let extensions: Uint8Array[] | undefined;
  let policy: MemberSelectionPolicy | undefined;
  let at = offset + 16;
  while (at < end) {
    const partLength = reader.parameterLength(at, end);
    const type = reader.view.getUint16(at);
    if (isTransportType(type) && userTransport === undefined) {
      userTransport = readTransport(reader, at, partLength, 'any', section);
    } else if (isTransportType(type) && asapTransport === undefined) {
      asapTransport = readTransport(reader, at, partLength, 'sctpOrTcp', section);
    } else if (type === parameterType.policy && policy === undefined) {
      policy = readPolicy(reader, at, partLength);
    } else if (type === parameterType.mapping && mappings === undefined) {
      mappings = readMappings(reader, at, partLength);
    } else if (type === parameterType.mapping) {
      throw reader.invalid(at, section, 'a second Mapping', at, at + partLength);
    } else {
      reader.unrecognized(at, partLength);
      extensions ??= [];
      if (extensions.length === reader.limits.maxExtensions) {
        throw reader.overLimit(
          at,
          `more than ${reader.limits.maxExtensions} unrecognised parameters in a pool element`,
        );
      }
      extensions.push(copyExtension(reader, at, partLength));
    }
    at = reader.next(at, partLength, end);
  }
  if (userTransport === undefined) throw reader.invalid(offset, section, 'no User Transport', offset, end);
  return createPoolElement({
    identifier: reader.view.getUint32(offset + 4),
    homeServerId: reader.view.getUint32(offset + 8),
    registrationLife: reader.view.getInt32(offset + 12),
    userTransport,
    mappings,
    extensions,
    policy,
    asapTransport,
  });
}

/** What a pool element is made of; what it does not have is undefined. */
export interface PoolElementParts extends Omit<PoolElement, 'mappings' | 'extensions' | 'policy' | 'asapTransport'> {
  readonly mappings: readonly MappingOffer[] | undefined;
  readonly extensions: readonly Uint8Array[] | undefined;
  readonly policy: MemberSelectionPolicy | undefined;
  readonly asapTransport: Transport | undefined;
}

/**
 * An element with what there is and without the rest. There may be a million of them: the usual ones are written out,
 * since V8 gives each object that was spread and added to a layout of its own, which takes as much as three elements.
 */
export function createPoolElement(parts: PoolElementParts): PoolElement {
  const { identifier, homeServerId, registrationLife, userTransport } = parts;
  const { mappings, extensions, policy } = parts;
  // Most elements have one port for both: one object then does.
  const asapTransport = isSame(userTransport, parts.asapTransport) ? userTransport : parts.asapTransport;
  if (extensions === undefined && policy !== undefined) {
    if (mappings === undefined) {
      return asapTransport === undefined
        ? { identifier, homeServerId, registrationLife, userTransport, policy }
        : { identifier, homeServerId, registrationLife, userTransport, policy, asapTransport };
    }
    if (asapTransport !== undefined) {
      return { identifier, homeServerId, registrationLife, userTransport, mappings, policy, asapTransport };
    }
  }
  return {
    identifier,
    homeServerId,
    registrationLife,
    userTransport,
    ...(mappings === undefined ? undefined : { mappings }),
    ...(extensions === undefined ? undefined : { extensions }),
    ...(policy === undefined ? undefined : { policy }),
    ...(asapTransport === undefined ? undefined : { asapTransport }),
  };
}

function isSame(one: Transport, other: Transport | undefined): boolean {
  return one.type === 'tcp' && other?.type === 'tcp' && one.port === other.port && one.address === other.address;
}

/** The same element with another home. */
export function withHome(element: PoolElement, homeServerId: number): PoolElement {
  const { identifier, registrationLife, userTransport, mappings, extensions, policy, asapTransport } = element;
  return createPoolElement({
    identifier,
    homeServerId,
    registrationLife,
    userTransport,
    mappings,
    extensions,
    policy,
    asapTransport,
  });
}

/** The whole TLV, its padding zeros whatever was sent (and if the element ends without any). */
function copyExtension(reader: ParameterReader, offset: number, length: number): Uint8Array {
  const extension = new Uint8Array(padded(length));
  extension.set(reader.bytes.subarray(offset, offset + length));
  return extension;
}

/** Writes a Pool Element parameter; a RangeError for values that the wire cannot carry. */
export function writePoolElement(writer: ParameterWriter, element: PoolElement): void {
  const mark = writer.open(parameterType.poolElement);
  writer.u32('PE identifier', element.identifier);
  writer.u32('home ENRP server identifier', element.homeServerId);
  writer.i32('registration life', element.registrationLife);
  writeTransport(writer, element.userTransport, 'any');
  if (element.mappings !== undefined) writeMappings(writer, element.mappings);
  for (const extension of element.extensions ?? []) writeExtension(writer, extension);
  if (element.policy !== undefined) writePolicy(writer, element.policy);
  if (element.asapTransport !== undefined) writeTransport(writer, element.asapTransport, 'sctpOrTcp');
  writer.close(mark);
}

function writeExtension(writer: ParameterWriter, extension: Uint8Array): void {
  const type = ((extension[0] ?? 0) << 8) | (extension[1] ?? 0);
  const length = ((extension[2] ?? 0) << 8) | (extension[3] ?? 0);
  if (length < 4 || padded(length) !== extension.length) {
    throw new RangeError('an extension must be one whole parameter with its padding');
  }
  if (type < 0x8000 || type === parameterType.mapping) {
    throw new RangeError(`parameter type 0x${type.toString(16)} cannot be an extension`);
  }
  writer.align();
  writer.raw(extension.subarray(0, length));
}

/** A Pool Element parameter without its padding: for messages that hold it again and again. */
export function encodePoolElement(element: PoolElement): Uint8Array {
  return compose((writer) => writePoolElement(writer, element));
}

/** Bytes that a Pool Element takes in a message, with its padding: for filling messages up to their limit. */
export function poolElementSize(element: PoolElement): number {
  return measure((writer) => writePoolElement(writer, element));
}

/**
 * Whether an element takes more than `size` bytes in a message, 256 or more. The usual ones, of one address for each
 * transport and nothing else of any length, are not measured: tables list them by the thousand.
 */
export function isLargerThan(element: PoolElement, size: number): boolean {
  const { userTransport, asapTransport, mappings, extensions, policy } = element;
  if (mappings === undefined && extensions === undefined && policy?.type !== 'other') {
    if (hasOneAddress(userTransport) && (asapTransport === undefined || hasOneAddress(asapTransport))) return false;
  }
  return poolElementSize(element) > size;
}

function hasOneAddress({ type }: Transport): boolean {
  return type !== 'sctp' && type !== 'opaque';
}
