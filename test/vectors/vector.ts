/** A message as bytes, put together by hand from the RFCs' diagrams, and as data. */

import { decodeAsap, encodeAsap } from '../../lib/wire/asap.js';
import type { Decoded } from '../../lib/wire/decoded.js';
import { decodeEnrp, encodeEnrp } from '../../lib/wire/enrp.js';
import type { WireLimits } from '../../lib/wire/limits.js';
import type { AsapMessage, EnrpMessage } from '../../lib/wire/messages.js';

export interface AsapVector {
  readonly protocol: 'asap';
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly message: AsapMessage;
}
export interface EnrpVector {
  readonly protocol: 'enrp';
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly message: EnrpMessage;
}
export type Vector = AsapVector | EnrpVector;
export type Protocol = Vector['protocol'];

export function decode(protocol: Protocol, bytes: Uint8Array, limits?: WireLimits): Decoded<AsapMessage | EnrpMessage> {
  return protocol === 'asap' ? decodeAsap(bytes, limits) : decodeEnrp(bytes, limits);
}

/** Encodes what `decode` gave for the same protocol. */
export function encode(protocol: Protocol, message: AsapMessage | EnrpMessage): Uint8Array {
  return protocol === 'asap' ? encodeAsap(message as AsapMessage) : encodeEnrp(message as EnrpMessage);
}
