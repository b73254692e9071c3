/**
 * ASAP messages on the control channel, both ways. They are not acknowledged: when a connection is resumed, each side
 * says how many have come. Of those of one type (cookie, cookie echo, business card) only the last counts, so no more
 * than that is kept.
 */

import { asapPpid } from '../mapping.js';
import { dataFlag, expand, frameType } from './frame.js';
import type { FrameWriter } from './writer.js';

interface Control {
  /** Its place among all that were sent, as the far side counts; undefined: it waits. */
  number: number | undefined;
  readonly message: Uint8Array;
}

export class Controls {
  #writer: FrameWriter | undefined;
  /** The last of each type (an ASAP message's first byte), oldest first. */
  readonly #last = new Map<number, Control>();
  #sent = 0;
  #waiting = false;
  /** How many have come. */
  received = 0;

  /** A byte stream is open. `received`: the low 32 bits of how many the far side has got; the others wait again. */
  open(writer: FrameWriter, received: number): void {
    this.#writer = writer;
    const count = expand(received, this.#sent);
    this.#sent = count;
    for (const control of this.#last.values()) {
      if (control.number !== undefined && control.number <= count) continue;
      control.number = undefined;
      this.#waiting = true;
    }
  }

  /** The byte stream is gone. */
  interrupt(): void {
    this.#writer = undefined;
  }

  /** Waits to be written; one of its type that waits is dropped. */
  send(message: Uint8Array): void {
    const type = message[0] ?? 0;
    this.#last.delete(type);
    this.#last.set(type, { number: undefined, message });
    this.#waiting = true;
  }

  /** Writes those that wait, whatever the credit. */
  write(): void {
    if (!this.#waiting || this.#writer === undefined) return;
    this.#waiting = false;
    for (const control of this.#last.values()) {
      if (control.number !== undefined) continue;
      control.number = ++this.#sent;
      this.#writer.data(frameType.data, dataFlag.begin | dataFlag.end, 0, 0, asapPpid, 0, control.message);
    }
  }
}
