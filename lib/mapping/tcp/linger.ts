/** The end of a stream whose last words should still be read. */

import type { Clock } from '../../clock.js';
import { type ByteStream, noHandler } from '../../transport/transport.js';

/** Ends our direction, reads nothing more, and closes the stream when the far side has, or after `timeout` ms. */
export function linger(stream: ByteStream, clock: Clock, timeout: number): void {
  const timer = clock.setTimeout(() => stream.destroy(), timeout, 'background');
  stream.handler = { ...noHandler, onEnd: () => stream.destroy(), onClose: () => timer.cancel() };
  stream.end();
}
