/**
 * The ASAP messages (RFC 5352 section 2.2). All begin with the header of message-frame.ts; the parameters that follow
 * are read in any order and written in the order of the RFC. In the diagrams [x] is optional and x* repeated.
 *
 *    0x01 REGISTRATION                flags 0   Pool Handle, Pool Element
 *    0x02 DEREGISTRATION              flags 0   Pool Handle, PE Identifier
 *    0x03 REGISTRATION_RESPONSE       0x01: R   Pool Handle, PE Identifier, [Operation Error]
 *    0x04 DEREGISTRATION_RESPONSE     flags 0   Pool Handle, PE Identifier, [Operation Error]
 *    0x05 HANDLE_RESOLUTION           0x01: S   Pool Handle, [Elements Wanted], [Selection Hint]
 *    0x06 HANDLE_RESOLUTION_RESPONSE  0x01: A   Pool Handle, [Policy], Pool Element*, [Operation Error]
 *    0x07 ENDPOINT_KEEP_ALIVE         0x01: H   Server Identifier (u32), Pool Handle, [PE Identifier]
 *    0x08 ENDPOINT_KEEP_ALIVE_ACK     flags 0   Pool Handle, PE Identifier
 *    0x09 ENDPOINT_UNREACHABLE        flags 0   Pool Handle, PE Identifier
 *    0x0a SERVER_ANNOUNCE             flags 0   Server Identifier (u32), SCTP or TCP Transport*
 *    0x0b COOKIE                      flags 0   Cookie
 *    0x0c COOKIE_ECHO                 flags 0   Cookie
 *    0x0d BUSINESS_CARD               flags 0   Pool Handle, Pool Element* (one at least)
 *    0x0e ERROR                       flags 0   Operation Error
 *
 * Two of them have a fixed field before their parameters:
 *
 *    +---------------+---------------+-------------------------------+
 *    | 0x07 or 0x0a  |0 0 0 0 0 0 0|H| Message Length                |
 *    +---------------+---------------+-------------------------------+
 *    | Server Identifier                                             |
 *    +---------------------------------------------------------------+
 *    : parameters                                                    :
 *    +---------------------------------------------------------------+
 *
 * Flags that are not named are zero when sent and ignored when received.
 */

import { writeCookie } from './cookie.js';
import type { Decoded } from './decoded.js';
import { writeElementsWanted } from './elements-wanted.js';
import { defaultWireLimits, type WireLimits } from './limits.js';
import { decodeMessage, encodeMessage } from './message-frame.js';
import type { AsapMessage, BusinessCard, HandleResolutionResponse } from './messages.js';
import { writeOperationError } from './operation-error.js';
import type { ParameterReader } from './parameter-reader.js';
import { type Grammar, grammar, readParameters } from './parameter-set.js';
import type { ParameterWriter } from './parameter-writer.js';
import type { ErrorCause, PoolHandle } from './parameters.js';
import { writePeIdentifier } from './pe-identifier.js';
import { writePolicy } from './policy-parameter.js';
import { writePoolElement } from './pool-element.js';
import { writePoolHandle } from './pool-handle.js';
import { writeSelectionHint } from './selection-hint.js';
import { writeTransport } from './transport-parameter.js';

/** ASAP message types (RFC 5352 section 2.2, Figure 1). */
export const asapMessageType = {
  registration: 0x01,
  deregistration: 0x02,
  registrationResponse: 0x03,
  deregistrationResponse: 0x04,
  handleResolution: 0x05,
  handleResolutionResponse: 0x06,
  endpointKeepAlive: 0x07,
  endpointKeepAliveAck: 0x08,
  endpointUnreachable: 0x09,
  serverAnnounce: 0x0a,
  cookie: 0x0b,
  cookieEcho: 0x0c,
  businessCard: 0x0d,
  asapError: 0x0e,
} as const;

const grammars = {
  registration: grammar('RFC 5352 section 2.2.1', ['poolHandle', 'poolElement']),
  deregistration: grammar('RFC 5352 section 2.2.2', ['poolHandle', 'peIdentifier']),
  registrationResponse: grammar('RFC 5352 section 2.2.3', ['poolHandle', 'peIdentifier'], ['operationError']),
  deregistrationResponse: grammar('RFC 5352 section 2.2.4', ['poolHandle', 'peIdentifier'], ['operationError']),
  handleResolution: grammar('RFC 5352 section 2.2.5', ['poolHandle'], ['elementsWanted', 'selectionHint']),
  handleResolutionResponse: grammar(
    'RFC 5352 section 2.2.6',
    ['poolHandle'],
    ['policy', 'operationError'],
    ['poolElement'],
  ),
  endpointKeepAlive: grammar('RFC 5352 section 2.2.7', ['poolHandle'], ['peIdentifier']),
  endpointKeepAliveAck: grammar('RFC 5352 section 2.2.8', ['poolHandle', 'peIdentifier']),
  endpointUnreachable: grammar('RFC 5352 section 2.2.9', ['poolHandle', 'peIdentifier']),
  serverAnnounce: grammar('RFC 5352 section 2.2.10', [], [], ['transports']),
  cookie: grammar('RFC 5352 section 2.2.11', ['cookie']),
  cookieEcho: grammar('RFC 5352 section 2.2.12', ['cookie']),
  businessCard: grammar('RFC 5352 section 2.2.13', ['poolHandle', 'poolElement'], [], ['poolElement']),
  asapError: grammar('RFC 5352 section 2.2.14', ['operationError']),
} as const satisfies Record<AsapMessage['type'], Grammar>;

