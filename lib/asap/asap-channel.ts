/**
 * ASAP over one message channel, for both ends of it: messages as data in and out, the ASAP_ERROR that each rule of
 * RFC 5354 sections 3 and 4 asks for (RFC 5352 section 2.2.14), and a bound on what a slow reader makes us keep.
 */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import { FramedChannel } from '../transport/framing.js';
import { type ByteStream, formatAddress, type MessageChannel, type TransportAddress } from '../transport/transport.js';
import { decodeAsap, encodeAsap } from '../wire/asap.js';
import type { AsapMessage } from '../wire/messages.js';
import { causeName } from '../wire/operation-error.js';
import type { ErrorCause } from '../wire/parameters.js';

/** The payload protocol identifier of ASAP (RFC 5352 section 8.3). */
export const asapPpid = 11;

/** Limits of one ASAP channel. */
export interface AsapChannelLimits {
  /** Bytes of one message that the far side may send, padding included. Default: 65,538, the most that can be. */
  readonly maxMessageSize: number;
  /** Bytes that may wait for a far side that does not read; more ends the channel with ERR_RSERPOOL_LIMIT. Default: 1 MiB. */
  readonly maxBacklog: number;
  /** Milliseconds that the far side has, once one direction has ended, to take what was sent and end its own. Default: 1,000. */
  readonly closeTimeout: number;
}

export const defaultAsapChannelLimits: AsapChannelLimits = {
  maxMessageSize: 65_538,
  maxBacklog: 1024 * 1024,
  closeTimeout: 1_000,
};

export interface AsapChannelHandler {
  /** A well-formed message other than ASAP_ERROR; `size` is its bytes on the wire, padding included. */
  onMessage(message: AsapMessage, size: number): void;
  /** The far side reports an error (ASAP_ERROR). It is in the diagnostics already. */
  onErrorReport?(errors: readonly ErrorCause[]): void;
  /** Exactly once and last; `error` is undefined after an orderly end or our own. */
  onClose(error: Error | undefined): void;
}

interface MessageFacts {
  readonly remote: TransportAddress;
  readonly message: AsapMessage;
}
const sent = diagnosticEvent<MessageFacts>('asap', 'message-sent');
const received = diagnosticEvent<MessageFacts>('asap', 'message-received');
/** Bytes that are no message, or a message that its rule says to discard. */
const refused = diagnosticEvent<{ remote: TransportAddress; reason: string }>('asap', 'message-refused');
const errorReported = diagnosticEvent<{ remote: TransportAddress; errors: readonly string[] }>(
  'asap',
  'error-reported',
);

/** The type of ASAP_ERROR (RFC 5352 section 2.2.14): never answered with another one. */
const asapErrorType = 0x0e;

export class AsapChannel {
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  handler: AsapChannelHandler;
  readonly #channel: MessageChannel;
  readonly #clock: Clock;
  readonly #limits: AsapChannelLimits;
  /** 'ending': nothing is sent or handed on any more; `onClose` is due. */
  #state: 'open' | 'ending' | 'closed' = 'open';
  #error: Error | undefined;
  #closeTimer: Timer | undefined;

  /** Takes the message channel over: sets its handler. */
  constructor(channel: MessageChannel, handler: AsapChannelHandler, clock: Clock, limits: AsapChannelLimits) {
    this.#channel = channel;
    this.#clock = clock;
    this.#limits = limits;
    this.handler = handler;
    this.localAddress = channel.localAddress;
    this.remoteAddress = channel.remoteAddress;
    channel.handler = {
      onMessage: (bytes, ppid) => this.#onMessage(bytes, ppid),
      onClose: (error) => this.#onClose(error),
    };
  }

  /** Whether messages can be sent. */
  get open(): boolean {
    return this.#state === 'open';
  }

