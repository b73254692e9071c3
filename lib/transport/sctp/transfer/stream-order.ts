/** The order of messages within each stream (RFC 9260 section 6.6): holds back what came before its turn. */

import type { SctpMessage } from '../sctp-stack.js';

interface Stream {
  /** The Stream Sequence Number whose turn it is. */
  next: number;
  readonly waiting: Map<number, SctpMessage>;
}

export class StreamOrder {
  readonly #streams = new Map<number, Stream>();
  readonly #deliver: (message: SctpMessage) => void;
  /** Bytes of messages whose turn has not come. */
  heldBytes = 0;

  constructor(deliver: (message: SctpMessage) => void) {
    this.#deliver = deliver;
  }

  /** A message is here whole. */
  complete(message: SctpMessage, ssn: number): void {
    if (message.unordered) {
      this.#deliver(message);
      return;
    }
    let stream = this.#streams.get(message.streamId);
    if (stream === undefined) {
      // Every stream begins at 0: a first message that was lost is waited for too.
      stream = { next: 0, waiting: new Map() };
      this.#streams.set(message.streamId, stream);
    }
    if (ssn !== stream.next) {
      if (!stream.waiting.has(ssn)) this.heldBytes += message.data.length;
      stream.waiting.set(ssn, message);
      return;
    }
    this.#deliver(message);
    stream.next = (stream.next + 1) & 0xffff;
    for (;;) {
      const waiting = stream.waiting.get(stream.next);
      if (waiting === undefined) return;
      stream.waiting.delete(stream.next);
      this.heldBytes -= waiting.data.length;
      stream.next = (stream.next + 1) & 0xffff;
      this.#deliver(waiting);
    }
  }
}
