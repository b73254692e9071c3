/**
 * The ENRP messages (RFC 5353 section 2). All begin with the header of message-frame.ts and two identifiers:
 *
 *    +---------------+---------------+-------------------------------+
 *    | Message Type  | Message Flags | Message Length                |
 *    +---------------+---------------+-------------------------------+
 *    | Sending Server's ID                                           |
 *    +---------------------------------------------------------------+
 *    | Receiving Server's ID (0: to none in particular)              |
 *    +---------------------------------------------------------------+
 *
 * What follows; [x] is optional and x* repeated:
 *
 *    0x01 PRESENCE               0x01: reply required       [PE Checksum], [Server Information]
 *    0x02 HANDLE_TABLE_REQUEST   0x01: W                    nothing
 *    0x03 HANDLE_TABLE_RESPONSE  0x01: R, 0x02: M           (Pool Handle, Pool Element* (one at least))*
 *    0x04 HANDLE_UPDATE          0x01: takeover suggested   Update Action, Pool Handle, Pool Element
 *    0x05 LIST_REQUEST           flags 0                    nothing
 *    0x06 LIST_RESPONSE          0x01: R                    Server Information*
 *    0x07 INIT_TAKEOVER          flags 0                    Targeting Server's ID (u32)
 *    0x08 INIT_TAKEOVER_ACK      flags 0                    Targeting Server's ID (u32)
 *    0x09 TAKEOVER_SERVER        flags 0                    Targeting Server's ID (u32)
 *    0x0a ERROR                  flags 0                    Operation Error
 *
 * The Update Action of 0x04:
 *
 *    +-------------------------------+-------------------------------+
 *    | 0: ADD_PE, 1: DEL_PE          | reserved                      |
 *    +-------------------------------+-------------------------------+
 *
 * The flags of 0x01 and 0x04 are those of the reference implementation; RFC 5353 names the first and draws neither.
 */

import type { Decoded } from './decoded.js';
import { defaultWireLimits, type WireLimits } from './limits.js';
import { decodeMessage, encodeMessage } from './message-frame.js';
import type { EnrpMessage, HandleUpdate, PoolEntry, Presence } from './messages.js';
import { writeOperationError } from './operation-error.js';
import type { ParameterReader } from './parameter-reader.js';
import { type Grammar, grammar, readParameters } from './parameter-set.js';
import { parameterType } from './parameter-type.js';
import type { ParameterWriter } from './parameter-writer.js';
import type { PoolElement, PoolHandle } from './parameters.js';
import { writePeChecksum } from './pe-checksum.js';
import { readPoolElement, writePoolElement } from './pool-element.js';
import { readPoolHandle, writePoolHandle } from './pool-handle.js';
import { writeServerInformation } from './server-information.js';

/** ENRP message types (RFC 5353 section 2, Figure 1). */
export const enrpMessageType = {
  presence: 0x01,
  handleTableRequest: 0x02,
  handleTableResponse: 0x03,
  handleUpdate: 0x04,
  listRequest: 0x05,
  listResponse: 0x06,
  initTakeover: 0x07,
  initTakeoverAck: 0x08,
  takeoverServer: 0x09,
  enrpError: 0x0a,
} as const;

const grammars = {
  presence: grammar('RFC 5353 section 2.1', [], ['peChecksum', 'serverInformation']),
  handleTableRequest: grammar('RFC 5353 section 2.2', []),
  handleUpdate: grammar('RFC 5353 section 2.4', ['poolHandle', 'poolElement']),
  listRequest: grammar('RFC 5353 section 2.5', []),
  listResponse: grammar('RFC 5353 section 2.6', [], [], ['serverInformation']),
  initTakeover: grammar('RFC 5353 section 2.7', []),
  initTakeoverAck: grammar('RFC 5353 section 2.8', []),
  takeoverServer: grammar('RFC 5353 section 2.9', []),
  enrpError: grammar('RFC 5353 section 2.10', ['operationError']),
} as const satisfies Partial<Record<EnrpMessage['type'], Grammar>>;

