/**
 * The SCTP mapping between two of ours (docs/mappings.md, "SCTP mapping"): the frames of the session on an association, as the
 * byte stream that a connection of the mapping knows. An application message (or a fragment of a long one) is one SCTP user message
 * with its own payload protocol identifier, an ASAP message one with PPID 11; all other frames have a PPID of their own. What a data frame's
 * header says beyond the obvious goes before the message, as an annotation.
 */

import type {
  SctpAssociation,
  SctpAssociationHandler,
  SctpMessage,
  SctpNotification,
} from '../../transport/sctp/sctp-stack.js';
import {
  type ByteStream,
  type ByteStreamHandler,
  noHandler,
  type TransportAddress,
} from '../../transport/transport.js';
import { asapPpid } from '../mapping.js';
import { dataFlag, dataHeaderLength, frameType, headerLength, magic } from '../tcp/frame.js';

/** What our side says in INIT and INIT ACK that it speaks above SCTP (RFC 5061 section 4.2.6): "RSer", version 1 of the mapping. */
export const sctpMappingAdaptation = 0x5253_6501;
/** The payload protocol identifier of frames and annotations: the type of the Mapping parameter. Not registered with IANA. */
export const framePpid = 0x8253;

/** Bytes that may wait to be acknowledged before a writer is asked to wait. */
const highWaterMark = 1024 * 1024;
const annotationLength = headerLength + dataHeaderLength;
const wholeMessage = dataFlag.begin | dataFlag.end;
const nothing = new Uint8Array(0);

export class SctpFrameStream implements ByteStream, SctpAssociationHandler {
  handler: ByteStreamHandler = noHandler;
  readonly #association: SctpAssociation;
  /** What was written of a frame that is not whole. */
  #partial: Uint8Array = nothing;
  #magicWritten = false;
  #lastSent = 0;
  #lastReceived = 0;
  /** The header whose message comes next. */
  #annotation: Buffer | undefined;
  #drainWanted = false;
  #ended = false;
  #farEnded = false;

  constructor(association: SctpAssociation) {
    this.#association = association;
  }

  get localAddress(): TransportAddress {
    return this.#association.localAddress;
  }

  get remoteAddress(): TransportAddress {
    return this.#association.remoteAddress;
  }

  get pathMtu(): number {
    return this.#association.pathMtu;
  }

  get bufferedBytes(): number {
    return this.#association.bufferedBytes;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#ended) return true;
    const bytes = Buffer.concat([this.#partial, ...chunks]);
    let at = 0;
    if (!this.#magicWritten) {
      if (bytes.length < magic.length) {
        this.#partial = bytes;
        return true;
      }
      this.#magicWritten = true;
      at = magic.length;
      this.#send(bytes.subarray(0, at), framePpid);
    }
    while (bytes.length - at >= headerLength) {
      const end = at + headerLength + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      if (bytes[at] === frameType.data) this.#sendData(bytes.subarray(at, end));
      else this.#send(bytes.subarray(at, end), framePpid);
      at = end;
    }
    this.#partial = bytes.subarray(at);
    if (this.bufferedBytes < highWaterMark) return true;
    this.#drainWanted = true;
    return false;
  }

  end(): void {
    if (this.#ended) return;
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

  onMessage({ data, ppid, streamId }: SctpMessage): void {
    const annotation = this.#annotation;
    if (annotation !== undefined) {
      this.#annotation = undefined;
      const length = annotation.readUInt32BE(4) - dataHeaderLength;
      if (length === data.length) this.handler.onData(Buffer.concat([annotation, data]));
      else this.#association.abort('an annotation that its message does not fit');
      return;
    }
    if (ppid !== framePpid) {
      this.handler.onData(this.#plainFrame(data, ppid, streamId));
      return;
    }
    if (data.length === annotationLength && data[0] === frameType.data) {
      const header = Buffer.from(data);
      if (header.readUInt32BE(12) !== asapPpid) this.#lastReceived = header.readUInt32BE(8);
      // An empty message has an annotation and nothing else: SCTP cannot carry it.
      if (header.readUInt32BE(4) > dataHeaderLength) {
        this.#annotation = header;
        return;
      }
    }
    this.handler.onData(data);
  }

  onAcknowledged(): void {
    if (!this.#drainWanted || this.bufferedBytes >= highWaterMark / 2) return;
    this.#drainWanted = false;
    this.handler.onDrain();
  }

  onHeard(): void {
    // A long message on its way is a sign of life long before it is here.
    this.handler.onData(nothing);
  }

  onNotification(notification: SctpNotification): void {
    if (notification.type === 'shutdown') this.#onFarEnd();
  }

  onClose(error: Error | undefined): void {
    if (error === undefined) this.#onFarEnd();
    this.#ended = true;
    this.handler.onClose(error);
  }

  #onFarEnd(): void {
    if (this.#farEnded) return;
    this.#farEnded = true;
    this.handler.onEnd();
  }

  #sendData(frame: Buffer): void {
    const flags = frame[1]!;
    const ppid = frame.readUInt32BE(12);
    const sequence = frame.readUInt32BE(8);
    const payload = frame.subarray(annotationLength);
    const isControl = ppid === asapPpid && flags === wholeMessage;
    const expected = isControl ? 0 : (this.#lastSent + 1) >>> 0;
    if (!isControl) this.#lastSent = sequence;
    const obvious =
      flags === wholeMessage &&
      sequence === expected &&
      payload.length > 0 &&
      ppid !== framePpid &&
      frame.readUInt16BE(2) === 0 &&
      frame.readUInt32BE(16) === 0;
    if (!obvious) this.#send(frame.subarray(0, annotationLength), framePpid);
    if (payload.length > 0) this.#send(payload, ppid === framePpid ? 0 : ppid);
  }

  /** The frame of a message that came without an annotation. */
  #plainFrame(data: Uint8Array, ppid: number, streamId: number): Uint8Array {
    const frame = Buffer.allocUnsafe(annotationLength + data.length);
    if (ppid !== asapPpid) this.#lastReceived = (this.#lastReceived + 1) >>> 0;
    frame[0] = frameType.data;
    frame[1] = wholeMessage;
    frame.writeUInt16BE(streamId, 2);
    frame.writeUInt32BE(dataHeaderLength + data.length, 4);
    frame.writeUInt32BE(ppid === asapPpid ? 0 : this.#lastReceived, 8);
    frame.writeUInt32BE(ppid, 12);
    frame.writeUInt32BE(0, 16);
    frame.set(data, annotationLength);
    return frame;
  }

  /** All on stream 0: the frames of a session have one order. */
  #send(data: Uint8Array, ppid: number): void {
    this.#association.send(data, { streamId: 0, ppid });
  }
}
