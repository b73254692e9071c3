/**
 * One byte stream that carries a connection: the magic, frames in and out, heartbeats. A connection that is resumed goes
 * on over another link.
 *
 *   opening --open--> open --end--> closing --drop--> closed
 *   opening --holdBack--> heldBack --open--> open
 */

import type { Clock } from '../../clock.js';
import type { RserpoolError, RserpoolErrorCode } from '../../errors.js';
import { type ByteStream, type ByteStreamHandler, noHandler } from '../../transport/transport.js';
import { abortCode, asapPpid } from '../mapping.js';
import { abortError, writeAbort } from './abort.js';
import type { Controls } from './controls.js';
import {
  dataFlag,
  dataHeaderLength,
  firstSkippableType,
  frameType,
  heartbeatLength,
  longestControl,
  magic,
} from './frame.js';
import { Heartbeats } from './heartbeats.js';
import { decodeHello, encodeHello, type Hello, type OwnHello } from './hello.js';
import { linger } from './linger.js';
import type { TcpMappingOptions } from './options.js';
import type { Outbound } from './outbound.js';
import type { PeerProcesses } from './peer-processes.js';
import { copyOf, FrameReader, joined, MagicReader } from './reader.js';
import { FrameWriter } from './writer.js';

/** So many bytes are handed to the stream in one call. */
const batch = 128 * 1024;
/** So many bytes of messages do not wait for the end of the tick, unless they are so many that streams must take turns. */
const early = { from: 12 * 1024, below: 16 * 1024 } as const;
const wholeMessage = dataFlag.begin | dataFlag.end;

/** Whom a link tells: its connection. */
export interface LinkOwner {
  /** The far side's hello came. */
  onHello(link: Link, flags: number, hello: Hello): void;
  /** One fragment of a message, its data header included; with `pieces`, those are its payload. An acknowledgement in it follows by itself. */
  onMessageFrame(
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    view: DataView,
    body: number,
    length: number,
    pieces: readonly Uint8Array[] | undefined,
  ): void;
  onShutdown(flags: number, streamId: number, sequence: number): void;
  /** An ASAP message, the owner's to keep. */
  onControl(message: Uint8Array): void;
  /** The low 32 bits of how many messages were taken. */
  onAcknowledgement(low: number): void;
  /** How many bytes may be sent, counted from the beginning of the byte stream. */
  onCredit(credit: number): void;
  /** A heartbeat came, and with it perhaps a lease. */
  onHeartbeat(): void;
  onGoElsewhere(): void;
  /** All frames of a chunk were handed on. */
  onRead(): void;
  /** The end of a tick in which there was something to write: fills `writer`. */
  onFlush(): void;
  /** The far side broke the protocol. */
  onFault(code: RserpoolErrorCode, reason: string, answered: boolean): void;
  onAborted(error: RserpoolError): void;
  onSilent(): void;
  /** The byte stream ended or broke. */
  onLost(detail: string | undefined, cause: Error | undefined): void;
}

export class Link implements ByteStreamHandler {
  owner: LinkOwner;
  readonly stream: ByteStream;
  readonly writer: FrameWriter = new FrameWriter();
  readonly heartbeats: Heartbeats;
  readonly #clock: Clock;
  readonly #options: TcpMappingOptions;
  readonly #magic = new MagicReader();
  readonly #reader: FrameReader;
  #state: 'opening' | 'heldBack' | 'open' | 'closing' | 'closed' = 'opening';
  #magicSaid = false;
  #flushScheduled = false;
  #postponed: 'waiting' | 'over' | undefined;
  /** The stream has enough: messages wait until it drains. */
  #blocked = false;

  /** `opening` in ms: how long the far side's hello may take. */
  constructor(stream: ByteStream, clock: Clock, options: TcpMappingOptions, opening: number, owner: LinkOwner) {
    this.stream = stream;
    this.owner = owner;
    this.#clock = clock;
    this.#options = options;
    const longestBody = Math.max(options.longestPayload, longestControl) + dataHeaderLength;
    this.#reader = new FrameReader(
      longestBody,
      (type, flags, streamId, bytes, view, body, length, pieces) =>
        this.#onFrame(type, flags, streamId, bytes, view, body, length, pieces),
      (type, length) => this.fault(`a frame of type ${type} with ${length} bytes; the longest is ${longestBody}`),
    );
    this.heartbeats = new Heartbeats(
      clock,
      this.writer,
      { failureTimeout: opening, heartbeatInterval: options.heartbeatInterval },
      {
        scheduleFlush: () => this.scheduleFlush(),
        onSilent: () => this.owner.onSilent(),
      },
    );
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isBlocked(): boolean {
    return this.#blocked;
  }

