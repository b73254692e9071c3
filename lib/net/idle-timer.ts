/** `socket.setTimeout` for a socket without a handle: fires after so many ms without activity. */

import type { Clock, Timer } from '../clock.js';

export class IdleTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #after = 0;
  #timer: Timer | undefined;
  #lastActivity = 0;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** 0 stops it. */
  set(after: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#after = after;
    if (after > 0) this.#start(after);
  }

  /** Something was sent or came. */
  touch(): void {
    if (this.#after > 0) this.#lastActivity = this.#clock.now();
  }

  #start(delay: number): void {
    const begun = this.#clock.now();
    if (delay === this.#after) this.#lastActivity = begun;
    this.#timer = this.#clock.setTimeout(
      () => {
        const left = this.#lastActivity + this.#after - this.#clock.now();
        // As net does: once it has fired, it waits for the next activity's time to run out again.
        if (left > 0) this.#start(left);
        else this.#fire();
      },
      delay,
      'background',
    );
  }
}
