/** T1 and T2 (RFC 9260 sections 5.1 and 9.2): does something again at growing intervals until it is stopped. */

import type { Clock, Timer } from '../../../clock.js';

export class RetryTimer {
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `again` after `delay` ms, then after twice as long, never more than `longest`, `times` times; then `exhausted`. */
  start(delay: number, longest: number, times: number, again: () => void, exhausted: () => void): void {
    this.stop();
    this.#timer = this.#clock.setTimeout(
      () => {
        if (times === 0) {
          this.#timer = undefined;
          exhausted();
          return;
        }
        this.start(Math.min(longest, 2 * delay), longest, times - 1, again, exhausted);
        again();
      },
      delay,
      'background',
    );
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
