/** `socket.setTimeout` for a socket without a handle: fires after so many ms without activity, once for each activity. */

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
    this.touch();
  }

  /** Something was sent or came. */
  touch(): void {
    if (this.#after === 0) return;
    this.#lastActivity = this.#clock.now();
    // A running timer finds out by itself: cheaper than moving it with every message.
    if (this.#timer === undefined) this.#start(this.#after);
  }

  #start(delay: number): void {
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined;
        const left = this.#lastActivity + this.#after - this.#clock.now();
        if (left > 0) this.#start(left);
        else this.#fire();
      },
      delay,
      'background',
    );
  }
}