/**
 * Decodes one ENRP message: exactly `bytes`, with its padding or without. Never throws; holds on to nothing of `bytes`.
 * Bytes after the message are a protocol error (a stream is cut into messages by MessageFramer).
 */
export function decodeEnrp(bytes: Uint8Array, limits: WireLimits = defaultWireLimits): Decoded<EnrpMessage> {
  return decodeMessage(bytes, limits, readBody);
}

function readBody(reader: ParameterReader, type: number, flags: number, end: number): EnrpMessage | undefined {
  // An unknown type is unknown whatever its length.
  if (type < enrpMessageType.presence || type > enrpMessageType.enrpError) return undefined;
  if (end < 12) throw reader.invalid(4, 'RFC 5353 section 2', 'server identifiers are missing');
  const senderId = reader.view.getUint32(4);
  const receiverId = reader.view.getUint32(8);
  const flag = (flags & 0x01) !== 0;
  switch (type) {
    case enrpMessageType.presence:
      return readPresence(reader, senderId, receiverId, flag, end);
    case enrpMessageType.handleTableRequest:
      readParameters(reader, 12, end, grammars.handleTableRequest);
      return { type: 'handleTableRequest', senderId, receiverId, ownChildrenOnly: flag };
    case enrpMessageType.handleTableResponse: {
      const moreToSend = (flags & 0x02) !== 0;
      const poolEntries = readPoolEntries(reader, 12, end);
      return { type: 'handleTableResponse', senderId, receiverId, moreToSend, rejected: flag, poolEntries };
    }
    case enrpMessageType.handleUpdate:
      return readHandleUpdate(reader, senderId, receiverId, flag, end);
    case enrpMessageType.listRequest:
      readParameters(reader, 12, end, grammars.listRequest);
      return { type: 'listRequest', senderId, receiverId };
    case enrpMessageType.listResponse: {
      const { servers } = readParameters(reader, 12, end, grammars.listResponse);
      return { type: 'listResponse', senderId, receiverId, rejected: flag, servers };
    }
    case enrpMessageType.initTakeover:
      return { type: 'initTakeover', senderId, receiverId, targetId: readTargetId(reader, end, grammars.initTakeover) };
    case enrpMessageType.initTakeoverAck: {
      const targetId = readTargetId(reader, end, grammars.initTakeoverAck);
      return { type: 'initTakeoverAck', senderId, receiverId, targetId };
    }
    case enrpMessageType.takeoverServer: {
      const targetId = readTargetId(reader, end, grammars.takeoverServer);
      return { type: 'takeoverServer', senderId, receiverId, targetId };
    }
    default: {
      const { errors } = readParameters(reader, 12, end, grammars.enrpError);
      return { type: 'enrpError', senderId, receiverId, errors };
    }
  }
}

function readPresence(
  reader: ParameterReader,
  senderId: number,
  receiverId: number,
  replyRequired: boolean,
  end: number,
): Presence {
  const { peChecksum, servers } = readParameters(reader, 12, end, grammars.presence);
  const [serverInformation] = servers;
  return {
    type: 'presence',
    senderId,
    receiverId,
    replyRequired,
    ...(peChecksum === undefined ? undefined : { peChecksum }),
    ...(serverInformation === undefined ? undefined : { serverInformation }),
  };
}

function readHandleUpdate(
  reader: ParameterReader,
  senderId: number,
  receiverId: number,
  takeoverSuggested: boolean,
  end: number,
): HandleUpdate | undefined {
  const { section } = grammars.handleUpdate;
  if (end < 16) throw reader.invalid(12, section, 'no Update Action');
  const action = reader.view.getUint16(12);
  if (action > 1) throw reader.invalid(12, section, `Update Action ${action} is not 0 or 1`);
  const { poolHandle, poolElements } = readParameters(reader, 16, end, grammars.handleUpdate);
  // The grammar has seen to it that there is one.
  const [poolElement] = poolElements;
  return (
    poolElement && {
      type: 'handleUpdate',
      senderId,
      receiverId,
      takeoverSuggested,
      action: action === 0 ? 'addPe' : 'delPe',
      poolHandle,
      poolElement,
    }
  );
}

