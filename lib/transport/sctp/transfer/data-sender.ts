/**
 * The sending half of an association's data transfer (RFC 9260 sections 6.1, 6.3, 7.2 and 6.9): cuts messages into chunks,
 * keeps them until they are acknowledged, sends again what is lost, and never more than network and peer can take.
 */

import type { Clock, Timer } from '../../../clock.js';
import { tsnAfter, tsnDistance } from '../guard/tsn.js';
import type { SctpMessage, SctpRetrieval, SctpSendInfo } from '../sctp-stack.js';
import { Congestion } from './congestion.js';
import { dataFlag, dataHeaderLength, writeData } from './data-chunk.js';
import type { OutboundChunk, OutboundMessage } from './outbound-message.js';
import type { RoundTrip } from './round-trip.js';

export interface DataSenderOptions {
  /** Bytes of chunks that fit one packet. */
  readonly packetRoom: number;
  readonly initialTsn: number;
  /** The peer's receive window at first, in bytes. */
  readonly peerWindow: number;
  /** How often the same data is sent again before the peer is given up (RFC 9260 section 8.1). */
  readonly maxRetransmissions: number;
}

export interface DataSenderEvents {
  /** There is something to send: `takePacket` is to be called at the end of this tick. */
  onSendable(): void;
  /** The `count` oldest messages are acknowledged whole. */
  onAcknowledged(count: number): void;
  /** The peer takes nothing, however often it is sent. */
  onGivenUp(): void;
}

/** Packets that leave at once however large the window is (RFC 9260 section 6.1, rule D). */
const maxBurst = 16;
/** SACKs that must report a chunk missing before it is taken for lost (section 7.2.4). */
const missingReports = 3;

export class DataSender {
  readonly #clock: Clock;
  readonly #options: DataSenderOptions;
  readonly #roundTrip: RoundTrip;
  readonly #events: DataSenderEvents;
  readonly #congestion: Congestion;
  readonly #ssns = new Map<number, number>();
  /** Messages that have not left whole; the first may have left in part. */
  #queue: OutboundMessage[] = [];
  #queueHead = 0;
  /** What has left and is not cumulatively acknowledged: consecutive TSNs. */
  #chunks: OutboundChunk[] = [];
  #chunksHead = 0;
  #nextTsn: number;
  #cumulative: number;
  #flight = 0;
  #lost = 0;
  #peerWindow: number;
  #bufferedBytes = 0;
  #unacknowledgedMessages = 0;
  /** Until this TSN is acknowledged the window is not cut again (section 7.2.4). */
  #recoveryEnd: number | undefined;
  #t3: Timer | undefined;
  #timeouts = 0;
  #burst = 0;
  #stopped = false;

  constructor(clock: Clock, options: DataSenderOptions, roundTrip: RoundTrip, events: DataSenderEvents) {
    this.#clock = clock;
    this.#options = options;
    this.#roundTrip = roundTrip;
    this.#events = events;
    this.#congestion = new Congestion(options.packetRoom, options.peerWindow);
    this.#nextTsn = options.initialTsn >>> 0;
    this.#cumulative = tsnAfter(options.initialTsn, -1);
    this.#peerWindow = options.peerWindow;
  }

  /** Bytes of messages that are not acknowledged. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Whether all that was given is acknowledged. */
  get isEmpty(): boolean {
    return this.#unacknowledgedMessages === 0;
  }

  push(data: Uint8Array, info: SctpSendInfo): void {
    const { streamId, ppid, unordered = false } = info;
    this.#queue.push({ data, streamId, ppid, unordered, ssn: 0, sentBytes: 0, whole: false });
    this.#bufferedBytes += data.length;
    this.#unacknowledgedMessages++;
    this.#events.onSendable();
  }

  /** A new burst may begin: once a tick. */
  beginBurst(): void {
    this.#burst = 0;
  }

