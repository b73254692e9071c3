/** What a connection knows while its byte stream is broken: why, and a user's way back. An element waits for its user. */

import type { Clock } from '../../clock.js';
import type { RserpoolError } from '../../errors.js';
import type { TcpMappingOptions } from './options.js';
import { type Reconnect, Reconnecting, type ReconnectingCallbacks } from './reconnecting.js';

export class Interruption {
  /** What broke it. */
  readonly error: RserpoolError;
  readonly #reconnecting: Reconnecting | undefined;

  /** `reconnect`: a user's; it begins at once. */
  constructor(
    clock: Clock,
    options: TcpMappingOptions,
    error: RserpoolError,
    reconnect: Reconnect | undefined,
    referenced: boolean,
    callbacks: ReconnectingCallbacks,
  ) {
    this.error = error;
    if (reconnect !== undefined)
      this.#reconnecting = new Reconnecting(clock, reconnect, options.reconnectTimeout, referenced, callbacks);
  }

  /** As Reconnecting, like the others. */
  keepAlive(referenced: boolean): void {
    this.#reconnecting?.keepAlive(referenced);
  }

  tryAgain(): void {
    this.#reconnecting?.tryAgain();
  }

  stop(): void {
    this.#reconnecting?.stop();
  }
}
