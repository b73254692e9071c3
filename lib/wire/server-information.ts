/**
 * Server Information (RFC 5354 section 3.11):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0xb                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    | Server ID                                                     |
 *    +---------------------------------------------------------------+
 *    : Server Transport (SCTP; TCP is our extension)                 :
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { isTransportType, parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';
import type { ServerInformation, Transport } from './parameters.js';
import { readTransport, writeTransport } from './transport-parameter.js';

const section = 'RFC 5354 section 3.11';

/** Reads the Server Information parameter at `offset`. */
export function readServerInformation(reader: ParameterReader, offset: number, length: number): ServerInformation {
  reader.expectRoom(offset, length, 8, section);
  const end = offset + length;
  let transport: Transport | undefined;
  let at = offset + 8;
  while (at < end) {
    const partLength = reader.parameterLength(at, end);
    if (isTransportType(reader.view.getUint16(at)) && transport === undefined) {
      transport = readTransport(reader, at, partLength, 'sctpOrTcp', section);
    } else {
      reader.unrecognized(at, partLength);
    }
    at = reader.next(at, partLength, end);
  }
  if (transport === undefined) throw reader.invalid(offset, section, 'no Server Transport', offset, end);
  return { serverId: reader.view.getUint32(offset + 4), transport };
}

/** Writes a Server Information parameter; a RangeError unless its transport is SCTP or TCP. */
export function writeServerInformation(writer: ParameterWriter, server: ServerInformation): void {
  const mark = writer.open(parameterType.serverInformation);
  writer.u32('server identifier', server.serverId);
  writeTransport(writer, server.transport, 'sctpOrTcp');
  writer.close(mark);
}
