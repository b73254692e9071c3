/**
 * Tells what a connection to a pool element's port wants, by its first bytes (docs/mappings.md, "One port"): the TCP
 * mapping (the magic) or ASAP (a message type). Anything else is refused.
 */

import type { Clock } from '../clock.js';
import { magic } from '../mapping/tcp/frame.js';
import { type ByteStream, type ByteStreamHandler, noHandler } from '../transport/transport.js';
import { asapMessageType } from '../wire/asap.js';

export interface IncomingOptions {
  /** Milliseconds to wait for a first byte. */
  readonly helloTimeout: number;
}

export interface IncomingCallbacks {
  /** The user of a session: returns who gets the stream from now on, the first chunk included. */
  onMapping(stream: ByteStream): ByteStreamHandler;
  /** A registrar that looks after an element. */
  onAsap(stream: ByteStream, firstBytes: Uint8Array): ByteStreamHandler;
  /** Neither, or silence, or gone before it said anything. The stream is destroyed. */
  onRefused(stream: ByteStream, reason: string): void;
}

const lowestAsapType = asapMessageType.registration;
const highestAsapType = asapMessageType.asapError;

/** The handler of a connection that has just been accepted. */
export function incoming(
  stream: ByteStream,
  clock: Clock,
  options: IncomingOptions,
  callbacks: IncomingCallbacks,
): ByteStreamHandler {
  const refuse = (reason: string): void => {
    timer.cancel();
    stream.handler = noHandler;
    stream.destroy();
    callbacks.onRefused(stream, reason);
  };
  const timer = clock.setTimeout(() => refuse('it said nothing in time'), options.helloTimeout, 'background');
  return {
    onData(chunk) {
      const first = chunk[0] as number;
      if (first === magic[0]) {
        timer.cancel();
        stream.handler = callbacks.onMapping(stream);
        stream.handler.onData(chunk);
      } else if (first >= lowestAsapType && first <= highestAsapType) {
        timer.cancel();
        stream.handler = callbacks.onAsap(stream, chunk);
      } else refuse('it speaks neither the TCP mapping nor ASAP');
    },
    onDrain() {},
    onEnd: () => refuse('it ended before it said anything'),
    onClose: () => refuse('it closed before it said anything'),
  };
}
