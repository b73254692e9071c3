/** The receiving half: puts fragments together, counts the window, and knows what the application has taken. */

import type { IncomingMessage } from '../mapping.js';
import { dataFlag, dataHeaderLength, expand, messageOverhead } from './frame.js';
import type { TcpMappingOptions } from './options.js';

interface OpenMessage {
  readonly sequence: number;
  readonly ppid: number;
  readonly flags: number;
  readonly inAnswerTo: number;
  readonly pieces: Uint8Array[];
  length: number;
}

/** What a frame brought: a whole message, nothing yet, or a reason to abort. */
export type Arrival = IncomingMessage | undefined | { readonly type: 'fault'; readonly reason: string };

const fault = (reason: string): Arrival => ({ type: 'fault', reason });

const noBytes = new Uint8Array(0);

export class Inbound {
  readonly #options: TcpMappingOptions;
  readonly #open = new Map<number, OpenMessage>();
  /** Arrived whole and not all taken, oldest first; acknowledged from the front. */
  #arrived: IncomingMessage[] = [];
  #head = 0;
  #taken = 0;
  #received = 0;
  #granted: number;
  /** Bytes that arrived whole and were not taken. */
  #held = 0;
  #lastSequence = 0;
  #ended = false;

  constructor(options: TcpMappingOptions) {
    this.#options = options;
    this.#granted = options.window;
  }

  /** How many messages the application has taken, without a gap. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether the far side's end has been taken, and everything before it. */
  get isEnded(): boolean {
    return this.#ended && this.#head === this.#arrived.length;
  }

  /** A data frame. `bytes` from `body` on, `length` bytes, its data header included. */
  data(flags: number, streamId: number, bytes: Uint8Array, view: DataView, body: number, length: number): Arrival {
    const payload = length - dataHeaderLength;
    this.#received += payload + messageOverhead;
    // The sender may begin one fragment while it has any credit left.
    if (this.#received > this.#granted + this.#options.longestPayload + messageOverhead)
      return fault('more than the credit allows');
    if (this.#ended) return fault('a message after the end');
    const from = body + dataHeaderLength;
    const piece = bytes.subarray(from, from + payload);
    const open = this.#open.get(streamId);
    if ((flags & dataFlag.begin) !== 0) {
      if (open !== undefined) return fault(`a message begins on stream ${streamId} within another`);
      if ((flags & dataFlag.end) !== 0) {
        return this.#whole(
          view.getUint32(body),
          view.getUint32(body + 4),
          view.getUint32(body + 8),
          flags,
          streamId,
          piece,
        );
      }
      if (this.#open.size >= this.#options.openMessages)
        return fault(`more than ${this.#options.openMessages} messages in fragments at once`);
      this.#open.set(streamId, {
        sequence: view.getUint32(body),
        ppid: view.getUint32(body + 4),
        inAnswerTo: view.getUint32(body + 8),
        flags,
        // The chunk that it lies in may be large: what must wait is copied.
        pieces: [piece.slice()],
        length: payload,
      });
      return payload === 0 ? fault('an empty fragment') : undefined;
    }
    if (open === undefined) return fault(`a fragment without a beginning on stream ${streamId}`);
    if (open.sequence !== view.getUint32(body))
      return fault(`a fragment of message ${view.getUint32(body)} within ${open.sequence}`);
    if (payload === 0) return fault('an empty fragment');
    open.length += payload;
    if (open.length > this.#options.longestMessage)
      return fault(`a message of more than ${this.#options.longestMessage} bytes`);
    open.pieces.push(piece.slice());
    if ((flags & dataFlag.end) === 0) return undefined;
    this.#open.delete(streamId);
    const data = new Uint8Array(open.length);
    let at = 0;
    for (const part of open.pieces) {
      data.set(part, at);
      at += part.length;
    }
    return this.#whole(open.sequence, open.ppid, open.inAnswerTo, open.flags | flags, streamId, data);
  }

  /** A shutdown frame. */
  end(flags: number, streamId: number, sequence: number): Arrival {
    this.#received += messageOverhead;
    if (this.#ended) return fault('a second end');
    if (this.#open.size > 0) return fault('an end within a message');
    this.#ended = true;
    return this.#arrive('end', sequence, 0, 0, flags, streamId, noBytes);
  }

  #whole(
    sequence: number,
    ppid: number,
    inAnswerTo: number,
    flags: number,
    streamId: number,
    data: Uint8Array,
  ): Arrival {
    if (data.length > this.#options.longestMessage)
      return fault(`a message of more than ${this.#options.longestMessage} bytes`);
    if ((flags & dataFlag.answer) === 0 && inAnswerTo !== 0) return fault('an answer that is not marked as one');
    return this.#arrive('message', sequence, ppid, inAnswerTo, flags, streamId, data);
  }

  #arrive(
    type: 'message' | 'end',
    low: number,
    ppid: number,
    inAnswerTo: number,
    flags: number,
    streamId: number,
    data: Uint8Array,
  ): Arrival {
    const sequence = expand(low, this.#lastSequence);
    if (sequence <= 0) return fault(`the sequence ${low}`);
    this.#lastSequence = sequence;
    const message: IncomingMessage = {
      type,
      sequence,
      data,
      streamId,
      ppid,
      inAnswerTo,
      lastAnswer: (flags & dataFlag.lastAnswer) !== 0,
      redelivered: (flags & dataFlag.redelivered) !== 0,
      taken: false,
    };
    this.#held += data.length + messageOverhead;
    this.#arrived.push(message);
    return message;
  }

  /** The application has a message. Returns whether the count of those taken without a gap has grown. */
  take(message: IncomingMessage): boolean {
    if (message.taken) return false;
    message.taken = true;
    this.#held -= message.data.length + messageOverhead;
    const before = this.#taken;
    while (this.#head < this.#arrived.length && (this.#arrived[this.#head] as IncomingMessage).taken) {
      this.#head++;
      this.#taken++;
    }
    if (this.#head === this.#arrived.length) {
      if (this.#head > 0) this.#arrived = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#arrived.length) {
      this.#arrived = this.#arrived.slice(this.#head);
      this.#head = 0;
    }
    return this.#taken > before;
  }

  /** The credit to announce, or undefined while it has not grown by a quarter of the window. */
  creditToGrant(): number | undefined {
    const credit = this.#received + Math.max(0, this.#options.window - this.#held);
    if (credit - this.#granted < this.#options.window / 4) return undefined;
    this.#granted = credit;
    return credit;
  }
}
