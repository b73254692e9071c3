/** Commands that run until they are told to stop. */

import { systemClock, type Timer } from '../clock.js';

/** Waits for SIGINT or SIGTERM, and keeps the process alive meanwhile. A second signal kills, as usual. */
export class StopSignal {
  readonly received: Promise<void>;
  readonly #stop: () => void;
  #timer: Timer | undefined;

  constructor() {
    let resolve: () => void = () => {};
    this.received = new Promise((resolved) => {
      resolve = resolved;
    });
    this.#stop = () => {
      this.forget();
      resolve();
    };
    this.#keepAlive();
    process.on('SIGINT', this.#stop);
    process.on('SIGTERM', this.#stop);
  }

  /** Waits no more: the command has ended by itself. */
  forget(): void {
    this.#timer?.cancel();
    process.removeListener('SIGINT', this.#stop);
    process.removeListener('SIGTERM', this.#stop);
  }

  #keepAlive(): void {
    this.#timer = systemClock.setTimeout(() => this.#keepAlive(), 0x7fffffff);
  }
}