/**
 * Decodes one ASAP message: exactly `bytes`, with its padding or without. Never throws; holds on to nothing of `bytes`.
 * Bytes after the message are a protocol error (a stream is cut into messages by MessageFramer).
 */
export function decodeAsap(bytes: Uint8Array, limits: WireLimits = defaultWireLimits): Decoded<AsapMessage> {
  return decodeMessage(bytes, limits, readBody);
}

function readBody(reader: ParameterReader, type: number, flags: number, end: number): AsapMessage | undefined {
  const flag = (flags & 0x01) !== 0;
  switch (type) {
    case asapMessageType.registration: {
      const { poolHandle, poolElements } = readParameters(reader, 4, end, grammars.registration);
      // The grammar has seen to it that there is one.
      const [poolElement] = poolElements;
      return poolElement && { type: 'registration', poolHandle, poolElement };
    }
    case asapMessageType.deregistration:
      return { type: 'deregistration', ...readElementName(reader, end, grammars.deregistration) };
    case asapMessageType.registrationResponse: {
      const set = readParameters(reader, 4, end, grammars.registrationResponse);
      const { poolHandle, peIdentifier, errors } = set;
      return { type: 'registrationResponse', rejected: flag, poolHandle, peIdentifier, errors };
    }
    case asapMessageType.deregistrationResponse: {
      const set = readParameters(reader, 4, end, grammars.deregistrationResponse);
      const { poolHandle, peIdentifier, errors } = set;
      return { type: 'deregistrationResponse', poolHandle, peIdentifier, errors };
    }
    case asapMessageType.handleResolution: {
      const set = readParameters(reader, 4, end, grammars.handleResolution);
      const { poolHandle, elementsWanted, selectionHint: hint } = set;
      if (hint !== undefined) {
        const message = { type: 'handleResolution', subscribe: flag, poolHandle, hint } as const;
        return elementsWanted === undefined ? message : { ...message, elementsWanted };
      }
      return elementsWanted === undefined
        ? { type: 'handleResolution', subscribe: flag, poolHandle }
        : { type: 'handleResolution', subscribe: flag, poolHandle, elementsWanted };
    }
    case asapMessageType.handleResolutionResponse: {
      const set = readParameters(reader, 4, end, grammars.handleResolutionResponse);
      const { poolHandle, policy, poolElements, errors } = set;
      return policy === undefined
        ? { type: 'handleResolutionResponse', accepted: flag, poolHandle, poolElements, errors }
        : { type: 'handleResolutionResponse', accepted: flag, poolHandle, policy, poolElements, errors };
    }
    case asapMessageType.endpointKeepAlive: {
      const serverId = readServerId(reader, end, grammars.endpointKeepAlive);
      const { poolHandle, peIdentifier, hasPeIdentifier } = readParameters(reader, 8, end, grammars.endpointKeepAlive);
      return hasPeIdentifier
        ? { type: 'endpointKeepAlive', home: flag, serverId, poolHandle, peIdentifier }
        : { type: 'endpointKeepAlive', home: flag, serverId, poolHandle };
    }
    case asapMessageType.endpointKeepAliveAck:
      return { type: 'endpointKeepAliveAck', ...readElementName(reader, end, grammars.endpointKeepAliveAck) };
    case asapMessageType.endpointUnreachable:
      return { type: 'endpointUnreachable', ...readElementName(reader, end, grammars.endpointUnreachable) };
    case asapMessageType.serverAnnounce: {
      const serverId = readServerId(reader, end, grammars.serverAnnounce);
      const { transports } = readParameters(reader, 8, end, grammars.serverAnnounce);
      return { type: 'serverAnnounce', serverId, transports };
    }
    case asapMessageType.cookie:
      return { type: 'cookie', cookie: readParameters(reader, 4, end, grammars.cookie).cookie };
    case asapMessageType.cookieEcho:
      return { type: 'cookieEcho', cookie: readParameters(reader, 4, end, grammars.cookieEcho).cookie };
    case asapMessageType.businessCard: {
      const { poolHandle, poolElements } = readParameters(reader, 4, end, grammars.businessCard);
      return { type: 'businessCard', poolHandle, poolElements };
    }
    case asapMessageType.asapError:
      return { type: 'asapError', errors: readParameters(reader, 4, end, grammars.asapError).errors };
    default:
      return undefined;
  }
}

