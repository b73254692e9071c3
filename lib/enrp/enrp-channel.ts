/**
 * ENRP over one message channel: messages as data in and out, the ENRP_ERROR that each rule of RFC 5354 sections 3
 * and 4 asks for (RFC 5353 sections 2.10 and 3.7), and a bound on what a slow reader makes us keep.
 */

import type { Clock, Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import { FramedChannel } from '../transport/framing.js';
import { type ByteStream, formatAddress, type MessageChannel, type TransportAddress } from '../transport/transport.js';
import { decodeEnrp, encodeEnrp, enrpMessageType } from '../wire/enrp.js';
import type { EnrpMessage } from '../wire/messages.js';
import { causeName } from '../wire/operation-error.js';
import type { ErrorCause } from '../wire/parameters.js';

/** The payload protocol identifier of ENRP (RFC 5353 section 5.4). */
export const enrpPpid = 12;

export interface EnrpChannelOptions {
  readonly clock: Clock;
  /** Our server identifier, for error reports. */
  readonly serverId: number;
  readonly maxMessageSize: number;
  readonly maxBacklog: number;
  readonly closeTimeout: number;
}

export interface EnrpChannelHandler {
  /** A well-formed message; of an ENRP_ERROR the diagnostics know already. */
  onMessage(message: EnrpMessage): void;
  /** Exactly once and last; `error` is undefined after an orderly end or our own. */
  onClose(error: Error | undefined): void;
}

interface MessageFacts {
  readonly remote: TransportAddress;
  readonly message: EnrpMessage;
}
const sent = diagnosticEvent<MessageFacts>('enrp', 'message-sent');
const received = diagnosticEvent<MessageFacts>('enrp', 'message-received');
/** Bytes that are no message, or a message that its rule says to discard. */
const refused = diagnosticEvent<{ remote: TransportAddress; reason: string }>('enrp', 'message-refused');
const errorReported = diagnosticEvent<{ remote: TransportAddress; errors: readonly string[] }>(
  'enrp',
  'error-reported',
);

export class EnrpChannel {
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  readonly #channel: MessageChannel;
  readonly #options: EnrpChannelOptions;
  readonly #handler: EnrpChannelHandler;
  /** 'ending': nothing is sent or handed on any more; `onClose` is due. */
  #state: 'open' | 'ending' | 'closed' = 'open';
  #error: Error | undefined;
  #closeTimer: Timer | undefined;

  /** Takes the message channel over: sets its handler. */
  constructor(channel: MessageChannel, options: EnrpChannelOptions, handler: EnrpChannelHandler) {
    this.#channel = channel;
    this.#options = options;
    this.#handler = handler;
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

  /** Sends a message, if the channel is open. */
  send(message: EnrpMessage): void {
    if (this.#state !== 'open') return;
    this.sendEncoded(encodeEnrp(message));
    if (sent.watched) sent.publish({ remote: this.remoteAddress, message });
  }

  /** Sends a message that `encodeEnrp` made: one encoding for many receivers. */
  sendEncoded(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#channel.send(bytes, enrpPpid);
    if (this.#channel.bufferedBytes <= this.#options.maxBacklog) return;
    const detail = `${formatAddress(this.remoteAddress)} does not read: more than ${this.#options.maxBacklog} bytes wait`;
    this.abort(new RserpoolError('ERR_RSERPOOL_LIMIT', { detail, origin: 'remote' }));
  }

  /** Tells the far side what is wrong (ENRP_ERROR). `to`: its identifier, 0 if unknown. */
  report(errors: readonly ErrorCause[], to: number): void {
    this.send({ type: 'enrpError', senderId: this.#options.serverId, receiverId: to, errors });
  }

  /** The far side broke the protocol: it is told why, and the channel ends. */
  fail(cause: ErrorCause, reason: string, to: number = 0): void {
    if (this.#state !== 'open') return;
    if (refused.watched) refused.publish({ remote: this.remoteAddress, reason });
    this.report([cause], to);
    this.close(new RserpoolError('ERR_RSERPOOL_PROTOCOL', { detail: reason, origin: 'remote' }));
  }

  /** Ends after what was sent; a far side that does not end in turn within `closeTimeout` is cut off. */
  close(error?: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#error = error;
    this.#channel.close();
    const { clock, closeTimeout } = this.#options;
    this.#closeTimer = clock.setTimeout(() => this.#channel.abort(), closeTimeout, 'background');
  }

  /** Ends at once. */
  abort(error?: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'ending';
    this.#error ??= error;
    this.#channel.abort();
  }

  #onMessage(bytes: Uint8Array, ppid: number): void {
    // Another protocol's message on this association is not ours to judge.
    if (this.#state !== 'open' || ppid !== enrpPpid) return;
    const decoded = decodeEnrp(bytes);
    // An error is never answered with another one.
    const mayAnswer = bytes[0] !== enrpMessageType.enrpError;
    if (decoded.type === 'protocolError') {
      const reason = `${decoded.fault.reason} (${decoded.fault.section})`;
      if (mayAnswer) this.fail(decoded.fault.cause, reason);
      else this.close(new RserpoolError('ERR_RSERPOOL_PROTOCOL', { detail: reason, origin: 'remote' }));
      return;
    }
    if (decoded.report.length > 0 && mayAnswer) this.report(decoded.report, 0);
    if (decoded.type === 'discard') {
      if (refused.watched) refused.publish({ remote: this.remoteAddress, reason: 'unrecognized' });
      return;
    }
    const { message } = decoded;
    if (received.watched) received.publish({ remote: this.remoteAddress, message });
    if (message.type === 'enrpError' && errorReported.watched) {
      const errors = message.errors.map((cause) => causeName(cause.code));
      errorReported.publish({ remote: this.remoteAddress, errors });
    }
    this.#handler.onMessage(message);
  }

  #onClose(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeTimer?.cancel();
    this.#handler.onClose(this.#error ?? error);
  }
}

/** Speaks ENRP over a byte stream, whose handler it sets. */
export function openEnrpChannel(
  stream: ByteStream,
  options: EnrpChannelOptions,
  handler: EnrpChannelHandler,
): EnrpChannel {
  const framed: FramedChannel = new FramedChannel(stream, {
    ppid: enrpPpid,
    maxMessageSize: options.maxMessageSize,
    onFault: (fault) => channel.fail(fault.cause, `${fault.reason} (${fault.section})`),
  });
  const channel = new EnrpChannel(framed, options, handler);
  return channel;
}
