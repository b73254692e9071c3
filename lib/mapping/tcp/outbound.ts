/** The sending half: messages wait for credit, leave in fragments, and acknowledgements never overtake them. */

import { Fifo } from '../../fifo.js';
import { asapPpid, type OutgoingMessage } from '../mapping.js';
import { dataFlag, frameType, messageOverhead } from './frame.js';
import type { Hello } from './hello.js';
import type { TcpMappingOptions } from './options.js';
import type { FrameWriter } from './writer.js';

/** An acknowledgement that must not leave before the first `after` messages have. */
interface Marker {
  readonly after: number;
  count: number;
}

export class Outbound {
  readonly #writer: FrameWriter;
  readonly #queue = new Fifo<OutgoingMessage>();
  /** Bytes of the head message that have left. */
  #headSent = 0;
  #accepted = 0;
  #sent = 0;
  #queuedBytes = 0;
  #longestPayload = 0;
  #longestMessage = 0;
  /** Bytes of messages that have left and that may leave, counted from the beginning. */
  #sentBytes = 0;
  #credit = 0;
  #endSent = false;
  #lastSequence = 0;
  #markers: Marker[] = [];
  #firstMarker = 0;
  /** ASAP messages that wait, by type: what is said again before it could leave must not pile up. */
  readonly #controls = new Map<number, Uint8Array>();

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** What the far side's hello allows. */
  open(hello: Pick<Hello, 'longestPayload' | 'longestMessage' | 'credit'>, own: TcpMappingOptions): void {
    this.#longestPayload = Math.min(hello.longestPayload, own.longestPayload);
    this.#longestMessage = hello.longestMessage;
    this.#credit = hello.credit;
  }

  /** Bytes of the largest message that the far side accepts; 0 before its hello. */
  get longestMessage(): number {
    return this.#longestMessage;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** How many messages have left whole. */
  get sentMessages(): number {
    return this.#sent;
  }

  /** Whether our end has left, and so every message, and nothing that was taken remains to be acknowledged. */
  get isEnded(): boolean {
    return this.#endSent && this.#firstMarker === this.#markers.length;
  }

  /** The highest sequence pushed so far: what the far side's answers are numbered near to. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  push(message: OutgoingMessage): void {
    this.#queue.push(message);
    this.#accepted++;
    this.#lastSequence = Math.max(this.#lastSequence, message.sequence);
    this.#queuedBytes += message.data.length + messageOverhead;
  }

  /** More may be sent; `credit` counts from the beginning and never goes back. */
  grant(credit: number): void {
    if (credit > this.#credit) this.#credit = credit;
  }

  /** The first `count` messages from the far side were taken: to be said after everything pushed so far. */
  acknowledge(count: number): void {
    const last = this.#markers.at(-1);
    if (last !== undefined && last.after === this.#accepted && this.#firstMarker < this.#markers.length)
      last.count = count;
    else this.#markers.push({ after: this.#accepted, count });
  }

  /** Writes frames until `room` bytes wait in the writer, or credit or messages run out. Returns whether more could be written. */
  write(room: number): boolean {
    const writer = this.#writer;
    this.writeControls();
    while (this.#queue.length > 0 && this.#sentBytes < this.#credit) {
      if (writer.length >= room) {
        // What was answered last leaves with its acknowledgement: a failure between the two would repeat it.
        if (this.#headSent === 0) this.writeAcknowledgement();
        return true;
      }
      if (this.#headSent === 0) this.writeAcknowledgement();
      this.#writeFragment(this.#queue.at(0) as OutgoingMessage);
    }
    this.writeAcknowledgement();
    return false;
  }

  #writeFragment(message: OutgoingMessage): void {
    if (message.type === 'end') {
      const at = this.#writer.frame(
        frameType.shutdown,
        message.redelivered ? dataFlag.redelivered : 0,
        message.streamId,
        4,
      );
      this.#writer.view.setUint32(at, message.sequence);
      this.#sentBytes += messageOverhead;
      this.#endSent = true;
      this.#finishHead(message);
      return;
    }
    const { data } = message;
    const from = this.#headSent;
    const length = Math.min(data.length - from, this.#longestPayload);
    const last = from + length === data.length;
    const flags =
      (from === 0 ? dataFlag.begin : 0) |
      (last ? dataFlag.end : 0) |
      (message.redelivered ? dataFlag.redelivered : 0) |
      (message.inAnswerTo === 0 ? 0 : dataFlag.answer) |
      (message.lastAnswer ? dataFlag.lastAnswer : 0);
    // What was written because of a message leaves with its acknowledgement in one frame: a failure cannot part them.
    const taken = last && message.inAnswerTo === 0 ? this.#due(this.#sent + 1) : undefined;
    const payload = length === data.length ? data : data.subarray(from, from + length);
    this.#writer.data(
      frameType.data,
      taken === undefined ? flags : flags | dataFlag.acknowledges,
      message.streamId,
      message.sequence,
      message.ppid,
      taken ?? message.inAnswerTo,
      payload,
    );
    this.#sentBytes += length + messageOverhead;
    this.#headSent = from + length;
    if (last) this.#finishHead(message);
  }

  #finishHead(message: OutgoingMessage): void {
    this.#queuedBytes -= message.data.length + messageOverhead;
    this.#headSent = 0;
    this.#queue.shift();
    this.#sent++;
  }

  /** How many messages may be said to be taken when `sent` of ours have left; undefined if that was said already. */
  #due(sent: number): number | undefined {
    const markers = this.#markers;
    let count: number | undefined;
    while (this.#firstMarker < markers.length) {
      const marker = markers[this.#firstMarker] as Marker;
      if (marker.after > sent) break;
      count = marker.count;
      this.#firstMarker++;
    }
    if (count !== undefined && this.#firstMarker * 2 > markers.length) {
      this.#markers = markers.slice(this.#firstMarker);
      this.#firstMarker = 0;
    }
    return count;
  }

  /** Says what was taken, as far as everything has left that must leave before. */
  writeAcknowledgement(): void {
    const count = this.#due(this.#sent);
    if (count === undefined) return;
    const at = this.#writer.frame(frameType.acknowledgement, 0, 0, 4);
    this.#writer.view.setUint32(at, count);
  }

  /** An ASAP message to be written before the messages that wait, whatever the credit; one of its type that waits is dropped. */
  pushControl(message: Uint8Array): void {
    const type = message[0] as number;
    this.#controls.delete(type);
    this.#controls.set(type, message);
  }

  /** Writes the ASAP messages that wait. */
  writeControls(): void {
    if (this.#controls.size === 0) return;
    for (const message of this.#controls.values()) this.writeControl(asapPpid, message);
    this.#controls.clear();
  }

  writeControl(ppid: number, message: Uint8Array): void {
    this.#writer.data(frameType.data, dataFlag.begin | dataFlag.end, 0, 0, ppid, 0, message);
  }

  /** Lets the far side send up to `credit` bytes of messages, counted from the beginning. */
  writeCredit(credit: number): void {
    const at = this.#writer.frame(frameType.credit, 0, 0, 8);
    this.#writer.view.setUint32(at, Math.floor(credit / 0x1_0000_0000));
    this.#writer.view.setUint32(at + 4, credit % 0x1_0000_0000);
  }
}