interface ElementName {
  readonly poolHandle: PoolHandle;
  readonly peIdentifier: number;
}

function readElementName(reader: ParameterReader, end: number, grammar: Grammar): ElementName {
  const { poolHandle, peIdentifier } = readParameters(reader, 4, end, grammar);
  return { poolHandle, peIdentifier };
}

function readServerId(reader: ParameterReader, end: number, grammar: Grammar): number {
  if (end < 8) throw reader.invalid(4, grammar.section, 'no Server Identifier');
  return reader.view.getUint32(4);
}

/**
 * Encodes an ASAP message, with its padding. Throws for the caller's mistakes only: a RangeError if a number, address
 * or list is not what the wire can carry, ERR_RSERPOOL_MESSAGE_TOO_LARGE above 65,535 bytes.
 */
export function encodeAsap(message: AsapMessage): Uint8Array {
  return encodeMessage(asapMessageType[message.type], flagsOf(message), (writer) => writeBody(writer, message));
}

/** A Handle Resolution Response whose elements are encoded already. */
export interface EncodedAnswer extends Omit<HandleResolutionResponse, 'type' | 'accepted' | 'poolElements'> {
  /** Pool Element parameters without their padding. */
  readonly poolElements: readonly Uint8Array[];
}

/** As `encodeAsap`: for registrars, whose answers hold the same elements again and again. */
export function encodeAnswer(answer: EncodedAnswer, accepted: boolean): Uint8Array {
  return encodeMessage(asapMessageType.handleResolutionResponse, accepted ? 0x01 : 0, (writer) => {
    writePoolHandle(writer, answer.poolHandle);
    if (answer.policy !== undefined) writePolicy(writer, answer.policy);
    for (const element of answer.poolElements) {
      writer.align();
      writer.raw(element);
    }
    writeErrors(writer, answer.errors);
  });
}

function flagsOf(message: AsapMessage): number {
  switch (message.type) {
    case 'registrationResponse':
      return message.rejected ? 0x01 : 0;
    case 'handleResolution':
      return message.subscribe ? 0x01 : 0;
    case 'handleResolutionResponse':
      return message.accepted ? 0x01 : 0;
    case 'endpointKeepAlive':
      return message.home ? 0x01 : 0;
    default:
      return 0;
  }
}

function writeBody(writer: ParameterWriter, message: AsapMessage): void {
  switch (message.type) {
    case 'registration':
      writePoolHandle(writer, message.poolHandle);
      writePoolElement(writer, message.poolElement);
      return;
    case 'deregistration':
    case 'endpointKeepAliveAck':
    case 'endpointUnreachable':
      writeElementName(writer, message);
      return;
    case 'registrationResponse':
    case 'deregistrationResponse':
      writeElementName(writer, message);
      writeErrors(writer, message.errors);
      return;
    case 'handleResolution':
      writePoolHandle(writer, message.poolHandle);
      if (message.elementsWanted !== undefined) writeElementsWanted(writer, message.elementsWanted);
      if (message.hint !== undefined) writeSelectionHint(writer, message.hint);
      return;
    case 'handleResolutionResponse':
      writeHandleResolutionResponse(writer, message);
      return;
    case 'endpointKeepAlive':
      writer.u32('server identifier', message.serverId);
      writePoolHandle(writer, message.poolHandle);
      if (message.peIdentifier !== undefined) writePeIdentifier(writer, message.peIdentifier);
      return;
    case 'serverAnnounce':
      writer.u32('server identifier', message.serverId);
      for (const transport of message.transports) writeTransport(writer, transport, 'sctpOrTcp');
      return;
    case 'cookie':
    case 'cookieEcho':
      writeCookie(writer, message.cookie);
      return;
    case 'businessCard':
      writeBusinessCard(writer, message);
      return;
    case 'asapError':
      writeOperationError(writer, message.errors);
      return;
  }
}

function writeElementName(writer: ParameterWriter, name: ElementName): void {
  writePoolHandle(writer, name.poolHandle);
  writePeIdentifier(writer, name.peIdentifier);
}

function writeErrors(writer: ParameterWriter, errors: readonly ErrorCause[]): void {
  if (errors.length > 0) writeOperationError(writer, errors);
}

function writeHandleResolutionResponse(writer: ParameterWriter, message: HandleResolutionResponse): void {
  writePoolHandle(writer, message.poolHandle);
  if (message.policy !== undefined) writePolicy(writer, message.policy);
  for (const element of message.poolElements) writePoolElement(writer, element);
  writeErrors(writer, message.errors);
}

function writeBusinessCard(writer: ParameterWriter, message: BusinessCard): void {
  if (message.poolElements.length === 0) throw new RangeError('a business card needs a pool element');
  writePoolHandle(writer, message.poolHandle);
  for (const element of message.poolElements) writePoolElement(writer, element);
}
