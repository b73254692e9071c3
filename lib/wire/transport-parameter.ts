/**
 * The six transports (RFC 5354 sections 3.3 to 3.7 and 3.16). SCTP:
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x4                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    | SCTP Port                     | Transport Use (0 or 1)        |
 *    +-------------------------------+-------------------------------+
 *    : IPv4 or IPv6 Address #1 to #n                                 :
 *    +---------------------------------------------------------------+
 *
 * TCP (0x5), UDP (0x6) and UDP-Lite (0x7) have zeros in place of the use and one address. DCCP:
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x3                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    | DCCP Port                     | reserved                      |
 *    +-------------------------------+-------------------------------+
 *    | DCCP Service Code                                             |
 *    +---------------------------------------------------------------+
 *    : IPv4 or IPv6 Address                                          :
 *    +---------------------------------------------------------------+
 *
 * Opaque Transport (0x10) is arbitrary bytes after the header.
 */

import { readAddress, writeAddress } from './address.js';
import type { ParameterReader } from './parameter-reader.js';
import { isTransportType, parameterName, parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';
import type { SctpTransport, SingleAddressTransport, Transport } from './parameters.js';

/** Which transports may stand somewhere: any, or SCTP and (our extension in places) TCP. */
export type TransportChoice = 'any' | 'sctpOrTcp';

/**
 * Reads the parameter at `offset`: a transport, or undefined if it is one that is not recognised and to be skipped.
 * A transport that `choice` does not allow is a protocol error by `section`.
 */
export function readTransport(
  reader: ParameterReader,
  offset: number,
  length: number,
  choice: TransportChoice,
  section: string,
): Transport | undefined {
  const type = reader.view.getUint16(offset);
  if (!isTransportType(type)) {
    reader.unrecognized(offset, length);
    return undefined;
  }
  if (choice === 'sctpOrTcp' && type !== parameterType.sctpTransport && type !== parameterType.tcpTransport) {
    throw reader.invalid(offset, section, `${parameterName(type)} is not allowed here`, offset, offset + length);
  }
  switch (type) {
    case parameterType.sctpTransport:
      return readSctp(reader, offset, length);
    case parameterType.tcpTransport:
      return readSingleAddress(reader, offset, length, 'tcp', 'RFC 5354 section 3.5');
    case parameterType.udpTransport:
      return readSingleAddress(reader, offset, length, 'udp', 'RFC 5354 section 3.6');
    case parameterType.udpLiteTransport:
      return readSingleAddress(reader, offset, length, 'udpLite', 'RFC 5354 section 3.7');
    case parameterType.dccpTransport: {
      reader.expectRoom(offset, length, 12, 'RFC 5354 section 3.3');
      const port = reader.view.getUint16(offset + 4);
      const serviceCode = reader.view.getUint32(offset + 8);
      const address = readOnlyAddress(reader, offset, length, 12, 'RFC 5354 section 3.3');
      return { type: 'dccp', port, serviceCode, address };
    }
    default:
      return { type: 'opaque', data: reader.copyValue(offset, length) };
  }
}

function readSctp(reader: ParameterReader, offset: number, length: number): SctpTransport {
  const section = 'RFC 5354 section 3.4';
  reader.expectRoom(offset, length, 8, section);
  const port = reader.view.getUint16(offset + 4);
  const use = reader.view.getUint16(offset + 6);
  if (use > 1) throw reader.invalid(offset + 6, section, `Transport Use ${use} is not 0 or 1`, offset, offset + length);
  const addresses = readAddresses(reader, offset, length, 8, section);
  return { type: 'sctp', port, use: use === 1 ? 'dataPlusControl' : 'dataOnly', addresses };
}

function readSingleAddress(
  reader: ParameterReader,
  offset: number,
  length: number,
  type: SingleAddressTransport['type'],
  section: string,
): SingleAddressTransport {
  reader.expectRoom(offset, length, 8, section);
  const port = reader.view.getUint16(offset + 4);
  return { type, port, address: readOnlyAddress(reader, offset, length, 8, section) };
}

function readOnlyAddress(
  reader: ParameterReader,
  offset: number,
  length: number,
  skip: number,
  section: string,
): string {
  const [address, second] = readAddresses(reader, offset, length, skip, section);
  if (address === undefined || second !== undefined) {
    throw reader.invalid(offset, section, 'more than one address', offset, offset + length);
  }
  return address;
}

/** The addresses inside the transport at `offset`, after its `skip` bytes of fixed fields: one at least. */
function readAddresses(
  reader: ParameterReader,
  transport: number,
  length: number,
  skip: number,
  section: string,
): string[] {
  const addresses: string[] = [];
  const end = transport + length;
  let offset = transport + skip;
  while (offset < end) {
    const addressLength = reader.parameterLength(offset, end);
    const address = readAddress(reader, offset, addressLength);
    if (address !== undefined) {
      if (addresses.length === reader.limits.maxAddresses) {
        throw reader.overLimit(offset, `more than ${reader.limits.maxAddresses} addresses in one transport`);
      }
      addresses.push(address);
    }
    offset = reader.next(offset, addressLength, end);
  }
  if (addresses.length === 0) throw reader.invalid(transport, section, 'no address', transport, end);
  return addresses;
}

const singleAddressType = {
  tcp: parameterType.tcpTransport,
  udp: parameterType.udpTransport,
  udpLite: parameterType.udpLiteTransport,
} as const;

/** Writes a transport; a RangeError if `choice` does not allow it, or a port, use or address is not one. */
export function writeTransport(writer: ParameterWriter, transport: Transport, choice: TransportChoice): void {
  if (choice === 'sctpOrTcp' && transport.type !== 'sctp' && transport.type !== 'tcp') {
    throw new RangeError(`only an SCTP or TCP transport is allowed here, not ${transport.type}`);
  }
  switch (transport.type) {
    case 'sctp':
      writeSctp(writer, transport);
      return;
    case 'tcp':
    case 'udp':
    case 'udpLite': {
      const mark = writer.open(singleAddressType[transport.type]);
      writer.u16('port', transport.port);
      writer.u16('reserved', 0);
      writeAddress(writer, transport.address);
      writer.close(mark);
      return;
    }
    case 'dccp': {
      const mark = writer.open(parameterType.dccpTransport);
      writer.u16('port', transport.port);
      writer.u16('reserved', 0);
      writer.u32('serviceCode', transport.serviceCode);
      writeAddress(writer, transport.address);
      writer.close(mark);
      return;
    }
    case 'opaque': {
      const mark = writer.open(parameterType.opaqueTransport);
      writer.raw(transport.data);
      writer.close(mark);
      return;
    }
  }
}

function writeSctp(writer: ParameterWriter, transport: SctpTransport): void {
  if (transport.addresses.length === 0) throw new RangeError('an SCTP transport needs an address');
  const mark = writer.open(parameterType.sctpTransport);
  writer.u16('port', transport.port);
  writer.u16('transport use', transport.use === 'dataPlusControl' ? 1 : 0);
  for (const address of transport.addresses) writeAddress(writer, address);
  writer.close(mark);
}
