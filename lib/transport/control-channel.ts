/**
 * ASAP or ENRP over one message channel, for both ends of it: messages as data in and out, the error report that each
 * rule of RFC 5354 sections 3 and 4 asks for (RFC 5352 section 2.2.14, RFC 5353 section 2.10), and a bound on what a far
 * side that does not read makes us keep.
 */

import type { Clock, Timer } from '../clock.js';
import { type DiagnosticEvent, type DiagnosticRoom, diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import type { Decoded } from '../wire/decoded.js';
import { causeName } from '../wire/operation-error.js';
import type { ErrorCause } from '../wire/parameters.js';
import { FramedChannel } from './framing.js';
import { type ByteStream, formatAddress, type MessageChannel, type TransportAddress } from './transport.js';

/** Limits of one control channel. */
export interface ControlChannelLimits {
  /** Bytes of one message that the far side may send, padding included. */
  readonly maxMessageSize: number;
  /** Bytes that may wait for a far side that does not read; more ends the channel with ERR_RSERPOOL_LIMIT. */
  readonly maxBacklog: number;
  /** Milliseconds that the far side has, once one direction has ended, to take what was sent and end its own. */
  readonly closeTimeout: number;
}

export interface ControlChannelHandler<Message> {
  /** A well-formed message; `size` is its bytes on the wire, padding included. */
  onMessage(message: Message, size: number): void;
  /** The far side reports an error. It is in the diagnostics already. */
  onErrorReport?(errors: readonly ErrorCause[]): void;
  /** Exactly once and last; `error` is undefined after an orderly end or our own. */
  onClose(error: Error | undefined): void;
}

interface ControlEvents<Message> {
  readonly sent: DiagnosticEvent<{ readonly remote: TransportAddress; readonly message: Message }>;
  readonly received: DiagnosticEvent<{ readonly remote: TransportAddress; readonly message: Message }>;
  /** Bytes that are no message, or a message that its rule says to discard. */
  readonly refused: DiagnosticEvent<{ readonly remote: TransportAddress; readonly reason: string }>;
  readonly errorReported: DiagnosticEvent<{ readonly remote: TransportAddress; readonly errors: readonly string[] }>;
}

/** The events of a room's control channels; once a room. */
export function controlEvents<Message>(room: DiagnosticRoom): ControlEvents<Message> {
  return {
    sent: diagnosticEvent(room, 'message-sent'),
    received: diagnosticEvent(room, 'message-received'),
    refused: diagnosticEvent(room, 'message-refused'),
    errorReported: diagnosticEvent(room, 'error-reported'),
  };
}

/** What tells ASAP from ENRP. */
export interface ControlProtocol<Message> {
  readonly ppid: number;
  /** Message type of its error report, which is never answered with another one. */
  readonly errorType: number;
  encode(message: Message): Uint8Array;
  decode(bytes: Uint8Array): Decoded<Message>;
  /** An error report; `to`: the far side's server identifier, where the protocol has one; 0 if unknown. */
  errorReport(errors: readonly ErrorCause[], to: number): Message;
  /** The errors of an error report; undefined: it is another message. */
  errorsOf(message: Message): readonly ErrorCause[] | undefined;
  /** Whether error reports are messages to their receiver too. */
  readonly handsOnReports: boolean;
  readonly events: ControlEvents<Message>;
}

export class ControlChannel<Message extends object> {
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  handler: ControlChannelHandler<Message>;
  readonly #channel: MessageChannel;
  readonly #protocol: ControlProtocol<Message>;
  readonly #clock: Clock;
  readonly #limits: ControlChannelLimits;
  /** 'ending': nothing is sent or handed on any more; `onClose` is due. */
  #state: 'open' | 'ending' | 'closed' = 'open';
  #error: Error | undefined;
  #closeTimer: Timer | undefined;

  /** Takes the message channel over: sets its handler. */
  constructor(
    channel: MessageChannel,
    protocol: ControlProtocol<Message>,
    handler: ControlChannelHandler<Message>,
    clock: Clock,
    limits: ControlChannelLimits,
  ) {
    this.#channel = channel;
    this.#protocol = protocol;
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
  send(message: Message): boolean {
    if (this.#state !== 'open') return false;
    this.#send(this.#protocol.encode(message));
    const { sent } = this.#protocol.events;
    if (sent.watched) sent.publish({ remote: this.remoteAddress, message });
    return true;
  }

  /** Sends a message that was encoded before: one encoding for many receivers. `message` is called if anybody watches. */
  sendEncoded(bytes: Uint8Array, message: () => Message): void {
    if (this.#state !== 'open') return;
    this.#send(bytes);
    const { sent } = this.#protocol.events;
    if (sent.watched) sent.publish({ remote: this.remoteAddress, message: message() });
  }

  #send(bytes: Uint8Array): void {
    this.#channel.send(bytes, this.#protocol.ppid);
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

  /** The far side broke the protocol: it is told why, and the channel ends. `to` as in `errorReport`. */
  fail(cause: ErrorCause, reason: string, to: number = 0): void {
    if (this.#state !== 'open') return;
    const { refused } = this.#protocol.events;
    if (refused.watched) refused.publish({ remote: this.remoteAddress, reason });
    this.send(this.#protocol.errorReport([cause], to));
    this.close(new RserpoolError('ERR_RSERPOOL_PROTOCOL', { detail: reason, origin: 'remote' }));
  }

  #onMessage(bytes: Uint8Array, ppid: number): void {
    const protocol = this.#protocol;
    // Another protocol's message on this association is not ours to judge.
    if (this.#state !== 'open' || ppid !== protocol.ppid) return;
    const decoded = protocol.decode(bytes);
    const mayAnswer = bytes[0] !== protocol.errorType;
    if (decoded.type === 'protocolError') {
      const reason = `${decoded.fault.reason} (${decoded.fault.section})`;
      if (mayAnswer) this.fail(decoded.fault.cause, reason);
      else this.close(new RserpoolError('ERR_RSERPOOL_PROTOCOL', { detail: reason, origin: 'remote' }));
      return;
    }
    if (decoded.report.length > 0 && mayAnswer) this.send(protocol.errorReport(decoded.report, 0));
    const { refused, received, errorReported } = protocol.events;
    if (decoded.type === 'discard') {
      if (refused.watched) refused.publish({ remote: this.remoteAddress, reason: 'unrecognized' });
      return;
    }
    const { message } = decoded;
    if (received.watched) received.publish({ remote: this.remoteAddress, message });
    const errors = protocol.errorsOf(message);
    if (errors !== undefined) {
      if (errorReported.watched) {
        errorReported.publish({ remote: this.remoteAddress, errors: errors.map((cause) => causeName(cause.code)) });
      }
      this.handler.onErrorReport?.(errors);
      if (!protocol.handsOnReports) return;
    }
    this.handler.onMessage(message, bytes.length);
  }

  #armCloseTimer(): void {
    this.#closeTimer = this.#clock.setTimeout(() => this.#channel.abort(), this.#limits.closeTimeout, 'background');
  }

  #onClose(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeTimer?.cancel();
    this.handler.onClose(this.#error ?? error);
  }
}

/** A control channel over a byte stream, whose handler it sets, and the way to feed it what was already read. */
export interface FramedControlChannel<Message extends object> {
  readonly channel: ControlChannel<Message>;
  readonly receive: (chunk: Uint8Array) => void;
}

/** Speaks a control protocol over a byte stream: a TCP or TLS connection. */
export function openControlChannel<Message extends object>(
  stream: ByteStream,
  protocol: ControlProtocol<Message>,
  handler: ControlChannelHandler<Message>,
  clock: Clock,
  limits: ControlChannelLimits,
): FramedControlChannel<Message> {
  const framed: FramedChannel = new FramedChannel(stream, {
    ppid: protocol.ppid,
    maxMessageSize: limits.maxMessageSize,
    onFault: (fault) => channel.fail(fault.cause, `${fault.reason} (${fault.section})`),
  });
  const channel = new ControlChannel(framed, protocol, handler, clock, limits);
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
