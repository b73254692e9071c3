/**
 * The sending half: messages wait for credit, leave in fragments, and acknowledgements never overtake them. It outlives
 * byte streams: what the far side has not got is sent again over the next one.
 *
 * Messages of one stream keep their order. Streams take turns, each unordered message that needs several frames is like
 * a stream of its own, and so are all those that need one.
 */

import { Fifo } from '../../fifo.js';
import type { MappingHandler, OutgoingMessage } from '../mapping.js';
import { dataFlag, expand, feature, frameType, messageOverhead } from './frame.js';
import type { Hello } from './hello.js';
import type { TcpMappingOptions } from './options.js';
import type { FrameWriter } from './writer.js';

/** An acknowledgement that must not leave before the first `after` messages have. */
interface Marker {
  readonly after: number;
  count: number;
}

type AcknowledgementHandler = Pick<MappingHandler, 'onAcknowledged' | 'onAcknowledgedEarly'>;

/** Messages that leave one after another. */
interface Lane {
  readonly key: number;
  readonly queue: Fifo<OutgoingMessage>;
  /** Bytes of the head message that have left. */
  headSent: number;
}

/** The lane of unordered messages that one frame holds; those that need more have lanes beyond it. */
const unorderedLane = 0x1_0000;

/** Bytes that a lane may send before it is the next one's turn; also of a fragment while others wait. */
const turnLength = 16 * 1024;

export class Outbound {
  #writer: FrameWriter | undefined;
  readonly #lanes = new Map<number, Lane>();
  /** The lane of the message that was given last, if it is still there. */
  #newest: Lane | undefined;
  /** The lane that was emptied last, kept: a stream’s lane comes and goes with every tick. */
  #idle: Lane | undefined;
  /** Lanes that have something to send; it is the turn of the first. */
  #ring: Lane[] = [];
  #turnLeft = turnLength;
  /** Lanes whose next message would be one unfinished message too many. */
  #stalled: Lane[] = [];
  #end: OutgoingMessage | undefined;
  /** Messages given to us, and bytes of those that have not left whole. */
  #accepted = 0;
  #queuedBytes = 0;
  /** Left whole and not acknowledged, in the order in which they left. */
  readonly #left = new Fifo<OutgoingMessage>();
  /** How many have left whole, and how many of those are acknowledged. */
  #sent = 0;
  #acknowledged = 0;
  /** All messages up to these positions have left, or are acknowledged; and further ones, out of turn. */
  #leftThrough = 0;
  readonly #leftEarly = new Set<number>();
  #acknowledgedThrough = 0;
  readonly #acknowledgedEarly = new Set<number>();
  #longestPayload = 0;
  #longestMessage = 0;
  /** What the far side can take: messages unfinished at once, and bytes of all of them but one. */
  #interleaves = false;
  #unordered = false;
  #mostOpen = 1;
  #open = 0;
  #largeOpen = false;
  /** Bytes of messages that have left over this byte stream and that may. */
  #sentBytes = 0;
  #credit = 0;
  #endSent = false;
  #lastSequence = 0;
  #markers: Marker[] = [];
  #firstMarker = 0;
  /** What was said last: over another byte stream it is to be said again. */
  #said: Marker | undefined;

  /**
   * A byte stream is open: what the far side's hello allows. `received`: how many messages it has got whole (`canResume`);
   * the others are sent again.
   */
  open(writer: FrameWriter, hello: Hello, own: TcpMappingOptions, received: number): void {
    this.#writer = writer;
    this.#longestPayload = Math.min(hello.longestPayload, own.longestPayload);
    this.#longestMessage = hello.longestMessage;
    this.#interleaves = (hello.features & feature.interleaving) !== 0;
    this.#unordered = this.#interleaves && (hello.features & feature.unordered) !== 0;
    this.#mostOpen = hello.openMessages ?? 1;
    this.#credit = hello.credit;
    this.#sentBytes = 0;
    this.#rewind(received);
  }

