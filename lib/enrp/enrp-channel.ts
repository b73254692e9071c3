/** ENRP on a control channel. */

import type { Clock } from '../clock.js';
import {
  type ControlChannel,
  type ControlChannelHandler,
  type ControlChannelLimits,
  controlEvents,
  openControlChannel,
} from '../transport/control-channel.js';
import type { ByteStream } from '../transport/transport.js';
import { decodeEnrp, encodeEnrp, enrpMessageType } from '../wire/enrp.js';
import type { EnrpMessage } from '../wire/messages.js';
import type { ErrorCause } from '../wire/parameters.js';

/** The payload protocol identifier of ENRP (RFC 5353 section 5.4). */
export const enrpPpid = 12;

export interface EnrpChannelOptions extends ControlChannelLimits {
  readonly clock: Clock;
  /** Our server identifier, for error reports. */
  readonly serverId: number;
}

export type EnrpChannel = ControlChannel<EnrpMessage>;
export type EnrpChannelHandler = ControlChannelHandler<EnrpMessage>;

const events = controlEvents<EnrpMessage>('enrp');

/** Speaks ENRP over a byte stream, whose handler it sets. */
export function openEnrpChannel(
  stream: ByteStream,
  options: EnrpChannelOptions,
  handler: EnrpChannelHandler,
): EnrpChannel {
  const { clock, serverId } = options;
  const protocol = {
    ppid: enrpPpid,
    errorType: enrpMessageType.enrpError,
    encode: encodeEnrp,
    decode: (bytes: Uint8Array) => decodeEnrp(bytes),
    errorReport: (errors: readonly ErrorCause[], to: number): EnrpMessage => ({
      type: 'enrpError',
      senderId: serverId,
      receiverId: to,
      errors,
    }),
    errorsOf: (message: EnrpMessage) => (message.type === 'enrpError' ? message.errors : undefined),
    handsOnReports: true,
    events,
  };
  return openControlChannel<EnrpMessage>(stream, protocol, handler, clock, options).channel;
}
