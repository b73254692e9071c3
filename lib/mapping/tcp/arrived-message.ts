/** A message that came whole: its bytes where they lay, put together only for who asks for them in one. */

import type { IncomingMessage } from '../mapping.js';
import { dataFlag } from './frame.js';
import { joined } from './reader.js';

export class ArrivedMessage implements IncomingMessage {
  readonly type: 'message' | 'end';
  readonly sequence: number;
  readonly streamId: number;
  readonly ppid: number;
  readonly inAnswerTo: number;
  readonly arrival: number;
  /** Bytes of `data`. */
  readonly size: number;
  released = false;
  taken = false;
  private readonly flags: number;
  private bytes: Uint8Array | undefined;
  private parts: readonly Uint8Array[] | undefined;

  /** `flags` are the frame's. One piece is `data` as it is. */
  constructor(
    type: 'message' | 'end',
    sequence: number,
    streamId: number,
    ppid: number,
    inAnswerTo: number,
    flags: number,
    arrival: number,
    data: Uint8Array | readonly Uint8Array[],
  ) {
    this.type = type;
    this.sequence = sequence;
    this.streamId = streamId;
    this.ppid = ppid;
    this.inAnswerTo = inAnswerTo;
    this.arrival = arrival;
    this.flags = flags;
    if (data instanceof Uint8Array) {
      this.size = data.length;
      this.bytes = data;
      this.parts = undefined;
    } else {
      this.size = data.reduce((size, piece) => size + piece.length, 0);
      this.bytes = undefined;
      this.parts = data;
    }
  }

  get data(): Uint8Array {
    if (this.bytes === undefined) {
      this.bytes = joined(this.parts ?? []);
      this.parts = undefined;
    }
    return this.bytes;
  }

  get pieces(): readonly Uint8Array[] {
    return this.parts ?? [this.data];
  }

  get lastAnswer(): boolean {
    return (this.flags & dataFlag.lastAnswer) !== 0;
  }

  get redelivered(): boolean {
    return (this.flags & dataFlag.redelivered) !== 0;
  }

  get unordered(): boolean {
    return (this.flags & dataFlag.unordered) !== 0;
  }
}
