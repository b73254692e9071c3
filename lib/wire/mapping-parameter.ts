/**
 * Mapping (docs/mappings.md): which RSerPool mappings an element offers and where. It stands inside Pool Element,
 * and its type says "skip" (bits 10) to those who do not know it.
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x8253                 | Length                        |
 *    +---------------+---------------+-------------------------------+
 *    | Mapping       | Version       | Entry Length (multiple of 4)  |
 *    +---------------+---------------+-------------------------------+
 *    : one or more transports, each with its padding                 :
 *    +---------------+---------------+-------------------------------+
 *    : further entries                                               :
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';
import type { MappingOffer, Transport } from './parameters.js';
import { readTransport, writeTransport } from './transport-parameter.js';

const section = 'docs/mappings.md, Mapping parameter';

/** Reads the Mapping parameter at `offset`; a malformed one is a protocol error. */
export function readMappings(reader: ParameterReader, offset: number, length: number): MappingOffer[] {
  const end = offset + length;
  const offers: MappingOffer[] = [];
  let entry = offset + 4;
  while (entry < end) {
    if (end - entry < 4) throw reader.invalid(entry, section, 'an entry is cut off', offset, end);
    const entryLength = reader.view.getUint16(entry + 2);
    if (entryLength < 4 || entryLength % 4 !== 0 || entryLength > end - entry) {
      throw reader.invalid(entry, section, `Entry Length ${entryLength} is not possible`, offset, end);
    }
    const transports = readTransports(reader, entry + 4, entry + entryLength);
    if (transports.length === 0) throw reader.invalid(entry, section, 'an entry has no transport', offset, end);
    checkCount(reader, entry, offers.length, 'entries');
    offers.push({ mapping: reader.view.getUint8(entry), version: reader.view.getUint8(entry + 1), transports });
    entry += entryLength;
  }
  if (offers.length === 0) throw reader.invalid(offset, section, 'no entry', offset, end);
  return offers;
}

function readTransports(reader: ParameterReader, start: number, end: number): Transport[] {
  const transports: Transport[] = [];
  let offset = start;
  while (offset < end) {
    const length = reader.parameterLength(offset, end);
    const transport = readTransport(reader, offset, length, 'any', section);
    if (transport !== undefined) {
      checkCount(reader, offset, transports.length, 'transports');
      transports.push(transport);
    }
    offset = reader.next(offset, length, end);
  }
  return transports;
}

function checkCount(reader: ParameterReader, offset: number, count: number, what: string): void {
  const most = reader.limits.maxMappings;
  if (count === most) throw reader.overLimit(offset, `more than ${most} ${what} in a Mapping`);
}

/** Writes a Mapping parameter; a RangeError if there is no entry, or one without a transport. */
export function writeMappings(writer: ParameterWriter, offers: readonly MappingOffer[]): void {
  if (offers.length === 0) throw new RangeError('a Mapping parameter needs an entry');
  const mark = writer.open(parameterType.mapping);
  for (const offer of offers) {
    if (offer.transports.length === 0) throw new RangeError('a mapping needs a transport');
    // An entry's Length stands where a parameter's does, so that `close` fills it in.
    const entry = writer.length;
    writer.u8('mapping', offer.mapping);
    writer.u8('version', offer.version);
    writer.u16('entry length', 0);
    for (const transport of offer.transports) writeTransport(writer, transport, 'any');
    writer.align();
    writer.close(entry);
  }
  writer.close(mark);
}
