/**
 * Tells what a connection to a pool element's port wants, by its first bytes (docs/mappings.md, "One port"): the TCP
 * mapping (the magic), ASAP (a registrar's first message), or else whatever the service itself speaks (nameservice mode).
 */

import type { Clock } from '../clock.js';
import { magic } from '../mapping/tcp/frame.js';
import { type ByteStream, type ByteStreamHandler, noHandler } from '../transport/transport.js';
import { asapMessageType } from '../wire/asap.js';

export interface IncomingOptions {
  /** Milliseconds to wait for the bytes that tell. */
  readonly timeout: number;
}

export interface IncomingCallbacks {
  /** The user of a session: returns who gets the stream from now on, all bytes included. */
  onMapping(stream: ByteStream): ByteStreamHandler;
  /** A registrar that looks after an element. */
  onAsap(stream: ByteStream, firstBytes: Uint8Array): ByteStreamHandler;
  /**
   * Neither, also where it has ended before its bytes told anything, or silence ('silent'; then a few bytes of the magic
   * may have come). False: this server does not serve such users; the stream is destroyed.
   */
  onPlain(stream: ByteStream, firstBytes: Uint8Array, how: 'spoke' | 'silent'): boolean;
  /** Not served, or gone before it said anything. The stream is destroyed. */
  onRefused(stream: ByteStream, reason: string): void;
}

type Verdict = 'mapping' | 'asap' | 'plain' | 'open';

/** What the first bytes of a connection say; 'open': too few to tell. */
export function verdictOn(bytes: Uint8Array): Verdict {
  const length = Math.min(bytes.length, magic.length);
  if (length === 0) return 'open';
  let matching = 0;
  while (matching < length && bytes[matching] === magic[matching]) matching++;
  if (matching === length) return matching === magic.length ? 'mapping' : 'open';
  // What else begins with these bytes is unlikely to have a length here that is one of ASAP's.
  const [type = 0, flags = 0, high = 0, low = 0] = bytes;
  if (type !== asapMessageType.endpointKeepAlive && type !== asapMessageType.serverAnnounce) return 'plain';
  if (bytes.length >= 2 && flags > 1) return 'plain';
  if (bytes.length < 4) return 'open';
  const announced = high * 256 + low;
  return announced >= 8 && announced % 4 === 0 ? 'asap' : 'plain';
}

/** The handler of a connection that has just been accepted. */
export function incoming(
  stream: ByteStream,
  clock: Clock,
  options: IncomingOptions,
  callbacks: IncomingCallbacks,
): ByteStreamHandler {
  let bytes: Uint8Array = new Uint8Array(0);
  const refuse = (reason: string): void => {
    timer.cancel();
    stream.handler = noHandler;
    stream.destroy();
    callbacks.onRefused(stream, reason);
  };
  const plain = (how: 'spoke' | 'silent'): void => {
    timer.cancel();
    const reason = how === 'silent' ? 'it said nothing in time' : 'it spoke neither the TCP mapping nor ASAP';
    if (!callbacks.onPlain(stream, bytes, how)) refuse(reason);
  };
  // If we were stopped, what it said meanwhile waits to be read: that first.
  const silent = (): void => clock.nextTurn(() => stream.handler === handler && plain('silent'));
  const timer = clock.setTimeout(silent, options.timeout, 'background');
  const handler: ByteStreamHandler = {
    onData(chunk) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      switch (verdictOn(bytes)) {
        case 'mapping':
          timer.cancel();
          stream.handler = callbacks.onMapping(stream);
          stream.handler.onData(bytes);
          break;
        case 'asap':
          timer.cancel();
          stream.handler = callbacks.onAsap(stream, bytes);
          break;
        case 'plain':
          plain('spoke');
          break;
        case 'open':
      }
    },
    onDrain() {},
    // What is not the magic in whole is none.
    onEnd: () => plain('spoke'),
    onClose: () => refuse('it closed before it said anything'),
  };
  return handler;
}
