/** ASAP on a control channel. */

import type { Clock } from '../clock.js';
import {
  type ControlChannel,
  type ControlChannelHandler,
  type ControlChannelLimits,
  type ControlProtocol,
  controlEvents,
  type FramedControlChannel,
  openControlChannel,
} from '../transport/control-channel.js';
import type { ByteStream } from '../transport/transport.js';
import { asapMessageType, decodeAsap, encodeAsap } from '../wire/asap.js';
import type { AsapMessage } from '../wire/messages.js';

/** The payload protocol identifier of ASAP (RFC 5352 section 8.3). */
export const asapPpid = 11;

/** Limits of one ASAP channel. Defaults: 65,538 bytes, the most that a message can be; 1 MiB; 1,000 ms. */
export type AsapChannelLimits = ControlChannelLimits;

export const defaultAsapChannelLimits: AsapChannelLimits = {
  maxMessageSize: 65_538,
  maxBacklog: 1024 * 1024,
  closeTimeout: 1_000,
};

export type AsapChannel = ControlChannel<AsapMessage>;
export type AsapChannelHandler = ControlChannelHandler<AsapMessage>;

const asapProtocol: ControlProtocol<AsapMessage> = {
  ppid: asapPpid,
  errorType: asapMessageType.asapError,
  encode: encodeAsap,
  decode: (bytes) => decodeAsap(bytes),
  errorReport: (errors) => ({ type: 'asapError', errors }),
  errorsOf: (message) => (message.type === 'asapError' ? message.errors : undefined),
  handsOnReports: false,
  events: controlEvents('asap'),
};

/** Speaks ASAP over a byte stream: a TCP or TLS connection. */
export function openAsapChannel(
  stream: ByteStream,
  handler: AsapChannelHandler,
  clock: Clock,
  limits: AsapChannelLimits,
): FramedControlChannel<AsapMessage> {
  return openControlChannel(stream, asapProtocol, handler, clock, limits);
}
