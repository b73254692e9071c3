/**
 * One connection of the TCP mapping (docs/mappings.md): opening, frames in and out, heartbeats and leases, the end.
 *
 *   opening --both hellos--> open --both ends taken and acknowledged--> closing --far side closed--> closed
 *   Any state goes to closed when the byte stream breaks, a side aborts, or the far side stays silent too long.
 */

import type { Clock } from '../../clock.js';
import { RserpoolError, type RserpoolErrorCode } from '../../errors.js';
import {
  type ByteStream,
  type ByteStreamHandler,
  noHandler,
  type TransportAddress,
} from '../../transport/transport.js';
import {
  abortCode,
  asapPpid,
  type IncomingMessage,
  type MappingConnection,
  type MappingFeatures,
  type MappingHandler,
  mappingId,
  noMappingHandler,
  type OutgoingMessage,
} from '../mapping.js';
import { abortError, writeAbort } from './abort.js';
import {
  dataFlag,
  dataHeaderLength,
  expand,
  firstSkippableType,
  frameType,
  heartbeatLength,
  longestControl,
  magic,
} from './frame.js';
import { Heartbeats } from './heartbeats.js';
import { decodeHello, encodeHello } from './hello.js';
import { type Arrival, Inbound } from './inbound.js';
import { linger } from './linger.js';
import { judgeHello, ownHello, peerHello, type TcpMappingSide, tcpMappingFeatures } from './opening.js';
import { type TcpMappingOptions, userTimeout } from './options.js';
import { Outbound } from './outbound.js';
import { copyOf, FrameReader, MagicReader } from './reader.js';
import { FrameWriter } from './writer.js';

const batch = 128 * 1024; // bytes handed to the stream in one call
const wholeMessage = dataFlag.begin | dataFlag.end;

export class TcpMappingConnection implements MappingConnection, ByteStreamHandler {
  readonly mapping: number = mappingId.tcp;
  readonly features: MappingFeatures = tcpMappingFeatures;
  handler: MappingHandler = noMappingHandler;
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #options: TcpMappingOptions;
  readonly #side: TcpMappingSide;
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening';
  readonly #magic = new MagicReader();
  readonly #reader: FrameReader;
  readonly #writer = new FrameWriter();
  readonly #outbound = new Outbound(this.#writer);
  readonly #inbound: Inbound;
  readonly #heartbeats: Heartbeats;
  #flushScheduled = false;
  /** The stream has enough: messages wait until it drains. */
  #blocked = false;
  /** The owner was told that more than the high-water mark waits. */
  #roomWanted = false;
  #expecting = false;
  #acknowledged = 0;
  /** Arrived without a lease: the user may have gone elsewhere meanwhile. */
  #withoutLease: IncomingMessage[] = [];

