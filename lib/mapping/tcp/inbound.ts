/**
 * The receiving half: puts fragments together, counts the window, and knows what the application has taken. It outlives
 * byte streams: only what had not come whole is forgotten with one.
 */

import { Fifo } from '../../fifo.js';
import type { IncomingMessage } from '../mapping.js';
import { ArrivedMessage } from './arrived-message.js';
import { dataFlag, dataHeaderLength, expandSequence, frameType, messageOverhead } from './frame.js';
import type { TcpMappingOptions } from './options.js';
import { copyOf } from './reader.js';
import type { FrameWriter } from './writer.js';

interface OpenMessage {
  readonly sequence: number;
  readonly ppid: number;
  readonly flags: number;
  readonly inAnswerTo: number;
  /** Copies of its fragments: the chunks that they lay in may be large. */
  readonly blocks: Uint8Array[];
  /** Bytes of the last block that are in use. */
  used: number;
  length: number;
}

/**
 * Fragments share blocks, each as large as what is there already: so neither a message in tiny pieces nor one tiny piece
 * costs much more than its bytes, and a large message is not a heap of small blocks.
 */
const smallestBlock = 64;
const largestBlock = 1024 * 1024;

function append(message: OpenMessage, piece: Uint8Array): void {
  let block = message.blocks.at(-1);
  if (block === undefined || block.length - message.used < piece.length) {
    // What is left of a block that does not suffice is given back.
    if (block !== undefined && message.used < block.length)
      message.blocks[message.blocks.length - 1] = block.subarray(0, message.used);
    const size = Math.min(largestBlock, Math.max(smallestBlock, message.length));
    block = new Uint8Array(Math.max(size, piece.length));
    message.blocks.push(block);
    message.used = 0;
  }
  block.set(piece, message.used);
  message.used += piece.length;
  message.length += piece.length;
}

/** Its bytes where they are: to put a message of many MiB into one piece would block the process for seconds. */
function piecesOf(message: OpenMessage): Uint8Array[] {
  const last = message.blocks.pop() as Uint8Array;
  return [...message.blocks, last.subarray(0, message.used)];
}

/** What a frame brought: a whole message, nothing yet, or a reason to abort. */
export type Arrival = IncomingMessage | undefined | { readonly type: 'fault'; readonly reason: string };

const fault = (reason: string): Arrival => ({ type: 'fault', reason });

const noBytes = new Uint8Array(0);

/** Stands for a message that was taken before older ones. */
const takenMessage = { taken: true } as const;

/** As many waiting messages may keep the chunks alive that they came in. */
const messagesInChunks = 16;

/** Unordered messages are put together by their sequence: their keys lie beyond those of the streams. */
const unorderedKeys = 0x1_0000;

export class Inbound {
  readonly #options: TcpMappingOptions;
  readonly #sentSequence: () => number;
  /** By stream, or by `unorderedKeys` and sequence. */
  readonly #open = new Map<number, OpenMessage>();
  /** Bytes of all open messages. */
  #openBytes = 0;
  /** Arrived whole and not all taken, oldest first; acknowledged from the front. */
  readonly #arrived = new Fifo<Pick<IncomingMessage, 'taken'>>();
  #taken = 0;
  #received = 0;
  #granted: number;
  /** Bytes that arrived whole and were not taken. */
  #held = 0;
  #lastSequence = 0;
  /** The sequence of the message that came last, as it was on the wire. */
  #newest: number | undefined;
  #ended = false;

  /** `sentSequence` is the highest sequence of our own messages so far: answers are numbered near to it. */
  constructor(options: TcpMappingOptions, sentSequence: () => number) {
    this.#options = options;
    this.#sentSequence = sentSequence;
    this.#granted = options.window;
  }

  /** How many messages the application has taken, without a gap. */
  get taken(): number {
    return this.#taken;
  }

  /** How many messages have come whole. */
  get messages(): number {
    return this.#taken + this.#arrived.length;
  }

  /** Bytes of messages that have come whole and hold room. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Whether everything that has come whole is taken. */
  get isSettled(): boolean {
    return this.#arrived.length === 0;
  }

  /** The byte stream is gone: what has not come whole comes again. */
  interrupt(): void {
    this.#open.clear();
    this.#openBytes = 0;
  }

  /** Another byte stream begins: the credit that is to be said in its hello. */
  restart(): number {
    this.#received = 0;
    this.#granted = Math.max(0, this.#options.window - this.#held);
    return this.#granted;
  }

  /** Whether the far side's end has been taken, and everything before it. */
  get isEnded(): boolean {
    return this.#ended && this.#arrived.length === 0;
  }

