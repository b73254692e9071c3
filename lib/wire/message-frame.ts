/**
 * What all ASAP and ENRP messages have in common (RFC 5354 section 4):
 *
 *    +---------------+---------------+-------------------------------+
 *    | Message Type  | Message Flags | Message Length                |
 *    +---------------+---------------+-------------------------------+
 *    : Message Value                                 | 0 to 3 padding:
 *    +-----------------------------------------------+---------------+
 *
 * The Message Length leaves the padding out. The reference implementation counts it; both are read.
 */

import type { Decoded } from './decoded.js';
import type { WireLimits } from './limits.js';
import { ParameterReader, padded, Refusal } from './parameter-reader.js';
import { compose, type ParameterWriter } from './parameter-writer.js';

const section = 'RFC 5354 section 4';

/** Reads the value of a message from byte 4 to `end`; undefined if it knows no such type. Refuses by throwing Refusal. */
export type ReadBody<Message> = (
  reader: ParameterReader,
  type: number,
  flags: number,
  end: number,
) => Message | undefined;

/**
 * Decodes one message that fills `bytes`, with its padding, or without if its sender left that out. Never throws, and
 * keeps nothing of `bytes`.
 */
export function decodeMessage<Message>(
  bytes: Uint8Array,
  limits: WireLimits,
  readBody: ReadBody<Message>,
): Decoded<Message> {
  // A Buffer's slice would share its memory.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new ParameterReader(plain, limits);
  try {
    const end = messageEnd(reader);
    const type = reader.view.getUint8(0);
    const message = readBody(reader, type, reader.view.getUint8(1), end);
    if (message === undefined) throw reader.unrecognizedMessage(type, end);
    return { type: 'message', message, report: reader.report };
  } catch (refusal) {
    if (refusal instanceof Refusal) return refusal.outcome;
    throw refusal;
  }
}

/** Checks the header: what follows stands between byte 4 and the Message Length. */
function messageEnd(reader: ParameterReader): number {
  const size = reader.bytes.length;
  if (size < 4) throw reader.invalid(0, section, `${size} bytes are too few for a message`);
  const end = reader.view.getUint16(2);
  if (end < 4) throw reader.invalid(2, section, `Message Length ${end} is below 4`);
  if (end > size) throw reader.invalid(2, section, `Message Length ${end} exceeds the ${size} bytes there are`);
  if (size > padded(end)) throw reader.invalid(padded(end), section, `${size - padded(end)} bytes after the message`);
  return end;
}

/**
 * A message whose value `writeBody` writes, with its padding. An RserpoolError ERR_RSERPOOL_MESSAGE_TOO_LARGE above
 * 65,535 bytes; what else the caller got wrong is a RangeError.
 */
export function encodeMessage(type: number, flags: number, writeBody: (writer: ParameterWriter) => void): Uint8Array {
  return compose((writer) => {
    writer.u8('message type', type);
    writer.u8('message flags', flags);
    writer.u16('message length', 0);
    writeBody(writer);
    // The Message Length stands where a Parameter Length would.
    writer.close(0);
    writer.align();
  });
}
