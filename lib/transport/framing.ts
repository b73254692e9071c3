/**
 * A message channel over a byte stream: ASAP and ENRP messages carry their own length (RFC 5354 section 4), so a TCP
 * connection needs nothing else to keep their boundaries. A byte stream has no payload protocol identifiers; the
 * channel's owner says which protocol it speaks (11: ASAP, RFC 5352 section 5; 12: ENRP).
 */

import { RserpoolError } from '../errors.js';
import type { WireFault } from '../wire/decoded.js';
import { MessageFramer } from '../wire/framer.js';
import type { ByteStream, MessageChannel, MessageChannelHandler, TransportAddress } from './transport.js';

export interface FramedChannelOptions {
  /** The payload protocol identifier of every message. */
  readonly ppid: number;
  /** Bytes of one message that the far side may send, padding included. Default: 65,538, the most that can be. */
  readonly maxMessageSize?: number;
  /**
   * The stream became unreadable. Called before the channel ends, so that the owner may tell the far side why; the
   * channel then ends by itself, after what was sent.
   */
  readonly onFault?: (fault: WireFault) => void;
}

/** More is written at once: what a far side that does not read makes us keep is to be known to its owner. */
const maxBatchedBytes = 65_536;

const silent: MessageChannelHandler = { onMessage() {}, onClose() {} };

/** The stream ends in order: after `close` the far side is expected to end too; an owner that cannot wait aborts. */
export class FramedChannel implements MessageChannel {
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  /** A message's bytes are valid until `onMessage` returns. */
  handler: MessageChannelHandler = silent;
  readonly #stream: ByteStream;
  readonly #framer: MessageFramer;
  readonly #options: FramedChannelOptions;
  /** 'ending': our direction is ended and nothing is read any more; the far side's end is awaited. */
  #state: 'open' | 'ending' | 'closed' = 'open';
  #error: Error | undefined;
  /** What was sent while a chunk is read: it leaves in one write after it. undefined: nothing is being read. */
  #batch: Uint8Array[] | undefined;
  #batchedBytes = 0;

  /** Takes the stream over: sets its handler. */
  constructor(stream: ByteStream, options: FramedChannelOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#framer = new MessageFramer(
      options.maxMessageSize === undefined ? {} : { maxMessageSize: options.maxMessageSize },
    );
    this.localAddress = stream.localAddress;
    this.remoteAddress = stream.remoteAddress;
    stream.handler = {
      onData: (chunk) => this.receive(chunk),
      onDrain() {},
      onEnd: () => this.#onEnd(),
      onClose: (error) => this.#onClose(error),
    };
  }

  get bufferedBytes(): number {
    return this.#stream.bufferedBytes + this.#batchedBytes;
  }

  /** Reads bytes as if the stream had delivered them: those that were read to find out what it speaks. */
  receive(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#batch ??= [];
    const fault = this.#framer.push(chunk, this.#onMessage);
    this.#flush();
    this.#batch = undefined;
    if (fault === undefined || this.#state !== 'open') return;
    this.#options.onFault?.(fault);
    this.#error = new RserpoolError('ERR_RSERPOOL_PROTOCOL', {
      detail: `${fault.reason} (${fault.section})`,
      origin: 'remote',
    });
    this.close();
  }

  /** `ppid` is not carried: a byte stream is one protocol's. Answers to one chunk leave together. */
  send(message: Uint8Array, _ppid: number): void {
    if (this.#state !== 'open') return;
    if (this.#batch === undefined) {
      this.#stream.write([message]);
      return;
    }
    this.#batch.push(message);
    this.#batchedBytes += message.length;
    if (this.#batchedBytes >= maxBatchedBytes) this.#flush();
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.#state = 'ending';
    this.#framer.stop();
    this.#stream.end();
  }

  abort(): void {
    if (this.#state === 'closed') return;
    this.#state = 'ending';
    this.#framer.stop();
    this.#stream.destroy();
  }

  ref(): void {
    this.#stream.ref();
  }

  unref(): void {
    this.#stream.unref();
  }

  readonly #onMessage = (message: Uint8Array): void => {
    if (this.#state === 'open') this.handler.onMessage(message, this.#options.ppid);
  };

  /** One write, and one chunk: to hand a system call many small ones costs more than to copy them. */
  #flush(): void {
    const batch = this.#batch;
    if (batch === undefined || batch.length === 0) return;
    const length = this.#batchedBytes;
    this.#batch = [];
    this.#batchedBytes = 0;
    if (this.#state === 'open')
      this.#stream.write([batch.length === 1 ? (batch[0] as Uint8Array) : Buffer.concat(batch, length)]);
  }

  #onEnd(): void {
    if (this.#state === 'open' && this.#framer.pendingBytes > 0) {
      this.#error = new RserpoolError('ERR_RSERPOOL_CONNECTION_BROKEN', {
        detail: 'in the middle of a message',
        origin: 'remote',
      });
    }
    // Requests whose answers cannot be awaited are of no use: neither protocol has a half-open state.
    this.#state = this.#state === 'closed' ? 'closed' : 'ending';
    this.#stream.end();
  }

  #onClose(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.handler.onClose(this.#error ?? error);
  }
}
