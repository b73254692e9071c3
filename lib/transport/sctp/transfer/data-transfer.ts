/**
 * Both halves of an association's data transfer, and what they share: packets, which carry DATA and SACK together, and the delay
 * of SACKs (RFC 9260 section 6.2).
 */

import type { Clock, Timer } from '../../../clock.js';
import type { SctpMessage } from '../sctp-stack.js';
import { writeSack } from './data-chunk.js';
import { DataReceiver, type DataReceiverEvents, type DataReceiverOptions, type InboundChunk } from './data-receiver.js';
import { DataSender, type DataSenderOptions } from './data-sender.js';
import type { RoundTrip } from './round-trip.js';

export interface DataTransferOptions {
  /** Bytes of chunks that fit one packet. */
  readonly packetRoom: number;
  /** Milliseconds that a SACK may wait for company. */
  readonly sackDelay: number;
  readonly sending: DataSenderOptions;
  readonly receiving: DataReceiverOptions;
}

export interface DataTransferEvents extends DataReceiverEvents {
  /** Sends the chunks in one packet. */
  transmit(chunks: readonly Uint8Array[]): void;
  onMessage(message: SctpMessage): void;
  onAcknowledged(count: number): void;
  onGivenUp(): void;
}

/** A SACK as it arrives. */
export interface InboundSack {
  readonly c_tsn_ack: number;
  readonly a_rwnd: number;
  readonly sack_info?: { readonly gap_blocks?: readonly { readonly start: number; readonly finish: number }[] };
}

/** Gap Ack Blocks in one SACK: a tenth of a packet. */
const maxBlocks = 40;
/** A SACK without blocks: the only one that may wait. */
const plainSackLength = 16;

export class DataTransfer {
  readonly sender: DataSender;
  readonly receiver: DataReceiver;
  readonly #clock: Clock;
  readonly #options: DataTransferOptions;
  readonly #events: DataTransferEvents;
  #state: 'opening' | 'open' | 'stopped' = 'opening';
  #sack: 'none' | 'delayed' | 'now' = 'none';
  #sackTimer: Timer | undefined;
  #packetsWithData = 0;
  #hasData = false;
  #everSacked = false;
  #flushScheduled = false;

  constructor(clock: Clock, options: DataTransferOptions, roundTrip: RoundTrip, events: DataTransferEvents) {
    this.#clock = clock;
    this.#options = options;
    this.#events = events;
    this.sender = new DataSender(clock, options.sending, roundTrip, {
      onSendable: () => this.#scheduleFlush(),
      onAcknowledged: (count) => events.onAcknowledged(count),
      onGivenUp: () => events.onGivenUp(),
    });
    this.receiver = new DataReceiver(options.receiving, events);
  }

  /** The association is up: what waits may leave. */
  open(): void {
    this.#state = 'open';
    this.#scheduleFlush();
  }

  onSack(chunk: InboundSack): void {
    this.sender.onSack(chunk.c_tsn_ack, chunk.a_rwnd, chunk.sack_info?.gap_blocks ?? []);
  }

  onData(chunk: InboundChunk): void {
    this.#hasData = true;
    this.receiver.onData(chunk);
  }

  /** The packet is read to its end: decides when its data is acknowledged. */
  endPacket(): void {
    if (!this.#hasData) return;
    this.#hasData = false;
    this.#packetsWithData++;
    if (this.#packetsWithData >= 2 || !this.#everSacked || this.receiver.isUrgent) this.#sackNow();
    else if (this.#sack === 'none') {
      this.#sack = 'delayed';
      this.#sackTimer = this.#clock.setTimeout(() => this.#sackNow(), this.#options.sackDelay, 'background');
    }
  }

  /** Hands on what was kept, and tells the peer that there is room again. */
  resume(): void {
    if (this.receiver.resume()) this.#sackNow();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#sackTimer?.cancel();
    this.sender.stop();
  }

  #sackNow(): void {
    this.#sack = 'now';
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#state === 'stopped') return;
    this.#flushScheduled = true;
    this.#clock.defer(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#state !== 'open') return;
    this.sender.beginBurst();
    let chunks: Uint8Array[];
    do {
      const sack = this.#sack === 'now' ? this.#takeSack() : undefined;
      // A SACK that may wait goes with the first data that leaves.
      const reserved = sack?.length ?? (this.#sack === 'delayed' ? plainSackLength : 0);
      chunks = this.sender.takePacket(this.#options.packetRoom - reserved);
      if (sack !== undefined) chunks.unshift(sack);
      else if (chunks.length > 0 && this.#sack === 'delayed') chunks.unshift(this.#takeSack());
      if (chunks.length > 0) this.#events.transmit(chunks);
    } while (chunks.length > 0);
  }

  #takeSack(): Buffer {
    this.#sackTimer?.cancel();
    this.#sack = 'none';
    this.#packetsWithData = 0;
    this.#everSacked = true;
    return writeSack(this.receiver.sack(maxBlocks));
  }
}
