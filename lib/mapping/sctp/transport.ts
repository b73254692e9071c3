/** Byte streams beside SCTP for the mappings: where an address says SCTP, the frames of a session go over an association. */

import { RserpoolError } from '../../errors.js';
import type { SctpAssociation, SctpStack } from '../../transport/sctp/sctp-stack.js';
import {
  type Attempt,
  type ByteStreamHandler,
  type ByteStreamTransport,
  type ConnectCallbacks,
  formatAddress,
  type TransportAddress,
} from '../../transport/transport.js';
import { SctpFrameStream, sctpMappingAdaptation } from './frame-stream.js';

/** `stack`: as SctpStack; an address that says SCTP must not be asked for without one. */
export function mappingTransport(stream: ByteStreamTransport, stack: SctpStack | undefined): ByteStreamTransport {
  if (stack === undefined) return stream;
  return {
    listen: (at, callbacks) => stream.listen(at, callbacks),
    connect: (target, callbacks) =>
      target.protocol === 'sctp' ? connect(stack, target, callbacks) : stream.connect(target, callbacks),
  };
}

function connect(stack: SctpStack, target: TransportAddress, callbacks: ConnectCallbacks): Attempt {
  const told = {
    onOpen(association: SctpAssociation) {
      const frames = new SctpFrameStream(association);
      if (association.adaptation === sctpMappingAdaptation) {
        frames.handler = callbacks.onOpen(frames);
        return frames;
      }
      association.abort('it does not speak the SCTP mapping');
      const detail = formatAddress(target);
      callbacks.onError(new RserpoolError('ERR_RSERPOOL_MAPPING_NOT_AVAILABLE', { detail, origin: 'remote' }));
      return frames;
    },
    onError: (error: Error) => callbacks.onError(error),
  };
  return stack.connect(target, told, { adaptation: sctpMappingAdaptation });
}

/** Accepts an association of a user that speaks the mapping; undefined: it speaks something else. */
export function acceptFrames(
  association: SctpAssociation,
  onStream: (stream: SctpFrameStream) => ByteStreamHandler,
): SctpFrameStream | undefined {
  if (association.adaptation !== sctpMappingAdaptation) return undefined;
  const frames = new SctpFrameStream(association);
  frames.handler = onStream(frames);
  return frames;
}
