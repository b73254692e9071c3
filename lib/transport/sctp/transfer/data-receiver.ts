/**
 * The receiving half of an association's data transfer (RFC 9260 sections 6.2, 6.5, 6.6 and 6.9): puts chunks in order,
 * messages together, and says by SACK what is here. What a peer can make it hold is bounded by the window and the longest
 * message.
 *
 * A message of several chunks waits for all that was sent before it; one of a single chunk waits for its stream alone.
 */

import { tsnAfter, tsnDistance } from '../guard/tsn.js';
import type { SctpMessage } from '../sctp-stack.js';
import type { SackFacts } from './data-chunk.js';
import { GapRanges } from './gap-ranges.js';
import { StreamOrder } from './stream-order.js';

/** A DATA chunk that arrived. */
export interface InboundChunk {
  readonly tsn: number;
  readonly streamId: number;
  readonly ssn: number;
  readonly ppid: number;
  readonly begin: boolean;
  readonly end: boolean;
  readonly unordered: boolean;
  readonly data: Uint8Array;
}

export interface DataReceiverOptions {
  readonly initialTsn: number;
  /** Bytes that may be held: out of order, or not yet taken. */
  readonly window: number;
  /** Bytes of the largest message that is put together. */
  readonly longestMessage: number;
}

export interface DataReceiverEvents {
  onMessage(message: SctpMessage): void;
  /** The peer breaks the protocol or a limit: `reason` says how. Nothing more is to be given to this receiver. */
  onFault(code: 'ERR_RSERPOOL_PROTOCOL' | 'ERR_RSERPOOL_LIMIT', reason: string): void;
}

/** What a held chunk costs of the window beside its bytes, so that tiny ones cannot multiply. */
const chunkCost = 64;
const maxDuplicates = 50;
/** Furthest offset that a Gap Ack Block can name. */
const furthest = 0xffff;

export class DataReceiver {
  readonly #options: DataReceiverOptions;
  readonly #events: DataReceiverEvents;
  readonly #order: StreamOrder;
  #cumulative: number;
  readonly #gaps = new GapRanges();
  /** Chunks behind a gap; undefined for those that were whole messages, which their stream's order has already. */
  readonly #early = new Map<number, InboundChunk | undefined>();
  #earlyBytes = 0;
  /** The message that is being put together: its chunks have consecutive TSNs. */
  #partial: InboundChunk[] = [];
  #partialBytes = 0;
  #duplicates: number[] = [];
  /** Messages kept back while paused. */
  #kept: SctpMessage[] = [];
  #keptBytes = 0;
  #paused = false;
  #faulty = false;

  constructor(options: DataReceiverOptions, events: DataReceiverEvents) {
    this.#options = options;
    this.#events = events;
    this.#cumulative = tsnAfter(options.initialTsn, -1);
    this.#order = new StreamOrder((message) => this.#deliver(message));
  }

  /** The Cumulative TSN Ack. */
  get cumulative(): number {
    return this.#cumulative;
  }

  /** Whether the next SACK has something urgent to say (section 6.7). */
  get isUrgent(): boolean {
    return !this.#gaps.isEmpty || this.#duplicates.length > 0;
  }

