/** The writable side of a socket: bytes of the stream and messages on their way to the session, in the order of the calls. */

import type { Clock } from '../clock.js';
import { Fifo } from '../fifo.js';
import { type Message, messageTooLarge, type SendOptions } from '../session/message.js';
import type { Session } from '../session/session.js';
import { copied, copyLimit, type WriteCallback } from './written-bytes.js';

export class Outgoing {
  readonly #session: Session;
  readonly #clock: Clock;
  /** Bytes of the largest piece that a large write is cut to: a stream has no message boundaries to keep. */
  readonly #longestWrite: number;
  /** The write that waits for room. */
  #blocked: WriteCallback | undefined;
  /** Units of the stream (bytes, or characters of strings) that the blocked write holds, and that were passed on in all. */
  #blockedUnits = 0;
  #passedUnits = 0;
  /** Acknowledgements that wait for what was written before them. */
  readonly #held = new Fifo<{ readonly until: number; readonly message: Message }>();
  /** `send` has returned false. */
  #drainWanted = false;
  /** Bytes given to the session. */
  bytesWritten = 0;

  /** What messages are measured by until there is a far side with a limit of its own. */
  readonly #longestMessage: number;

  constructor(
    session: Session,
    clock: Clock,
    limits: { readonly longestPayload: number; readonly longestMessage: number },
  ) {
    this.#session = session;
    this.#clock = clock;
    this.#longestWrite = limits.longestPayload;
    this.#longestMessage = limits.longestMessage;
  }

  /** Writes bytes of the stream; `callback` when there is room for more. */
  write(chunks: readonly { chunk: Uint8Array | string; encoding: BufferEncoding }[], callback: WriteCallback): void {
    const before = this.#passedUnits;
    let room = true;
    for (const { chunk, encoding } of chunks) {
      room = this.#writeOne(chunk, encoding);
      this.#passedUnits += chunk.length;
      this.#acknowledgeHeld();
    }
    if (room) callback();
    else {
      this.#blocked = callback;
      this.#blockedUnits = this.#passedUnits - before;
    }
  }

  /** Holds a message's acknowledgement back until what is written to the stream by now has been given to the session. */
  holdBack(message: Message, streamUnits: number): 'goOn' | 'held' {
    const waiting = streamUnits - this.#blockedUnits;
    if (waiting <= 0 && this.#held.length === 0) return 'goOn';
    this.#held.push({ until: this.#passedUnits + Math.max(0, waiting), message });
    return 'held';
  }

  #acknowledgeHeld(): void {
    for (let held = this.#held.at(0); held !== undefined && held.until <= this.#passedUnits; held = this.#held.at(0)) {
      this.#held.shift();
      held.message.takeNow();
    }
  }

  /** Sends a message behind everything that was written before; false: 'drain' follows. */
  send(data: Uint8Array | string, options: SendOptions, callback: WriteCallback | undefined): boolean {
    const own = this.prepare(data);
    const room = this.#session.send(own, options, this.#told(callback));
    if (!room) this.#drainWanted = true;
    return room;
  }

  /**
   * The bytes of a message that is about to be sent, the session's own: small ones are copied. Throws
   * ERR_RSERPOOL_MESSAGE_TOO_LARGE for what the far side would not take.
   */
  prepare(data: Uint8Array | string): Uint8Array {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const limit = Math.min(this.#session.longestMessage, this.#longestMessage);
    if (bytes.length > limit) throw messageTooLarge(bytes.length, limit, undefined);
    // What the stream holds back goes first, but for what waits for a failover callback: that may send ahead.
    if (!this.#session.handingOver) this.#unblock();
    this.bytesWritten += bytes.length;
    return typeof data === 'string' || bytes.length > copyLimit ? bytes : copied(bytes);
  }

  /** The session has room again. Returns whether somebody who used `send` is to be told. */
  onRoom(): boolean {
    const wanted = this.#drainWanted;
    this.#drainWanted = false;
    this.#unblock();
    return wanted;
  }

  /** The session is over. */
  fail(error: Error): void {
    const blocked = this.#blocked;
    this.#blocked = undefined;
    blocked?.(error);
  }

  #unblock(): void {
    const blocked = this.#blocked;
    this.#blocked = undefined;
    this.#blockedUnits = 0;
    blocked?.();
  }

  /**
   * What a session is to call when a message is settled: the application's code runs at the end of the tick, so that it
   * may do as it likes with the session, or throw, while that is busy with its other messages.
   */
  #told(callback: WriteCallback | undefined): ((error: Error | undefined) => void) | undefined {
    if (callback === undefined) return undefined;
    return (error) => this.#clock.defer(() => callback(error ?? null));
  }

  #writeOne(chunk: Uint8Array | string, encoding: BufferEncoding): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.bytesWritten += bytes.length;
    if (bytes.length <= copyLimit) return this.#session.write(typeof chunk === 'string' ? bytes : copied(bytes));
    let room = true;
    for (let at = 0; at < bytes.length; at += this.#longestWrite) {
      room = this.#session.write(bytes.subarray(at, at + this.#longestWrite));
    }
    return room;
  }
}