  /** Sends a message; returns false if the channel is not open any more. */
  send(message: AsapMessage): boolean {
    if (this.#state !== 'open') return false;
    this.sendEncoded(encodeAsap(message));
    if (sent.watched) sent.publish({ remote: this.remoteAddress, message });
    return true;
  }

  /** Sends a message that `encodeAsap` made: one encoding for many receivers. */
  sendEncoded(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#channel.send(bytes, asapPpid);
    if (this.#channel.bufferedBytes <= this.#limits.maxBacklog) return;
    const detail = `${formatAddress(this.remoteAddress)} does not read: more than ${this.#limits.maxBacklog} bytes wait`;
    this.abort(new RserpoolError('ERR_RSERPOOL_LIMIT', { detail, origin: 'remote' }));
  }

  /** Ends after what was sent; a far side that does not end in turn within `closeTimeout` is cut off. */
  close(error?: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#error = error;
    this.#channel.close();
    this.#armCloseTimer();
  }

  /** Ends at once. */
  abort(error?: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'ending';
    this.#error ??= error;
    this.#channel.abort();
  }

  ref(): void {
    this.#channel.ref();
  }

  unref(): void {
    this.#channel.unref();
  }

  /** The far side ended its direction (called by the framing): it too has `closeTimeout` to take what was sent. */
  onFarEnd(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#armCloseTimer();
  }

  /** The stream beneath became unreadable: says why and ends (called by the framing). */
  fail(cause: ErrorCause, reason: string): void {
    if (this.#state !== 'open') return;
    if (refused.watched) refused.publish({ remote: this.remoteAddress, reason });
    this.#report([cause]);
    this.close(new RserpoolError('ERR_RSERPOOL_PROTOCOL', { detail: reason, origin: 'remote' }));
  }

  #onMessage(bytes: Uint8Array, ppid: number): void {
    // Another protocol's message on this association is not ours to judge.
    if (this.#state !== 'open' || ppid !== asapPpid) return;
    const decoded = decodeAsap(bytes);
    const mayAnswer = bytes[0] !== asapErrorType;
    if (decoded.type === 'protocolError') {
      const reason = `${decoded.fault.reason} (${decoded.fault.section})`;
      if (mayAnswer) this.fail(decoded.fault.cause, reason);
      else this.close(new RserpoolError('ERR_RSERPOOL_PROTOCOL', { detail: reason, origin: 'remote' }));
      return;
    }
    if (decoded.report.length > 0 && mayAnswer) this.#report(decoded.report);
    if (decoded.type === 'discard') {
      if (refused.watched) refused.publish({ remote: this.remoteAddress, reason: 'unrecognized' });
      return;
    }
    const { message } = decoded;
    if (received.watched) received.publish({ remote: this.remoteAddress, message });
    if (message.type !== 'asapError') {
      this.handler.onMessage(message, bytes.length);
      return;
    }
    if (errorReported.watched) {
      errorReported.publish({
        remote: this.remoteAddress,
        errors: message.errors.map((cause) => causeName(cause.code)),
      });
    }
    this.handler.onErrorReport?.(message.errors);
  }

  #armCloseTimer(): void {
    this.#closeTimer = this.#clock.setTimeout(() => this.#channel.abort(), this.#limits.closeTimeout, 'background');
  }

  #report(errors: readonly ErrorCause[]): void {
    this.send({ type: 'asapError', errors });
  }

  #onClose(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeTimer?.cancel();
    this.handler.onClose(this.#error ?? error);
  }
}

/** An ASAP channel over a byte stream, whose handler it sets, and the way to feed it what was already read. */
export interface FramedAsapChannel {
  readonly channel: AsapChannel;
  readonly receive: (chunk: Uint8Array) => void;
}

/** Speaks ASAP over a byte stream: a TCP or TLS connection. */
export function openAsapChannel(
  stream: ByteStream,
  handler: AsapChannelHandler,
  clock: Clock,
  limits: AsapChannelLimits,
): FramedAsapChannel {
  const framed: FramedChannel = new FramedChannel(stream, {
    ppid: asapPpid,
    maxMessageSize: limits.maxMessageSize,
    onFault: (fault) => channel.fail(fault.cause, `${fault.reason} (${fault.section})`),
  });
  const channel = new AsapChannel(framed, handler, clock, limits);
  const framing = stream.handler;
  stream.handler = {
    ...framing,
    onEnd() {
      channel.onFarEnd();
      framing.onEnd();
    },
  };
  return { channel, receive: (chunk) => framed.receive(chunk) };
}
