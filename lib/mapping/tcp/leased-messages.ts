/**
 * Messages on their way to an element's application: none is handed on without a lease, since its user may have gone
 * elsewhere (docs/mappings.md, "Why leases"). What came without one waits, in order, and with it all behind it. Nor does a
 * session begin before its user needs the element ("Standing by"), which it says with a lease or a control message.
 */

import type { Clock, Timer } from '../../clock.js';
import type { IncomingMessage } from '../mapping.js';

/** What gives leases: the heartbeats of the present byte stream. */
export interface Leases {
  readonly isLeased: boolean;
  /** Asks the user for one. */
  ask(): void;
}

export class LeasedMessages {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #handOn: (message: IncomingMessage) => void;
  #waiting: IncomingMessage[] = [];
  #leases: Leases | undefined;
  /** While the element stands by. */
  #begin: (() => void) | undefined;
  #patience: Timer | undefined;

  /** `helloTimeout` in ms: how long the element stands by. */
  constructor(
    clock: Clock,
    { helloTimeout }: { readonly helloTimeout: number },
    handOn: (message: IncomingMessage) => void,
  ) {
    this.#clock = clock;
    this.#timeout = helloTimeout;
    this.#handOn = handOn;
  }

  /** The user may not need the element: `begin` is called when it does, `giveUp` if it has not said so in time. */
  standBy(begin: () => void, giveUp: () => void): void {
    this.#begin = begin;
    this.#patience = this.#clock.setTimeout(giveUp, this.#timeout, 'background');
  }

  /** The user needs the element. Returns whether the session begins with that. */
  wake(): boolean {
    const begin = this.#begin;
    if (begin === undefined) return false;
    this.end();
    begin();
    return true;
  }

  /** The connection is over, or the element stands by no longer. */
  end(): void {
    this.#begin = undefined;
    this.#patience?.cancel();
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

  /** A heartbeat came, and with it perhaps a lease. */
  handOn(): void {
    this.wake();
    if (this.#waiting.length === 0) return;
    let handed = 0;
    while (handed < this.#waiting.length && this.#leases?.isLeased === true) {
      this.#handOn(this.#waiting[handed++] as IncomingMessage);
    }
    this.#waiting.splice(0, handed);
    if (this.#waiting.length > 0) this.#leases?.ask();
  }
}
