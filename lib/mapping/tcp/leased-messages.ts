/**
 * Messages on their way to an element's application: none is handed on without a lease, since its user may have gone
 * elsewhere (docs/mappings.md, "Why leases"). What came without one waits, in order, and with it all behind it.
 */

import type { IncomingMessage } from '../mapping.js';

/** What gives leases: the heartbeats of the present byte stream. */
export interface Leases {
  readonly isLeased: boolean;
  /** Asks the user for one. */
  ask(): void;
}

export class LeasedMessages {
  readonly #handOn: (message: IncomingMessage) => void;
  #waiting: IncomingMessage[] = [];
  #leases: Leases | undefined;

  constructor(handOn: (message: IncomingMessage) => void) {
    this.#handOn = handOn;
  }

  /** A byte stream is open. A lease is a promise about one byte stream: what waits needs a new one. */
  begin(leases: Leases): void {
    this.#leases = leases;
    if (this.#waiting.length > 0) leases.ask();
  }

  /** The byte stream is gone: nothing is handed on. */
  interrupt(): void {
    this.#leases = undefined;
  }

  push(message: IncomingMessage): void {
    if (this.#waiting.length === 0 && this.#leases?.isLeased === true) {
      this.#handOn(message);
      return;
    }
    this.#waiting.push(message);
    if (this.#waiting.length === 1) this.#leases?.ask();
  }

  /** A lease may have come. */
  handOn(): void {
    if (this.#waiting.length === 0) return;
    let handed = 0;
    while (handed < this.#waiting.length && this.#leases?.isLeased === true) {
      this.#handOn(this.#waiting[handed++] as IncomingMessage);
    }
    this.#waiting.splice(0, handed);
    if (this.#waiting.length > 0) this.#leases?.ask();
  }
}