/** Here order counts: each Pool Handle is followed by its Pool Elements. */
function readPoolEntries(reader: ParameterReader, start: number, end: number): PoolEntry[] {
  const section = 'RFC 5353 section 2.3';
  const entries: { poolHandle: PoolHandle; poolElements: PoolElement[] }[] = [];
  let current: PoolElement[] | undefined;
  let offset = start;
  while (offset < end) {
    const length = reader.parameterLength(offset, end);
    switch (reader.view.getUint16(offset)) {
      case parameterType.poolHandle:
        if (current?.length === 0) throw reader.invalid(offset, section, 'a pool entry without a Pool Element');
        current = [];
        entries.push({ poolHandle: readPoolHandle(reader, offset, length), poolElements: current });
        break;
      case parameterType.poolElement:
        if (current === undefined) {
          throw reader.invalid(offset, section, 'a Pool Element before any Pool Handle', offset, offset + length);
        }
        current.push(readPoolElement(reader, offset, length));
        break;
      default:
        reader.unrecognized(offset, length);
    }
    offset = reader.next(offset, length, end);
  }
  if (current?.length === 0) throw reader.invalid(end, section, 'a pool entry without a Pool Element');
  return entries;
}

function readTargetId(reader: ParameterReader, end: number, grammar: Grammar): number {
  if (end < 16) throw reader.invalid(12, grammar.section, "no Targeting Server's ID");
  readParameters(reader, 16, end, grammar);
  return reader.view.getUint32(12);
}

/**
 * Encodes an ENRP message, with its padding. Throws for the caller's mistakes only: a RangeError if a number, address
 * or list is not what the wire can carry, ERR_RSERPOOL_MESSAGE_TOO_LARGE above 65,535 bytes.
 */
export function encodeEnrp(message: EnrpMessage): Uint8Array {
  return encodeMessage(enrpMessageType[message.type], flagsOf(message), (writer) => {
    writer.u32('sender identifier', message.senderId);
    writer.u32('receiver identifier', message.receiverId);
    writeBody(writer, message);
  });
}

/** The flags of a Handle Table Response: R and M. */
export function tableFlags(rejected: boolean, moreToSend: boolean): number {
  return (rejected ? 0x01 : 0) | (moreToSend ? 0x02 : 0);
}

function flagsOf(message: EnrpMessage): number {
  switch (message.type) {
    case 'presence':
      return message.replyRequired ? 0x01 : 0;
    case 'handleTableRequest':
      return message.ownChildrenOnly ? 0x01 : 0;
    case 'handleTableResponse':
      return tableFlags(message.rejected, message.moreToSend);
    case 'handleUpdate':
      return message.takeoverSuggested ? 0x01 : 0;
    case 'listResponse':
      return message.rejected ? 0x01 : 0;
    default:
      return 0;
  }
}

function writeBody(writer: ParameterWriter, message: EnrpMessage): void {
  switch (message.type) {
    case 'presence':
      if (message.peChecksum !== undefined) writePeChecksum(writer, message.peChecksum);
      if (message.serverInformation !== undefined) writeServerInformation(writer, message.serverInformation);
      return;
    case 'handleTableRequest':
    case 'listRequest':
      return;
    case 'handleTableResponse':
      for (const entry of message.poolEntries) writePoolEntry(writer, entry);
      return;
    case 'handleUpdate':
      writer.u16('update action', message.action === 'addPe' ? 0 : 1);
      writer.u16('reserved', 0);
      writePoolHandle(writer, message.poolHandle);
      writePoolElement(writer, message.poolElement);
      return;
    case 'listResponse':
      for (const server of message.servers) writeServerInformation(writer, server);
      return;
    case 'initTakeover':
    case 'initTakeoverAck':
    case 'takeoverServer':
      writer.u32('target identifier', message.targetId);
      return;
    case 'enrpError':
      writeOperationError(writer, message.errors);
      return;
  }
}

function writePoolEntry(writer: ParameterWriter, entry: PoolEntry): void {
  if (entry.poolElements.length === 0) throw new RangeError('a pool entry needs a pool element');
  writePoolHandle(writer, entry.poolHandle);
  for (const element of entry.poolElements) writePoolElement(writer, element);
}