  /** The receive window that is left, in bytes. */
  get window(): number {
    const held = this.#earlyBytes + this.#order.heldBytes + this.#keptBytes;
    return Math.max(0, this.#options.window - held);
  }

  /** What a SACK says now; `most`: Gap Ack Blocks that fit. Duplicates are told once. */
  sack(most: number): SackFacts {
    const duplicates = this.#duplicates;
    this.#duplicates = [];
    return { cumulative: this.#cumulative, window: this.window, blocks: this.#gaps.blocks(most), duplicates };
  }

  onData(chunk: InboundChunk): void {
    if (this.#faulty) return;
    const offset = tsnDistance(this.#cumulative, chunk.tsn);
    if (offset === 0 || offset > 0x7fff_ffff) {
      this.#duplicate(chunk.tsn);
      return;
    }
    if (offset > furthest) return;
    if (offset === 1) {
      // While paused the window is what holds a peer back; one that ignores it is not heard.
      if (this.#paused && this.window === 0) return;
      this.#next(chunk);
      this.#drainEarly();
      return;
    }
    if (this.window < chunk.data.length + chunkCost) return;
    if (!this.#gaps.add(offset)) {
      this.#duplicate(chunk.tsn);
      return;
    }
    const isWhole = chunk.begin && chunk.end;
    this.#early.set(chunk.tsn, isWhole ? undefined : chunk);
    this.#earlyBytes += chunkCost + (isWhole ? 0 : chunk.data.length);
    if (isWhole) this.#order.complete(messageOf(chunk, chunk.data), chunk.ssn);
  }

  /** Stops handing messages on. */
  pause(): void {
    this.#paused = true;
  }

  /** Hands on what was kept and goes on; returns whether the window has opened, so that the peer is to be told. */
  resume(): boolean {
    if (!this.#paused) return false;
    this.#paused = false;
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const [index, one] of kept.entries()) {
      // A handler may pause again.
      if (this.#paused) {
        this.#kept = [...kept.slice(index), ...this.#kept];
        for (const { data } of kept.slice(index)) this.#keptBytes += data.length + chunkCost;
        break;
      }
      this.#events.onMessage(one);
    }
    return kept.length > 0;
  }

  #duplicate(tsn: number): void {
    if (this.#duplicates.length < maxDuplicates) this.#duplicates.push(tsn);
  }

  #drainEarly(): void {
    for (;;) {
      const tsn = tsnAfter(this.#cumulative, 1);
      if (this.#faulty || !this.#early.has(tsn)) return;
      const chunk = this.#early.get(tsn);
      this.#early.delete(tsn);
      this.#earlyBytes -= chunkCost + (chunk?.data.length ?? 0);
      if (chunk !== undefined) this.#next(chunk);
      else if (this.#partial.length > 0) this.#fault('ERR_RSERPOOL_PROTOCOL', 'a message within another');
      else this.#advance();
    }
  }

  #advance(): void {
    this.#cumulative = tsnAfter(this.#cumulative, 1);
    this.#gaps.advance(1);
  }

  /** The chunk after the Cumulative TSN Ack. */
  #next(chunk: InboundChunk): void {
    this.#advance();
    const first = this.#partial[0];
    if (chunk.begin) {
      if (first !== undefined) this.#fault('ERR_RSERPOOL_PROTOCOL', 'a message begins within another');
      else if (chunk.end) this.#order.complete(messageOf(chunk, chunk.data), chunk.ssn);
      else this.#append(chunk);
      return;
    }
    if (first === undefined || first.streamId !== chunk.streamId || first.unordered !== chunk.unordered) {
      this.#fault('ERR_RSERPOOL_PROTOCOL', 'a fragment without a beginning');
      return;
    }
    this.#append(chunk);
    if (!chunk.end || this.#faulty) return;
    const parts = this.#partial.map(({ data }) => data);
    const whole = Buffer.concat(parts, this.#partialBytes);
    this.#partial = [];
    this.#partialBytes = 0;
    this.#order.complete(messageOf(first, whole), first.ssn);
  }

  #append(chunk: InboundChunk): void {
    this.#partial.push(chunk);
    this.#partialBytes += chunk.data.length;
    const most = this.#options.longestMessage;
    // Tiny fragments cost more than their bytes.
    if (this.#partialBytes + chunkCost * this.#partial.length <= most + most / 4 + 4096) {
      if (this.#partialBytes <= most) return;
    }
    this.#fault('ERR_RSERPOOL_LIMIT', `a message of more than ${most} bytes`);
  }

  #deliver(message: SctpMessage): void {
    if (this.#faulty) return;
    if (!this.#paused) {
      this.#events.onMessage(message);
      return;
    }
    this.#kept.push(message);
    this.#keptBytes += message.data.length + chunkCost;
  }

  #fault(code: 'ERR_RSERPOOL_PROTOCOL' | 'ERR_RSERPOOL_LIMIT', reason: string): void {
    this.#faulty = true;
    this.#partial = [];
    this.#events.onFault(code, reason);
  }
}

function messageOf(chunk: InboundChunk, data: Uint8Array): SctpMessage {
  return { data, streamId: chunk.streamId, ppid: chunk.ppid, unordered: chunk.unordered };
}