  /** Both sides have said hello. `asking`: it is ours to ask for signs of life; `processes`: that may be shared. */
  open(hello: Hello, asking: boolean, processes: PeerProcesses | undefined): void {
    this.heartbeats.open(hello, asking);
    processes?.join(asking ? 'element' : 'user', this.heartbeats, hello.process, this.stream, this.#options);
    this.#state = 'open';
  }

  /** A user's: both sides have said hello, and the element stands by. What it returns opens the connection, if it still does. */
  holdBack(begin: () => void): () => void {
    this.#state = 'heldBack';
    return () => {
      if (this.#state !== 'heldBack') return;
      begin();
      // Whether or not there is anything else to say, this tells the element.
      this.heartbeats.ask();
    };
  }

  sayHello({ hello, flags }: OwnHello): void {
    this.#sayMagic();
    const body = encodeHello(hello);
    const at = this.writer.frame(frameType.hello, flags, 0, body.length);
    this.writer.bytes(at, body);
    this.scheduleFlush();
  }

  askElsewhere(): void {
    this.writer.frame(frameType.goElsewhere, 0, 0, 0);
    this.scheduleFlush();
  }

  scheduleFlush(): void {
    if (this.#flushScheduled || this.#state === 'closed') return;
    this.#flushScheduled = true;
    // Who was stopped reads before it writes: a write to a far side that has gone meanwhile would cost what it had sent.
    if (this.heartbeats.isOverdue) this.#clock.nextTurn(() => this.#flush());
    else this.#clock.defer(() => this.#flush());
  }

  /** Writes what may leave, control messages first. Acknowledgements alone wait for what else is about to be read, and taken. */
  write(outbound: Outbound, controls: Controls): void {
    if (!this.#blocked) {
      // Before messages leave, their element learns how long we shall stay with it.
      if (!outbound.isEmpty) this.heartbeats.renewLease();
      controls.write();
      if (this.writer.length > 0 || !outbound.owesOnlyAcknowledgement || !this.#postpone())
        while (outbound.write(batch) && this.writeOut()) {}
    }
    if (this.writer.length > 0) this.writeOut();
  }

  /** In the middle of a tick: what is much does not wait for its end, so that the far side begins while we go on. */
  writeEarly(outbound: Outbound, controls: Controls): void {
    const { queuedBytes } = outbound;
    if (queuedBytes < early.from || queuedBytes >= early.below || this.#state !== 'open') return;
    if (!this.#blocked && !this.heartbeats.isOverdue) this.write(outbound, controls);
  }

  /** Lets this flush wait for the next turn of the event loop. False: it has waited. */
  #postpone(): boolean {
    if (this.#postponed === 'over') return false;
    if (this.#postponed === undefined) this.#clock.nextTurn(() => this.#flushPostponed());
    this.#postponed = 'waiting';
    return true;
  }

  #flushPostponed(): void {
    this.#postponed = 'over';
    this.#flush();
    this.#postponed = undefined;
  }

  /** Hands what is written to the stream; false: it has enough. */
  writeOut(): boolean {
    if (!this.stream.write(this.writer.take())) this.#blocked = true;
    return !this.#blocked;
  }

  /** Says hello, and that all was taken which came: there is nothing more to say, and the far side is to end. */
  sayLast(own: OwnHello): void {
    this.sayHello(own);
    const at = this.writer.frame(frameType.acknowledgement, 0, 0, 4);
    this.writer.view.setUint32(at, own.hello.resume?.messages ?? 0);
    this.writeOut();
    this.#state = 'closing';
    this.heartbeats.allow(this.#options.closeTimeout);
  }

  /** Ends our direction, and waits for the far side to end its own. */
  end(): void {
    this.#state = 'closing';
    this.heartbeats.allow(this.#options.closeTimeout);
    this.stream.end();
  }

  /** Tells the far side why nothing more comes, and is of no more use. */
  abort(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.#sayMagic();
    writeAbort(this.writer, code, reason);
    this.stream.write(this.writer.take());
    // Who cannot hear us must not hear us later either: a reset throws away what the system still holds.
    this.#close(code === abortCode.failedOver || code === abortCode.heartbeatTimeout ? 'reset' : 'linger');
  }

  /** Closes the stream without a word. */
  drop(how: 'now' | 'reset' = 'now'): void {
    this.#close(how);
  }

  /** Something came that no peer should send. */
  fault(reason: string): false {
    const where = `${reason}, at byte ${magic.length + this.#reader.offset} or later`;
    this.owner.onFault('ERR_RSERPOOL_PROTOCOL', where, true);
    return false;
  }

  onData(chunk: Uint8Array): void {
    // Once all is done, nothing that comes can matter.
    if (this.#state === 'closed' || this.#state === 'closing') return;
    // A hello has its time as a whole, however slowly it drips.
    if (this.#state === 'open') this.heartbeats.heard();
    const rest = this.#magic.isRead ? chunk : this.#magic.push(chunk);
    if (rest === undefined) this.owner.onFault('ERR_RSERPOOL_PROTOCOL', 'it does not speak the TCP mapping', false);
    else if (rest.length > 0) this.#reader.push(rest);
    if (this.#isState('open')) this.owner.onRead();
  }

  onDrain(): void {
    this.#blocked = false;
    this.#flush();
  }

  onEnd(): void {
    this.owner.onLost('the far side closed it', undefined);
  }

  onClose(error: Error | undefined): void {
    this.owner.onLost(undefined, error);
  }

  #onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    view: DataView,
    body: number,
    length: number,
    pieces: readonly Uint8Array[] | undefined,
  ): boolean {
    if (type === frameType.abort) {
      this.owner.onAborted(abortError(bytes.subarray(body, body + length)));
      return false;
    }
    if (this.#state === 'heldBack') return this.fault(`a frame of type ${type} from an element that stands by`);
    if (this.#state === 'open') return this.#onOpenFrame(type, flags, streamId, bytes, view, body, length, pieces);
    if (type !== frameType.hello) return this.fault(`a frame of type ${type} before the hello`);
    const hello = decodeHello(bytes, view, body, length);
    if ('reason' in hello) return this.fault(`a hello with ${hello.reason}`);
    this.heartbeats.greeted(hello.stamp);
    this.owner.onHello(this, flags, hello);
    return this.#isState('open') || this.#isState('heldBack');
  }

  #onOpenFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    view: DataView,
    body: number,
    length: number,
    pieces: readonly Uint8Array[] | undefined,
  ): boolean {
    switch (type) {
      case frameType.data:
        if (length < dataHeaderLength) return this.fault(`a data frame of ${length} bytes`);
        if (view.getUint32(body + 4) !== asapPpid) {
          this.owner.onMessageFrame(flags, streamId, bytes, view, body, length, pieces);
          if ((flags & dataFlag.acknowledges) !== 0 && this.#isState('open'))
            this.owner.onAcknowledgement(view.getUint32(body + 8));
        } else if ((flags & wholeMessage) !== wholeMessage) return this.fault('a control message in fragments');
        else
          this.owner.onControl(
            pieces === undefined ? copyOf(bytes.subarray(body + dataHeaderLength, body + length)) : joined(pieces),
          );
        break;
      case frameType.shutdown:
        if (length !== 4) return this.fault(`a shutdown frame of ${length} bytes`);
        this.owner.onShutdown(flags, streamId, view.getUint32(body));
        break;
      case frameType.acknowledgement:
        if (length !== 4) return this.fault(`an acknowledgement frame of ${length} bytes`);
        this.owner.onAcknowledgement(view.getUint32(body));
        break;
      case frameType.credit:
        if (length !== 8) return this.fault(`a credit frame of ${length} bytes`);
        this.owner.onCredit(view.getUint32(body) * 0x1_0000_0000 + view.getUint32(body + 4));
        break;
      case frameType.heartbeat:
        if (length !== heartbeatLength) return this.fault(`a heartbeat frame of ${length} bytes`);
        this.heartbeats.onFrame(flags, view, body);
        this.owner.onHeartbeat();
        break;
      case frameType.goElsewhere:
        this.owner.onGoElsewhere();
        break;
      default:
        if (type < firstSkippableType) return this.fault(`a frame of unknown type ${type}`);
    }
    return this.#isState('open');
  }

  #isState(state: 'heldBack' | 'open'): boolean {
    return this.#state === state;
  }

  #sayMagic(): void {
    if (this.#magicSaid) return;
    this.#magicSaid = true;
    this.writer.raw(magic);
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#state === 'closed' || this.#state === 'closing') return;
    if (this.#state === 'open') {
      if (!this.#blocked) this.heartbeats.writeOwed();
      this.owner.onFlush();
    } else if (this.writer.length > 0) this.writeOut();
  }

  #close(how: 'now' | 'reset' | 'linger'): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.heartbeats.stop();
    if (how === 'linger') {
      linger(this.stream, this.#clock, this.#options.closeTimeout);
      return;
    }
    this.stream.handler = noHandler;
    this.stream.destroy(how === 'reset' ? 'reset' : undefined);
  }
}