  /** The chunks of the next packet, none longer together than `room`; empty if nothing may leave now. */
  takePacket(room: number): Buffer[] {
    const chunks: Buffer[] = [];
    if (this.#stopped || this.#burst >= maxBurst) return chunks;
    const left = this.#takeLost(chunks, room);
    this.#takeNew(chunks, left);
    if (chunks.length === 0) return chunks;
    this.#burst++;
    if (this.#t3 === undefined) this.#armT3();
    return chunks;
  }

  /** A SACK came, well formed and about TSNs that were sent (the guard has seen to it). */
  onSack(
    cumulative: number,
    window: number,
    blocks: readonly { readonly start: number; readonly finish: number }[],
  ): void {
    if (this.#stopped) return;
    const advance = tsnDistance(this.#cumulative, cumulative);
    // One that was overtaken by a newer one tells nothing.
    if (advance > this.#chunks.length - this.#chunksHead) return;
    const before = this.#flight;
    const acknowledged = this.#acknowledgeUpTo(advance);
    const highest = this.#markReceived(blocks);
    this.#peerWindow = window;
    if (this.#recoveryEnd !== undefined && tsnDistance(this.#recoveryEnd, cumulative) < 0x8000_0000) {
      this.#recoveryEnd = undefined;
    }
    this.#reportMissing(highest);
    this.#timeouts = 0;
    if (advance > 0) {
      if (this.#recoveryEnd === undefined) this.#congestion.acknowledged(acknowledged.bytes, before);
      this.#stopT3();
      if (this.#chunksHead < this.#chunks.length) this.#armT3();
    }
    if (acknowledged.messages > 0) this.#events.onAcknowledged(acknowledged.messages);
    this.#events.onSendable();
  }

  /** A SHUTDOWN came, which acknowledges without a word about gaps and window (RFC 9260 section 9.2). */
  acknowledge(cumulative: number): void {
    const advance = tsnDistance(this.#cumulative, cumulative);
    if (this.#stopped || advance === 0 || advance > this.#chunks.length - this.#chunksHead) return;
    const { messages } = this.#acknowledgeUpTo(advance);
    if (messages > 0) this.#events.onAcknowledged(messages);
    this.#events.onSendable();
  }

  retrieve(): SctpRetrieval {
    const plain = ({ data, streamId, ppid, unordered }: OutboundMessage): SctpMessage => ({
      data,
      streamId,
      ppid,
      unordered,
    });
    const waiting = this.#queue.slice(this.#queueHead);
    const left = new Set<OutboundMessage>();
    for (let i = this.#chunksHead; i < this.#chunks.length; i++) left.add(this.#chunks[i]!.message);
    for (const message of waiting) if (message.sentBytes > 0) left.add(message);
    return {
      unsent: waiting.filter(({ sentBytes }) => sentBytes === 0).map(plain),
      unacknowledged: [...left].map(plain),
    };
  }

  /** Sends nothing any more. What is here can still be retrieved. */
  stop(): void {
    this.#stopped = true;
    this.#stopT3();
  }

  #takeLost(chunks: Buffer[], room: number): number {
    let left = room;
    for (let i = this.#chunksHead; this.#lost > 0 && i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i]!;
      if (chunk.state !== 'lost') continue;
      const size = chunk.to - chunk.from;
      const taken = (dataHeaderLength + size + 3) & ~3;
      if (taken > left || !this.#mayLeave(size)) break;
      this.#lost--;
      left -= taken;
      chunks.push(this.#write(chunk));
    }
    return left;
  }

  #takeNew(chunks: Buffer[], room: number): void {
    let left = room;
    while (this.#lost === 0 && this.#queueHead < this.#queue.length) {
      const message = this.#queue[this.#queueHead]!;
      const rest = message.data.length - message.sentBytes;
      const largest = this.#options.packetRoom - dataHeaderLength;
      const size = Math.min(rest, largest & ~3);
      const taken = (dataHeaderLength + size + 3) & ~3;
      if (taken > left || !this.#mayLeave(size)) return;
      left -= taken;
      chunks.push(this.#write(this.#cut(message, size)));
    }
  }

  /** Rules A and B of section 6.1; what is under way when the peer has no room is the probe of its window. */
  #mayLeave(size: number): boolean {
    if (this.#flight === 0) return true;
    return this.#flight < this.#congestion.window && this.#flight + size <= this.#peerWindow;
  }

  #cut(message: OutboundMessage, size: number): OutboundChunk {
    const from = message.sentBytes;
    if (from === 0 && !message.unordered) {
      message.ssn = this.#ssns.get(message.streamId) ?? 0;
      this.#ssns.set(message.streamId, (message.ssn + 1) & 0xffff);
    }
    const to = from + size;
    message.sentBytes = to;
    message.whole = to === message.data.length;
    const flags =
      (from === 0 ? dataFlag.begin : 0) |
      (message.whole ? dataFlag.end : 0) |
      (message.unordered ? dataFlag.unordered : 0);
    const chunk: OutboundChunk = {
      tsn: this.#nextTsn,
      message,
      from,
      to,
      flags,
      state: 'inFlight',
      sentAt: 0,
      sent: 0,
      missing: 0,
      reportedFrom: this.#nextTsn,
    };
    this.#nextTsn = tsnAfter(this.#nextTsn, 1);
    this.#chunks.push(chunk);
    if (message.whole) this.#dropQueueHead();
    return chunk;
  }

  #dropQueueHead(): void {
    this.#queueHead++;
    if (this.#queueHead < 1024 || this.#queueHead * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#queueHead);
    this.#queueHead = 0;
  }

  #write(chunk: OutboundChunk): Buffer {
    const { message } = chunk;
    chunk.state = 'inFlight';
    if (chunk.sent++ > 0) chunk.reportedFrom = this.#nextTsn;
    chunk.missing = 0;
    chunk.sentAt = this.#clock.now();
    this.#flight += chunk.to - chunk.from;
    const payload = message.data.subarray(chunk.from, chunk.to);
    return writeData(chunk.tsn, chunk.flags, message.streamId, message.ssn, message.ppid, payload);
  }

  #acknowledgeUpTo(advance: number): { readonly bytes: number; readonly messages: number } {
    let bytes = 0;
    let messages = 0;
    for (let i = 0; i < advance; i++) {
      const chunk = this.#chunks[this.#chunksHead++]!;
      bytes += this.#received(chunk);
      // The last chunk of a message has the highest TSN: all before it are here too.
      if ((chunk.flags & dataFlag.end) === 0) continue;
      messages++;
      this.#unacknowledgedMessages--;
      this.#bufferedBytes -= chunk.message.data.length;
    }
    this.#cumulative = tsnAfter(this.#cumulative, advance);
    if (this.#chunksHead >= 1024 && this.#chunksHead * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#chunksHead);
      this.#chunksHead = 0;
    }
    return { bytes, messages };
  }

  /** The peer has the chunk: returns its bytes if that is news. */
  #received(chunk: OutboundChunk): number {
    const size = chunk.to - chunk.from;
    const { state } = chunk;
    chunk.state = 'received';
    if (state === 'received') return 0;
    if (state === 'lost') this.#lost--;
    else this.#flight -= size;
    if (chunk.sent === 1) this.#roundTrip.measured(this.#clock.now() - chunk.sentAt);
    return size;
  }

  /** Notes the Gap Ack Blocks; returns how many chunks there are up to the highest that is newly acknowledged. */
  #markReceived(blocks: readonly { readonly start: number; readonly finish: number }[]): number {
    let highest = 0;
    let at = this.#chunksHead;
    const end = this.#chunks.length;
    for (const { start, finish } of blocks) {
      const from = Math.min(this.#chunksHead + start - 1, end);
      // What a peer reported and does not report any more it has thrown away (section 6.2.1).
      for (; at < from; at++) this.#renege(this.#chunks[at]!);
      for (; at < end && at < this.#chunksHead + finish; at++) {
        if (this.#received(this.#chunks[at]!) > 0) highest = at - this.#chunksHead + 1;
      }
    }
    for (; at < end && this.#chunks[at]!.state === 'received'; at++) this.#renege(this.#chunks[at]!);
    return highest;
  }

  #renege(chunk: OutboundChunk): void {
    if (chunk.state !== 'received') return;
    chunk.state = 'lost';
    this.#lost++;
  }

  /** `highest`: how many chunks there are up to the highest one that a SACK newly acknowledged (section 7.2.4). */
  #reportMissing(highest: number): void {
    const end = this.#chunksHead + highest;
    const newest = tsnAfter(this.#cumulative, highest);
    for (let i = this.#chunksHead; i < end; i++) {
      const chunk = this.#chunks[i]!;
      if (chunk.state !== 'inFlight') continue;
      // One that was sent again is missing only if something that left after it has arrived.
      if (tsnDistance(chunk.reportedFrom, newest) >= 0x8000_0000) continue;
      if (++chunk.missing < missingReports) continue;
      chunk.state = 'lost';
      this.#lost++;
      this.#flight -= chunk.to - chunk.from;
      if (this.#recoveryEnd !== undefined) continue;
      this.#congestion.lost();
      this.#recoveryEnd = tsnAfter(this.#nextTsn, -1);
    }
  }

  #armT3(): void {
    this.#t3 = this.#clock.setTimeout(() => this.#onT3(), this.#roundTrip.rto);
  }

  #stopT3(): void {
    this.#t3?.cancel();
    this.#t3 = undefined;
  }

  /** Section 6.3.3: everything under way counts as lost, and one packet probes. */
  #onT3(): void {
    this.#t3 = undefined;
    if (this.#chunksHead === this.#chunks.length) return;
    if (++this.#timeouts > this.#options.maxRetransmissions) {
      this.#events.onGivenUp();
      return;
    }
    this.#roundTrip.backOff();
    this.#congestion.timedOut();
    this.#recoveryEnd = undefined;
    for (let i = this.#chunksHead; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i]!;
      if (chunk.state === 'inFlight') {
        chunk.state = 'lost';
        this.#lost++;
      }
    }
    this.#flight = 0;
    this.#armT3();
    this.#events.onSendable();
  }
}