  /** A data frame. `bytes` from `body` on, `length` bytes, its data header included. */
  data(
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    view: DataView,
    body: number,
    length: number,
    pieces?: readonly Uint8Array[],
  ): Arrival {
    const payload = length - dataHeaderLength;
    this.#received += payload + messageOverhead;
    // The sender may begin one fragment while it has any credit left.
    if (this.#received > this.#granted + this.#options.longestPayload + messageOverhead)
      return fault('more than the credit allows');
    if (this.#ended) return fault('a message after the end');
    if ((flags & dataFlag.acknowledges) !== 0 && (flags & (dataFlag.answer | dataFlag.end)) !== dataFlag.end)
      return fault('an acknowledgement in an answer, or before the last fragment');
    const from = body + dataHeaderLength;
    const unordered = (flags & dataFlag.unordered) !== 0;
    const key = unordered ? unorderedKeys + view.getUint32(body) : streamId;
    let open = this.#open.get(key);
    if ((flags & dataFlag.begin) !== 0) {
      // An unordered message in one frame may stand within the fragments of another.
      if (open !== undefined) return fault(`a message begins on stream ${streamId} within another`);
      if ((flags & dataFlag.end) !== 0) {
        return this.#whole(
          view.getUint32(body),
          view.getUint32(body + 4),
          view.getUint32(body + 8),
          flags,
          streamId,
          pieces?.map((piece) => this.#ownOrShared(piece)) ?? this.#ownOrShared(bytes.subarray(from, from + payload)),
        );
      }
      if (this.#open.size >= this.#options.openMessages)
        return fault(`more than ${this.#options.openMessages} messages in fragments at once`);
      open = {
        sequence: view.getUint32(body),
        ppid: view.getUint32(body + 4),
        inAnswerTo: view.getUint32(body + 8),
        flags,
        blocks: [],
        used: 0,
        length: 0,
      };
      this.#open.set(key, open);
    } else if (open === undefined) return fault(`a fragment without a beginning on stream ${streamId}`);
    else if (open.sequence !== view.getUint32(body))
      return fault(`a fragment of message ${view.getUint32(body)} within ${open.sequence}`);
    if (payload === 0) return fault('an empty fragment');
    // The window does not count what is not whole, since a message may be larger than it: this does.
    this.#openBytes += payload;
    const { longestMessage } = this.#options;
    if (open.length + payload > longestMessage) return fault(`a message of more than ${longestMessage} bytes`);
    if (this.#openBytes > 2 * longestMessage)
      return fault(`more than ${2 * longestMessage} bytes of messages that are not whole`);
    if (pieces === undefined) append(open, bytes.subarray(from, from + payload));
    else for (const piece of pieces) append(open, piece);
    if ((flags & dataFlag.end) === 0) return undefined;
    this.#open.delete(key);
    this.#openBytes -= open.length;
    return this.#whole(open.sequence, open.ppid, open.inAnswerTo, open.flags | flags, streamId, piecesOf(open));
  }

  /**
   * A message that must wait while others do keeps only its own bytes, not all of the chunk that it came in: else a
   * sender of small messages between large skipped frames would have us hold much more than the window.
   */
  #ownOrShared(piece: Uint8Array): Uint8Array {
    const waits = this.#arrived.length >= messagesInChunks;
    return waits && piece.length * 2 < piece.buffer.byteLength ? copyOf(piece) : piece;
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
    data: Uint8Array | readonly Uint8Array[],
  ): Arrival {
    if ((flags & (dataFlag.answer | dataFlag.acknowledges)) === 0 && inAnswerTo !== 0)
      return fault('an answer that is not marked as one');
    const answered = (flags & dataFlag.answer) === 0 ? 0 : expandSequence(inAnswerTo, this.#sentSequence());
    return this.#arrive('message', sequence, ppid, answered, flags, streamId, data);
  }

  #arrive(
    type: 'message' | 'end',
    low: number,
    ppid: number,
    inAnswerTo: number,
    flags: number,
    streamId: number,
    data: Uint8Array | readonly Uint8Array[],
  ): Arrival {
    if (low === this.#newest) return fault(`message ${low} twice`);
    this.#newest = low;
    const sequence = expandSequence(low, this.#lastSequence);
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
    const arrival = this.messages + 1;
    const message = new ArrivedMessage(type, sequence, streamId, ppid, inAnswerTo, flags, arrival, data);
    if (message.size > this.#options.longestMessage)
      return fault(`a message of more than ${this.#options.longestMessage} bytes`);
    this.#held += message.size + messageOverhead;
    this.#arrived.push(message);
    return message;
  }

  /** A message takes no more room. */
  release(message: IncomingMessage): void {
    if (message.released) return;
    message.released = true;
    this.#held -= (message as ArrivedMessage).size + messageOverhead;
  }

  /** The application has a message. Returns whether the count of those taken without a gap has grown. */
  take(message: IncomingMessage): boolean {
    if (message.taken) return false;
    message.taken = true;
    this.release(message);
    const before = this.#taken;
    if (message.arrival !== before + 1) {
      // One that must wait for others to be acknowledged no longer holds its bytes.
      this.#arrived.replace(message.arrival - before - 1, takenMessage);
      return false;
    }
    while (this.#arrived.at(0)?.taken === true) {
      this.#arrived.shift();
      this.#taken++;
    }
    return true;
  }

  /** The credit to announce, or undefined while it has not grown by a quarter of the window. */
  creditToGrant(): number | undefined {
    const credit = this.#received + Math.max(0, this.#options.window - this.#held);
    const growth = credit - this.#granted;
    if (growth <= 0 || growth < this.#options.window / 4) return undefined;
    this.#granted = credit;
    return credit;
  }

  /** Announces the credit, if it is to be. Returns whether it was. */
  grantCredit(writer: FrameWriter): boolean {
    const credit = this.creditToGrant();
    if (credit === undefined) return false;
    writeCredit(writer, credit);
    return true;
  }
}

/** Lets the far side send up to `credit` bytes of messages, counted from the beginning of the byte stream. */
export function writeCredit(writer: FrameWriter, credit: number): void {
  const at = writer.frame(frameType.credit, 0, 0, 8);
  writer.view.setUint32(at, Math.floor(credit / 0x1_0000_0000));
  writer.view.setUint32(at + 4, credit % 0x1_0000_0000);
}