  /** The count whose low 32 bits the far side gives as received, if that can be true: no less than it has acknowledged. */
  canResume(low: number): number | undefined {
    const received = expand(low, this.#acknowledged);
    return received >= this.#acknowledged && received <= this.#sent ? received : undefined;
  }

  /** The byte stream is gone. */
  interrupt(): void {
    this.#writer = undefined;
  }

  /** Bytes of the largest message that the far side accepts; 0 before its hello. */
  get longestMessage(): number {
    return this.#longestMessage;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes of everything that is not acknowledged. */
  get retainedBytes(): number {
    let bytes = this.#queuedBytes;
    for (const message of this.#left.list()) bytes += message.data.length + messageOverhead;
    return bytes;
  }

  /** How many messages have left whole. */
  get sentMessages(): number {
    return this.#sent;
  }

  /** Whether everything that was given to us is acknowledged. */
  get isSettled(): boolean {
    return this.#acknowledged === this.#accepted;
  }

  /** Whether something has left that is not acknowledged, or is to leave. */
  get isOutstanding(): boolean {
    return !this.isEmpty || this.#sent > this.#acknowledged;
  }

  /** Whether our end has left, and so every message, all is acknowledged, and nothing taken remains to be acknowledged. */
  get isEnded(): boolean {
    return this.#endSent && this.#sent === this.#acknowledged && this.#firstMarker === this.#markers.length;
  }

  /** The highest sequence pushed so far: what the far side's answers are numbered near to. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  get isEmpty(): boolean {
    return this.#ring.length === 0 && this.#stalled.length === 0 && this.#end === undefined;
  }

  push(message: OutgoingMessage): void {
    message.position = ++this.#accepted;
    message.left = false;
    this.#lastSequence = Math.max(this.#lastSequence, message.sequence);
    this.#place(message);
  }

  /** More may be sent; `credit` counts from the beginning of the byte stream and never goes back. */
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

  /**
   * The far application has taken the first messages that left, so many that the low 32 bits of their count are `low`:
   * the handler is told. A text: that cannot be.
   */
  acknowledged(low: number, handler: AcknowledgementHandler): string | undefined {
    const count = expand(low, this.#acknowledged);
    if (count < this.#acknowledged || count > this.#sent)
      return `an acknowledgement of ${count} messages; ${this.#sent} were sent`;
    const before = this.#acknowledgedThrough;
    for (; this.#acknowledged < count; this.#acknowledged++) {
      const message = this.#left.shift() as OutgoingMessage;
      if (message.position !== this.#acknowledgedThrough + 1) {
        this.#acknowledgedEarly.add(message.position);
        handler.onAcknowledgedEarly(message);
        continue;
      }
      this.#acknowledgedThrough++;
      if (this.#acknowledgedEarly.size > 0)
        while (this.#acknowledgedEarly.delete(this.#acknowledgedThrough + 1)) this.#acknowledgedThrough++;
    }
    if (this.#acknowledgedThrough > before) handler.onAcknowledged(this.#acknowledgedThrough - before);
    return undefined;
  }

  /** Writes frames until `room` bytes wait in the writer, or credit or messages run out. Returns whether more could be written. */
  write(room: number): boolean {
    const writer = this.#writer as FrameWriter;
    while (this.#sentBytes < this.#credit) {
      // An end waits for all streams.
      const lane = this.#ring[0];
      if (lane === undefined && this.#end === undefined) break;
      // What was answered last leaves with its acknowledgement: a failure between the two would repeat it.
      if (this.#firstMarker !== this.#markers.length) this.writeAcknowledgement();
      if (writer.length >= room) return true;
      if (lane !== undefined) this.#writeFragment(writer, lane, lane.queue.at(0) as OutgoingMessage);
      else if (this.#end !== undefined) this.#writeEnd(writer, this.#end);
    }
    this.writeAcknowledgement();
    return false;
  }

  /** Everything from the message `received` on, and what has not left, is sent in its order; nothing is unfinished. */
  #rewind(received: number): void {
    const left = this.#left.list();
    const again = left.splice(received - this.#acknowledged);
    this.#left.clear();
    for (const message of left) this.#left.push(message);
    this.#sent = received;
    for (const message of again) message.left = false;
    for (const lane of this.#lanes.values()) again.push(...lane.queue.list());
    if (this.#end !== undefined) again.push(this.#end);
    if (again.length === 0 && this.#said === undefined) return;
    again.sort((a, b) => a.position - b.position);
    this.#lanes.clear();
    this.#newest = undefined;
    this.#idle = undefined;
    this.#ring = [];
    this.#stalled = [];
    this.#turnLeft = turnLength;
    this.#open = 0;
    this.#largeOpen = false;
    this.#queuedBytes = 0;
    this.#end = undefined;
    this.#endSent = this.#endSent && again.at(-1)?.type !== 'end';
    for (const message of again) this.#place(message);
    this.#leftThrough = (again[0]?.position ?? this.#accepted + 1) - 1;
    this.#leftEarly.clear();
    for (const position of this.#acknowledgedEarly) this.#leftEarly.add(position);
    for (const message of left) this.#leftEarly.add(message.position);
    for (const position of this.#leftEarly) if (position <= this.#leftThrough) this.#leftEarly.delete(position);
    // It may have got lost, and so may the answers before it: it follows them again.
    if (this.#said !== undefined) {
      this.#markers = [this.#said, ...this.#markers.slice(this.#firstMarker)];
      this.#firstMarker = 0;
    }
  }

  #place(message: OutgoingMessage): void {
    this.#queuedBytes += message.data.length + messageOverhead;
    if (message.type === 'end') {
      this.#end = message;
      return;
    }
    const key = this.#laneOf(message);
    let lane = this.#newest?.key === key ? this.#newest : this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, queue: new Fifo(), headSent: 0 };
      this.#lanes.set(key, lane);
    }
    if (lane.queue.length === 0) {
      this.#ring.push(lane);
      if (lane === this.#idle) this.#idle = undefined;
    }
    this.#newest = lane;
    lane.queue.push(message);
  }

  #laneOf(message: OutgoingMessage): number {
    if (!this.#interleaves) return 0;
    if (!message.unordered || !this.#unordered) return message.streamId;
    return message.data.length <= this.#longestPayload ? unorderedLane : unorderedLane + message.position;
  }

  #writeEnd(writer: FrameWriter, message: OutgoingMessage): void {
    const flags = message.redelivered ? dataFlag.redelivered : 0;
    const at = writer.frame(frameType.shutdown, flags, message.streamId, 4);
    writer.view.setUint32(at, message.sequence);
    this.#sentBytes += messageOverhead;
    this.#end = undefined;
    this.#endSent = true;
    this.#leaves(message);
  }

  #writeFragment(writer: FrameWriter, lane: Lane, message: OutgoingMessage): void {
    const { data } = message;
    const from = lane.headSent;
    const inFragments = data.length > this.#longestPayload;
    if (inFragments && from === 0 && !this.#begins(data.length)) {
      this.#stalled.push(this.#ring.shift() as Lane);
      return;
    }
    const most =
      inFragments && this.#ring.length > 1 ? Math.min(turnLength, this.#longestPayload) : this.#longestPayload;
    const length = Math.min(data.length - from, most);
    const last = from + length === data.length;
    const flags =
      (from === 0 ? dataFlag.begin : 0) |
      (last ? dataFlag.end : 0) |
      (message.redelivered ? dataFlag.redelivered : 0) |
      (message.inAnswerTo === 0 ? 0 : dataFlag.answer) |
      (message.lastAnswer ? dataFlag.lastAnswer : 0) |
      (message.unordered && this.#unordered ? dataFlag.unordered : 0);
    if (last) this.#leaves(message);
    // What was written because of a message leaves with its acknowledgement in one frame: a failure cannot part them.
    const mayTell = last && message.inAnswerTo === 0 && this.#firstMarker !== this.#markers.length;
    const taken = mayTell ? this.#due() : undefined;
    writer.data(
      frameType.data,
      taken === undefined ? flags : flags | dataFlag.acknowledges,
      message.streamId,
      message.sequence,
      message.ppid,
      taken ?? message.inAnswerTo,
      length === data.length ? data : data.subarray(from, from + length),
    );
    this.#sentBytes += length + messageOverhead;
    lane.headSent = from + length;
    if (last) this.#finishHead(lane, inFragments ? data.length : 0);
    if (this.#ring.length > 1 && this.#ring[0] === lane) this.#passTurn(lane, length + messageOverhead);
  }

  /** Whether another message may be unfinished: only one of them may be larger than its share of what the far side holds. */
  #begins(length: number): boolean {
    if (!this.#interleaves) return true;
    const isLarge = length > this.#longestMessage / this.#mostOpen;
    if (this.#open >= this.#mostOpen || (isLarge && this.#largeOpen)) return false;
    this.#open++;
    if (isLarge) this.#largeOpen = true;
    return true;
  }

  #passTurn(lane: Lane, spent: number): void {
    this.#turnLeft -= spent;
    if (this.#turnLeft > 0) return;
    this.#turnLeft = turnLength;
    this.#ring.shift();
    this.#ring.push(lane);
  }

  #remove(lane: Lane): void {
    this.#lanes.delete(lane.key);
    if (this.#newest === lane) this.#newest = undefined;
  }

  /** `unfinished`: the bytes of the message, if it was in fragments. */
  #finishHead(lane: Lane, unfinished: number): void {
    lane.headSent = 0;
    lane.queue.shift();
    if (lane.queue.length === 0) {
      if (this.#idle !== undefined) this.#remove(this.#idle);
      this.#idle = lane;
      this.#ring.shift();
      this.#turnLeft = turnLength;
    }
    if (unfinished === 0 || !this.#interleaves) return;
    this.#open--;
    if (unfinished > this.#longestMessage / this.#mostOpen) this.#largeOpen = false;
    if (this.#stalled.length === 0) return;
    // Who had to wait goes before whoever made it wait, so that large messages take turns too.
    const own = this.#ring[0] === lane ? this.#ring.splice(0, 1) : [];
    this.#ring = [...this.#stalled, ...this.#ring, ...own];
    this.#stalled = [];
  }

  #leaves(message: OutgoingMessage): void {
    message.left = true;
    this.#queuedBytes -= message.data.length + messageOverhead;
    this.#left.push(message);
    this.#sent++;
    if (message.position !== this.#leftThrough + 1) {
      this.#leftEarly.add(message.position);
      return;
    }
    this.#leftThrough++;
    if (this.#leftEarly.size > 0) while (this.#leftEarly.delete(this.#leftThrough + 1)) this.#leftThrough++;
  }

  /** How many messages may be said to be taken after what has left; undefined if that was said already. */
  #due(): number | undefined {
    const markers = this.#markers;
    const first = this.#firstMarker;
    while (this.#firstMarker < markers.length) {
      const marker = markers[this.#firstMarker] as Marker;
      if (marker.after > this.#leftThrough) break;
      this.#said = marker;
      this.#firstMarker++;
    }
    if (this.#firstMarker === first) return undefined;
    if (this.#firstMarker * 2 > markers.length) {
      this.#markers = markers.slice(this.#firstMarker);
      this.#firstMarker = 0;
    }
    return this.#said?.count;
  }

  /** Whether nothing is to leave but the word that something was taken. */
  get owesOnlyAcknowledgement(): boolean {
    return this.isEmpty && this.#firstMarker < this.#markers.length;
  }

  /** Says what was taken, as far as everything has left that must leave before. */
  writeAcknowledgement(): void {
    if (this.#writer === undefined || this.#firstMarker === this.#markers.length) return;
    const count = this.#due();
    if (count === undefined) return;
    const at = this.#writer.frame(frameType.acknowledgement, 0, 0, 4);
    this.#writer.view.setUint32(at, count);
  }
}
