/**
 * ASAP or ENRP on an association, as the byte stream that endpoint and registrar know: each message is one SCTP user message with
 * the protocol's payload protocol identifier (RFC 5352 section 5, RFC 5353 section 5.4), padding included, which the reference
 * implementation wants on the wire. Stream 0, ordered.
 */

import { type ByteStream, type ByteStreamHandler, noHandler, type TransportAddress } from '../transport.js';
import type { SctpAssociation, SctpAssociationHandler, SctpMessage, SctpNotification } from './sctp-stack.js';

/** Of every ASAP and ENRP message: type, flags, length (RFC 5354 section 4). */
const headerLength = 4;

export class SctpControlStream implements ByteStream, SctpAssociationHandler {
  handler: ByteStreamHandler = noHandler;
  readonly #association: SctpAssociation;
  readonly #ppid: number;
  /** What was written of a message that is not whole. */
  #partial: Uint8Array = new Uint8Array(0);
  #ended = false;
  #fault: Error | undefined;

  constructor(association: SctpAssociation, ppid: number) {
    this.#association = association;
    this.#ppid = ppid;
  }

  get localAddress(): TransportAddress {
    return this.#association.localAddress;
  }

  get remoteAddress(): TransportAddress {
    return this.#association.remoteAddress;
  }

  get remoteHosts(): readonly string[] {
    return this.#association.remoteHosts;
  }

  get bufferedBytes(): number {
    return this.#association.bufferedBytes;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#ended) return true;
    const bytes = Buffer.concat([this.#partial, ...chunks]);
    let at = 0;
    while (bytes.length - at >= headerLength) {
      const length = (Math.max(headerLength, bytes.readUInt16BE(at + 2)) + 3) & ~3;
      if (length > bytes.length - at) break;
      this.#association.send(bytes.subarray(at, at + length), { streamId: 0, ppid: this.#ppid });
      at += length;
    }
    this.#partial = bytes.subarray(at);
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#association.shutdown();
  }

  destroy(): void {
    this.#ended = true;
    this.#association.abort();
  }

  pause(): void {
    this.#association.pause();
  }

  resume(): void {
    this.#association.resume();
  }

  ref(): void {
    this.#association.ref();
  }

  unref(): void {
    this.#association.unref();
  }

  onMessage({ data, ppid }: SctpMessage): void {
    // Another protocol's message on this association is not ours to judge.
    if (ppid !== this.#ppid || this.#fault !== undefined) return;
    const padded = (data.length + 3) & ~3;
    const said = data.length < headerLength ? 0 : (((data[2]! << 8) | data[3]!) + 3) & ~3;
    if (said !== padded) {
      this.#fault = new Error(`a message of ${data.length} bytes says that it has ${said}`);
      this.#association.abort(this.#fault.message);
      return;
    }
    if (padded === data.length) {
      this.handler.onData(data);
      return;
    }
    const whole = new Uint8Array(padded);
    whole.set(data);
    this.handler.onData(whole);
  }

  onAcknowledged(): void {}

  onHeard(): void {}

  onNotification(notification: SctpNotification): void {
    if (notification.type === 'shutdown') this.handler.onEnd();
  }

  onClose(error: Error | undefined): void {
    this.#ended = true;
    this.handler.onClose(error ?? this.#fault);
  }
}
