/** What a connection knows while its byte stream is broken: why, and a user's way back. An element waits for its user. */

import type { Clock } from '../../clock.js';
import type { RserpoolError } from '../../errors.js';
import { type LastWord, sayFarewell } from './farewell.js';
import type { ResumePoint } from './hello.js';
import { ownHello, type TcpMappingSide } from './opening.js';
import type { TcpMappingOptions } from './options.js';
import { type Reconnect, Reconnecting, type ReconnectingCallbacks } from './reconnecting.js';

export class Interruption {
  /** What broke it. */
  readonly error: RserpoolError;
  readonly #clock: Clock;
  readonly #options: TcpMappingOptions;
  readonly #side: TcpMappingSide;
  /** A user's. */
  readonly #reconnect: Reconnect | undefined;
  readonly #reconnecting: Reconnecting | undefined;

  /** A user begins at once to come back. */
  constructor(
    clock: Clock,
    options: TcpMappingOptions,
    side: TcpMappingSide,
    error: RserpoolError,
    referenced: boolean,
    callbacks: ReconnectingCallbacks,
  ) {
    this.error = error;
    this.#clock = clock;
    this.#options = options;
    this.#side = side;
    this.#reconnect = side.role === 'user' ? side.reconnect : undefined;
    if (this.#reconnect !== undefined)
      this.#reconnecting = new Reconnecting(clock, this.#reconnect, options.reconnectTimeout, referenced, callbacks);
  }

  /** As Reconnecting, like the two that follow. */
  keepAlive(referenced: boolean): void {
    this.#reconnecting?.keepAlive(referenced);
  }

  tryAgain(): void {
    this.#reconnecting?.tryAgain();
  }

  stop(): void {
    this.#reconnecting?.stop();
  }

  /** The user leaves, having received so much: the element shall not wait for it. */
  leave(received: ResumePoint, word: LastWord): void {
    if (this.#reconnect === undefined) return;
    const hello = (stamp: number): ReturnType<typeof ownHello> =>
      ownHello(this.#side, this.#options, stamp, 0, received);
    sayFarewell(this.#clock, this.#options, this.#reconnect, hello, word);
  }
}
