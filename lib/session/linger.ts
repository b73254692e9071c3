/** How long a session that was ended waits for acknowledgements: so long as they keep coming. */

import type { Clock, Timer } from '../clock.js';

export class Linger {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #onExpired: () => void;
  #timer: Timer | undefined;

  /** `timeout` in ms without progress, after which `onExpired` is called. */
  constructor(clock: Clock, timeout: number, onExpired: () => void) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#onExpired = onExpired;
  }

  /** The session was ended, or something was acknowledged or came since. */
  restart(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimeout(this.#onExpired, this.#timeout);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
