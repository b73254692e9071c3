/**
 * ASAP messages on the control channel, both ways. They are not acknowledged: when a connection is resumed, each side
 * says how many have come. Of those of one type (cookie, cookie echo, business card) only the last counts, so no more
 * than that is kept.
 */

import { asapPpid } from '../mapping.js';
import { dataFlag, expand, frameType } from './frame.js';
import type { FrameWriter } from './writer.js';

interface Control {
  /** Its place among all that were sent, as the far side counts. */
  number: number;
  readonly message: Uint8Array;
}

export class Controls {
  #writer: FrameWriter | undefined;
  /** The last of each type (an ASAP message's first byte), oldest first. */
  readonly #last = new Map<number, Control>();
  #sent = 0;
  /** How many have come. */
  received = 0;

  /** A byte stream is open: those are written that the far side has not got. `received`: the low 32 bits of how many it has. */
  open(writer: FrameWriter, received: number): void {
    this.#writer = writer;
    const count = expand(received, this.#sent);
    this.#sent = count;
    for (const control of this.#last.values()) {
      if (control.number <= count) continue;
      // Some that were sent meanwhile never left, since a later one took their place.
      control.number = ++this.#sent;
      this.#write(writer, control.message);
    }
  }

  /** The byte stream is gone. */
  interrupt(): void {
    this.#writer = undefined;
  }

  send(message: Uint8Array): void {
    const type = message[0] ?? 0;
    this.#last.delete(type);
    this.#last.set(type, { number: ++this.#sent, message });
    if (this.#writer !== undefined) this.#write(this.#writer, message);
  }

  #write(writer: FrameWriter, message: Uint8Array): void {
    writer.data(frameType.data, dataFlag.begin | dataFlag.end, 0, 0, asapPpid, 0, message);
  }
}