  constructor(stream: ByteStream, clock: Clock, options: TcpMappingOptions, side: TcpMappingSide) {
    this.#stream = stream;
    this.#clock = clock;
    this.#options = options;
    this.#side = side;
    this.#inbound = new Inbound(options, () => this.#outbound.lastSequence);
    const longestBody = Math.max(options.longestPayload, longestControl) + dataHeaderLength;
    this.#reader = new FrameReader(
      longestBody,
      (type, flags, streamId, bytes, view, body, length) =>
        this.#onFrame(type, flags, streamId, bytes, view, body, length),
      (type, length) =>
        this.#protocolError(`a frame of type ${type} with ${length} bytes; the longest is ${longestBody}`),
    );
    const opening = side.role === 'user' ? options.failureTimeout : options.helloTimeout;
    this.#heartbeats = new Heartbeats(
      clock,
      this.#writer,
      { failureTimeout: opening, heartbeatInterval: options.heartbeatInterval },
      {
        scheduleFlush: () => this.#scheduleFlush(),
        onSilent: () => this.#silent(),
      },
    );
    if (side.role === 'user') this.#sayHello();
  }

  get localAddress(): TransportAddress {
    return this.#stream.localAddress;
  }

  get remoteAddress(): TransportAddress {
    return this.#stream.remoteAddress;
  }

  get queuedBytes(): number {
    return this.#outbound.queuedBytes;
  }

  get longestMessage(): number {
    return this.#outbound.longestMessage;
  }

  get sentMessages(): number {
    return this.#outbound.sentMessages;
  }

  get rtt(): number | undefined {
    return this.#heartbeats.rtt;
  }

  get rto(): number | undefined {
    return this.#heartbeats.rto;
  }

  send(message: OutgoingMessage): boolean {
    if (this.#state === 'closed') return true;
    this.#outbound.push(message);
    this.#heartbeats.sending();
    this.#scheduleFlush();
    if (this.#outbound.queuedBytes <= this.#options.highWaterMark) return true;
    this.#roomWanted = true;
    return false;
  }

  sendControl(message: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#outbound.pushControl(message);
    this.#scheduleFlush();
  }

  release(message: IncomingMessage): void {
    if (this.#state === 'closed') return;
    this.#inbound.release(message);
    this.#scheduleFlush();
  }

  take(message: IncomingMessage): void {
    if (this.#state === 'closed') return;
    if (this.#inbound.take(message)) this.#outbound.acknowledge(this.#inbound.taken);
    this.#scheduleFlush();
  }

  expect(waiting: boolean): void {
    this.#expecting = waiting;
    this.#updateWaiting();
  }

  goElsewhere(): void {
    if (this.#state !== 'open') return;
    this.#writer.frame(frameType.goElsewhere, 0, 0, 0);
    this.#scheduleFlush();
  }

  ref(): void {
    this.#stream.ref();
  }

  unref(): void {
    this.#stream.unref();
  }

  onData(chunk: Uint8Array): void {
    // Once all is done, nothing that comes can matter.
    if (this.#state === 'closed' || this.#state === 'closing') return;
    // A hello has its time as a whole, however slowly it drips.
    if (this.#state === 'open') this.#heartbeats.heard();
    const rest = this.#magic.isRead ? chunk : this.#magic.push(chunk);
    if (rest === undefined) this.#close(this.#error('ERR_RSERPOOL_PROTOCOL', 'it does not speak the TCP mapping'));
    else if (rest.length > 0) this.#reader.push(rest);
    if (this.#state === 'open') this.#grantCredit();
  }

  onDrain(): void {
    this.#blocked = false;
    this.#flush();
  }

  onEnd(): void {
    this.#ended('the far side closed it', undefined);
  }

  onClose(error: Error | undefined): void {
    this.#ended(undefined, error);
  }

  #isOpen(): boolean {
    return this.#state === 'open';
  }

  #onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    view: DataView,
    body: number,
    length: number,
  ): boolean {
    if (this.#state === 'opening') {
      if (type === frameType.hello) this.#onHello(flags, bytes, view, body, length);
      else if (type === frameType.abort) this.#close(abortError(bytes.subarray(body, body + length)));
      else this.#protocolError(`a frame of type ${type} before the hello`);
      return this.#isOpen();
    }
    switch (type) {
      case frameType.data:
        if (length < dataHeaderLength) return this.#protocolError(`a data frame of ${length} bytes`);
        if (view.getUint32(body + 4) !== asapPpid) {
          this.#onArrival(this.#inbound.data(flags, streamId, bytes, view, body, length));
          if ((flags & dataFlag.acknowledges) !== 0 && this.#state === 'open')
            this.#onAcknowledgement(view.getUint32(body + 8));
        } else if ((flags & wholeMessage) !== wholeMessage)
          return this.#protocolError('a control message in fragments');
        else this.handler.onControl(copyOf(bytes.subarray(body + dataHeaderLength, body + length)));
        break;
      case frameType.shutdown:
        if (length !== 4) return this.#protocolError(`a shutdown frame of ${length} bytes`);
        this.#onArrival(this.#inbound.end(flags, streamId, view.getUint32(body)));
        break;
      case frameType.acknowledgement:
        if (length !== 4) return this.#protocolError(`an acknowledgement frame of ${length} bytes`);
        this.#onAcknowledgement(view.getUint32(body));
        break;
      case frameType.credit:
        if (length !== 8) return this.#protocolError(`a credit frame of ${length} bytes`);
        this.#outbound.grant(view.getUint32(body) * 0x1_0000_0000 + view.getUint32(body + 4));
        this.#scheduleFlush();
        break;
      case frameType.heartbeat:
        if (length !== heartbeatLength) return this.#protocolError(`a heartbeat frame of ${length} bytes`);
        this.#heartbeats.onFrame(flags, view, body);
        if (this.#withoutLease.length > 0) this.#handOnLeased();
        break;
      case frameType.abort:
        this.#close(abortError(bytes.subarray(body, body + length)));
        break;
      case frameType.goElsewhere:
        if (this.#side.role === 'element') return this.#protocolError('a user asks its element to go elsewhere');
        this.handler.onGoElsewhere();
        break;
      default:
        if (type < firstSkippableType) return this.#protocolError(`a frame of unknown type ${type}`);
    }
    return this.#state === 'open';
  }

  #sayHello(): void {
    const { hello, flags } = ownHello(this.#side, this.#options, this.#heartbeats.stamp);
    const body = encodeHello(hello);
    this.#writer.raw(magic);
    const at = this.#writer.frame(frameType.hello, flags, 0, body.length);
    this.#writer.bytes(at, body);
    this.#scheduleFlush();
  }

  #onHello(flags: number, bytes: Uint8Array, view: DataView, body: number, length: number): void {
    const hello = decodeHello(bytes, view, body, length);
    if ('reason' in hello) {
      this.#protocolError(`a hello with ${hello.reason}`);
      return;
    }
    const judgement = judgeHello(this.#side, hello);
    if (judgement.type === 'refused') {
      this.abort(judgement.code, judgement.reason, this.#error(judgement.errorCode, judgement.reason, undefined));
      return;
    }
    this.#outbound.open(hello, this.#options);
    if (this.#side.role === 'element') {
      this.#heartbeats.allow(userTimeout(this.#options, hello.heartbeatInterval));
      this.#sayHello();
    }
    this.#heartbeats.open(hello, this.#side.role === 'user');
    this.#state = 'open';
    this.#updateWaiting();
    this.handler.onOpen(peerHello(hello, flags, judgement.version));
    this.#scheduleFlush();
  }

  #onArrival(arrival: Arrival): void {
    if (arrival === undefined) return;
    if (arrival.type === 'fault') {
      this.#protocolError(arrival.reason);
      return;
    }
    this.#heartbeats.arrived();
    if (this.#side.role === 'user' || (this.#withoutLease.length === 0 && this.#heartbeats.isLeased)) {
      this.handler.onMessage(arrival);
      return;
    }
    this.#withoutLease.push(arrival);
    if (this.#withoutLease.length === 1) this.#heartbeats.ask();
  }

  #handOnLeased(): void {
    let handed = 0;
    while (handed < this.#withoutLease.length && this.#state === 'open' && this.#heartbeats.isLeased) {
      this.handler.onMessage(this.#withoutLease[handed++] as IncomingMessage);
    }
    this.#withoutLease.splice(0, handed);
    if (this.#withoutLease.length > 0 && this.#state === 'open') this.#heartbeats.ask();
  }

  #onAcknowledgement(low: number): void {
    const count = expand(low, this.#acknowledged);
    if (count < this.#acknowledged || count > this.#outbound.sentMessages) {
      this.#protocolError(`an acknowledgement of ${count} messages; ${this.#outbound.sentMessages} were sent`);
      return;
    }
    const newly = count - this.#acknowledged;
    if (newly === 0) return;
    this.#acknowledged = count;
    this.#updateWaiting();
    this.handler.onAcknowledged(newly);
    this.#closeIfDone();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#state === 'closed') return;
    this.#flushScheduled = true;
    // Who was stopped reads before it writes: a write to a far side that has gone meanwhile would cost what it had sent.
    if (this.#heartbeats.isOverdue) this.#clock.nextTurn(() => this.#flush());
    else this.#clock.defer(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#state === 'closed' || this.#state === 'closing') return;
    if (!this.#blocked) this.#heartbeats.writeOwed();
    this.#grantCredit();
    if (this.#state === 'open' && !this.#blocked) {
      // Before messages leave, their element learns how long we shall stay with it.
      if (this.#side.role === 'user' && !this.#outbound.isEmpty) this.#heartbeats.renewLease();
      while (this.#outbound.write(batch) && this.#writeOut()) {}
    }
    if (this.#writer.length > 0) this.#writeOut();
    this.#updateWaiting();
    if (this.#roomWanted && this.#outbound.queuedBytes <= this.#options.highWaterMark / 2) {
      this.#roomWanted = false;
      this.handler.onRoom();
    }
    this.#closeIfDone();
  }

  #writeOut(): boolean {
    if (!this.#stream.write(this.#writer.take())) this.#blocked = true;
    return !this.#blocked;
  }

  #grantCredit(): void {
    // A far side that does not read must not make us pile up frames for it.
    if (this.#state !== 'open' || this.#blocked) return;
    const credit = this.#inbound.creditToGrant();
    if (credit === undefined) return;
    this.#outbound.writeCredit(credit);
    this.#scheduleFlush();
  }

  #updateWaiting(): void {
    const outstanding = !this.#outbound.isEmpty || this.#outbound.sentMessages > this.#acknowledged;
    this.#heartbeats.wait(this.#state === 'opening' || this.#expecting || outstanding);
  }

  #silent(): void {
    const reason = this.#state === 'opening' ? 'no hello came' : 'no answer to heartbeats';
    if (this.#state === 'closing') this.#close(undefined);
    else this.abort(abortCode.heartbeatTimeout, reason, this.#error('ERR_RSERPOOL_HEARTBEAT_TIMEOUT', reason));
  }

  #closeIfDone(): void {
    if (this.#state !== 'open' || !this.#isDone || this.#writer.length > 0) return;
    this.#state = 'closing';
    this.#heartbeats.allow(this.#options.closeTimeout);
    this.#stream.end();
  }

  #protocolError(reason: string): false {
    const where = `${reason}, at byte ${magic.length + this.#reader.offset} or later`;
    this.abort(abortCode.protocolError, where, this.#error('ERR_RSERPOOL_PROTOCOL', where));
    return false;
  }

  abort(code: number, reason: string, error?: RserpoolError): void {
    if (this.#state === 'closed') return;
    if (this.#side.role === 'element' && this.#state === 'opening') this.#writer.raw(magic);
    else {
      this.#outbound.writeControls();
      this.#outbound.writeAcknowledgement();
    }
    writeAbort(this.#writer, code, reason);
    this.#stream.write(this.#writer.take());
    // Who cannot hear us must not hear us later either: a reset throws away what the system still holds.
    const deaf = code === abortCode.failedOver || code === abortCode.heartbeatTimeout;
    this.#close(error, deaf ? 'reset' : 'linger');
  }

  /** Both directions ended, and all was taken and acknowledged. */
  get #isDone(): boolean {
    return this.#inbound.isEnded && this.#outbound.isEnded && this.#acknowledged === this.#outbound.sentMessages;
  }

  /** The far side ended the byte stream: as it should when all is done. */
  #ended(detail: string | undefined, cause: Error | undefined): void {
    if (this.#state === 'closing' || (this.#state === 'open' && this.#isDone)) this.#close(undefined);
    else this.#close(this.#error('ERR_RSERPOOL_CONNECTION_BROKEN', detail, cause));
  }

  /** Whatever ends a connection is the far side's doing: our own aborts have no error. */
  #error(code: RserpoolErrorCode, detail: string | undefined, cause?: Error): RserpoolError {
    return new RserpoolError(code, {
      origin: 'remote',
      ...(detail === undefined ? {} : { detail }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #close(error: RserpoolError | undefined, how: 'now' | 'reset' | 'linger' = 'now'): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#heartbeats.stop();
    this.#withoutLease = [];
    const stream = this.#stream;
    if (how === 'linger') linger(stream, this.#clock, this.#options.closeTimeout);
    else {
      stream.handler = noHandler;
      stream.destroy(how === 'reset' ? 'reset' : undefined);
    }
    this.#clock.defer(() => this.handler.onClose(error));
  }
}
