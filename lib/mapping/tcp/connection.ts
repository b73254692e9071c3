/**
 * One connection of the TCP mapping (docs/mappings.md): a session's messages between a user and one element, over one
 * byte stream after another.
 *
 *   opening --both hellos--> open --both ends taken and acknowledged--> closing --far side closed--> closed
 *   open --the byte stream breaks, and both sides can resume--> interrupted --another one--> open
 *   Any state goes to closed when the byte stream breaks for good, a side aborts, or the far side stays silent too long.
 */

import type { Clock } from '../../clock.js';
import type { RserpoolError, RserpoolErrorCode } from '../../errors.js';
import type { ByteStream, ByteStreamHandler, TransportAddress } from '../../transport/transport.js';
import {
  abortCode,
  type IncomingMessage,
  type MappingConnection,
  type MappingFeatures,
  type MappingHandler,
  mappingId,
  noMappingHandler,
  type OutgoingMessage,
} from '../mapping.js';
import { remoteError } from './abort.js';
import { Controls } from './controls.js';
import { helloFlag, messageOverhead } from './frame.js';
import type { Hello, ResumePoint } from './hello.js';
import { type Arrival, Inbound } from './inbound.js';
import { Interruption } from './interruption.js';
import { KeptSession } from './kept-session.js';
import { LeasedMessages } from './leased-messages.js';
import { Link, type LinkOwner } from './link.js';
import { canResume, judgeHello, ownHello, peerHello, type TcpMappingSide, tcpMappingFeatures } from './opening.js';
import { type TcpMappingOptions, userTimeout } from './options.js';
import { Outbound } from './outbound.js';
import type { Resumable } from './resumable-sessions.js';
import { Room } from './room.js';

export class TcpMappingConnection implements MappingConnection, LinkOwner, Resumable {
  readonly mapping: number;
  features: MappingFeatures;
  localAddress: TransportAddress;
  remoteAddress: TransportAddress;
  readonly pathMtu: number | undefined;
  handler: MappingHandler = noMappingHandler;
  readonly #clock: Clock;
  readonly #options: TcpMappingOptions;
  readonly #side: TcpMappingSide;
  readonly #kept: KeptSession;
  #state: 'opening' | 'open' | 'interrupted' | 'closing' | 'closed' = 'opening';
  /** What carries it; none while it is interrupted and no byte stream is open. */
  #link: Link | undefined;
  #formerLink: Link | undefined;
  readonly #outbound = new Outbound();
  readonly #inbound: Inbound;
  readonly #controls = new Controls();
  /** While interrupted. */
  #interruption: Interruption | undefined;
  #referenced = true;
  readonly #room: Room;
  #expecting = false;
  #askedElsewhere = false;
  /** An element's messages pass through it; a user needs no lease. */
  readonly #leased: LeasedMessages | undefined;

  constructor(stream: ByteStream, clock: Clock, options: TcpMappingOptions, side: TcpMappingSide) {
    this.#clock = clock;
    this.#options = options;
    this.#side = side;
    this.#kept = new KeptSession(side.role === 'element' ? side.sessions : undefined, this);
    this.features = tcpMappingFeatures(0, false);
    this.localAddress = stream.localAddress;
    this.remoteAddress = stream.remoteAddress;
    this.pathMtu = stream.pathMtu;
    this.#room = new Room(options.highWaterMark);
    this.#inbound = new Inbound(options, () => this.#outbound.lastSequence);
    const handOn = (message: IncomingMessage): void => this.handler.onMessage(message);
    if (side.role === 'element') this.#leased = new LeasedMessages(clock, options, handOn);
    this.mapping = stream.localAddress.protocol === undefined ? mappingId.tcp : mappingId.sctp;
    const link = this.#newLink(stream);
    if (side.role === 'user') this.#sayHello(link, false);
  }

  /** Who gets what comes by the byte stream that the connection was made for. */
  get streamHandler(): ByteStreamHandler {
    return this.#link as Link;
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

  get retainedBytes(): number {
    return this.#outbound.retainedBytes + this.#inbound.heldBytes;
  }

  get rtt(): number | undefined {
    return (this.#link ?? this.#formerLink)?.heartbeats.rtt;
  }

  get rto(): number | undefined {
    return (this.#link ?? this.#formerLink)?.heartbeats.rto;
  }

  send(message: OutgoingMessage): boolean {
    if (this.#state === 'closed') return true;
    this.#outbound.push(message);
    this.#link?.heartbeats.sending();
    this.#link?.scheduleFlush();
    // A session that waits for its user may become too much to keep.
    if (this.#state === 'interrupted') this.#kept.grow(message.data.length + messageOverhead);
    // What an element sends because of a message leaves with its acknowledgement (`take`): a failure cannot part them.
    if (this.#side.role === 'user') this.#link?.writeEarly(this.#outbound, this.#controls);
    return this.#room.allows(this.#outbound.queuedBytes);
  }

  sendControl(message: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#controls.send(message);
    this.#link?.scheduleFlush();
  }

  release(message: IncomingMessage): void {
    if (this.#state === 'closed') return;
    this.#inbound.release(message);
    this.#link?.scheduleFlush();
  }

  take(message: IncomingMessage): void {
    if (this.#state === 'closed') return;
    if (this.#inbound.take(message)) this.#outbound.acknowledge(this.#inbound.taken);
    this.#link?.scheduleFlush();
    this.#link?.writeEarly(this.#outbound, this.#controls);
  }

  expect(waiting: boolean): void {
    this.#expecting = waiting;
    this.#updateWaiting();
  }

  goElsewhere(): void {
    this.#askedElsewhere = true;
    if (this.#state === 'open') this.#link?.askElsewhere();
    else if (this.#state === 'interrupted' && this.#isSettled) this.giveUp('its user is to go elsewhere');
  }

  ref(): void {
    this.#setReferenced(true);
  }

  unref(): void {
    this.#setReferenced(false);
  }

  abort(code: number, reason: string, error?: RserpoolError): void {
    if (this.#state === 'closed') return;
    this.#controls.write();
    this.#outbound.writeAcknowledgement();
    // Who cannot be told now finds that nobody comes back, or hears of it when it does.
    if (code === abortCode.application) this.#kept.remember({ type: 'destroyed' });
    if (this.#link !== undefined) this.#link.abort(code, reason);
    else this.#interruption?.leave(this.#received, { code, reason });
    this.#close(error);
  }

  onHello(link: Link, flags: number, hello: Hello): void {
    const judgement = judgeHello(this.#side, flags, hello, this.#state === 'interrupted');
    if (judgement.type === 'open') this.#greet(link, flags, hello, judgement.version);
    else if (judgement.type === 'refused') {
      const { code, errorCode, reason } = judgement;
      this.abort(code, reason, this.#interruption?.error ?? remoteError(errorCode, reason));
    } else if (judgement.type === 'fault') link.fault(judgement.reason);
    else if (judgement.type === 'ended') {
      this.#state = 'closing';
      link.sayLast(ownHello(this.#side, this.#options, link.heartbeats.stamp, 0, judgement.received));
    } else {
      const fault = judgement.type === 'goOn' ? this.#goOn(link, hello) : judgement.session.resume(link, hello);
      if (fault !== undefined) link.fault(fault);
      else if (judgement.type === 'resume') {
        // The session goes on by this byte stream, and this connection was none.
        this.#link = undefined;
        this.#close(undefined);
      }
    }
  }

  /** As Resumable, like `resume` and `giveUp`. */
  get isResumable(): boolean {
    return this.#state === 'open' || this.#state === 'interrupted';
  }

  resume(link: Link, hello: Hello): string | undefined {
    if (this.#outbound.canResume(hello.resume?.messages ?? 0) === undefined)
      return 'a count of messages that cannot be';
    // The user knows that the former byte stream is of no more use, even where nobody told us.
    this.#dropLink('reset');
    this.#kept.unpark();
    link.owner = this;
    if (!this.#referenced) link.stream.unref();
    link.heartbeats.allow(userTimeout(this.#options, hello.heartbeatInterval));
    this.#sayHello(link, true);
    return this.#goOn(link, hello);
  }

  giveUp(reason: string): void {
    this.#dropLink('reset');
    this.#close(remoteError('ERR_RSERPOOL_CONNECTION_BROKEN', reason, this.#interruption?.error));
  }

  onMessageFrame(
    flags: number,
    streamId: number,
    bytes: Uint8Array,
    view: DataView,
    body: number,
    length: number,
    pieces: readonly Uint8Array[] | undefined,
  ): void {
    this.#onArrival(this.#inbound.data(flags, streamId, bytes, view, body, length, pieces));
  }

  onShutdown(flags: number, streamId: number, sequence: number): void {
    this.#onArrival(this.#inbound.end(flags, streamId, sequence));
  }

  onControl(message: Uint8Array): void {
    this.#leased?.wake();
    this.#controls.received++;
    this.handler.onControl(message);
  }

  onAcknowledgement(low: number): void {
    const fault = this.#outbound.acknowledged(low, this.handler);
    if (fault !== undefined) this.#link?.fault(fault);
    this.#updateWaiting();
    this.#closeIfDone();
  }

  onCredit(credit: number): void {
    this.#outbound.grant(credit);
    this.#link?.scheduleFlush();
  }

  onHeartbeat(): void {
    this.#leased?.handOn();
  }

  onGoElsewhere(): void {
    if (this.#side.role === 'element') this.#link?.fault('a user asks its element to go elsewhere');
    else this.handler.onGoElsewhere();
  }

  onRead(): void {
    const link = this.#link;
    // A far side that does not read must not make us pile up frames for it.
    if (this.#state !== 'open' || link === undefined || link.isBlocked) return;
    if (this.#inbound.grantCredit(link.writer)) link.scheduleFlush();
  }

  onFlush(): void {
    const link = this.#link;
    if (this.#state !== 'open' || link === undefined) return;
    this.onRead();
    link.write(this.#outbound, this.#controls);
    this.#updateWaiting();
    if (this.#room.isBack(this.#outbound.queuedBytes)) this.handler.onRoom();
    this.#closeIfDone();
  }

  onFault(code: RserpoolErrorCode, reason: string, answered: boolean): void {
    if (answered) this.#link?.abort(abortCode.protocolError, reason);
    this.#close(remoteError(code, reason));
  }

  onAborted(error: RserpoolError): void {
    // An element that knows the session no more is a reason to go elsewhere; why we need it to is the better cause.
    this.#close(error.code === 'ERR_RSERPOOL_ABORTED' ? error : (this.#interruption?.error ?? error));
  }

  onSilent(): void {
    const reason = this.#state === 'opening' ? 'no hello came' : 'no answer to heartbeats';
    if (this.#state === 'closing') this.#close(undefined);
    else if (this.#state === 'interrupted') this.#tryAgain();
    else this.abort(abortCode.heartbeatTimeout, reason, remoteError('ERR_RSERPOOL_HEARTBEAT_TIMEOUT', reason));
  }

  onLost(detail: string | undefined, cause: Error | undefined): void {
    // The far side ended the byte stream as it should when all is done.
    if (this.#state === 'closing' || (this.#state === 'open' && this.#isDone)) return void this.#close(undefined);
    if (this.#state === 'interrupted') return void this.#tryAgain();
    const error = remoteError('ERR_RSERPOOL_CONNECTION_BROKEN', detail, cause);
    if (this.#state === 'open' && this.features.resume && !(this.#askedElsewhere && this.#isSettled))
      this.#interrupt(error);
    else this.#close(error);
  }

  #newLink(stream: ByteStream): Link {
    const opening = this.#options[this.#side.role === 'user' ? 'failureTimeout' : 'helloTimeout'];
    if (!this.#referenced) stream.unref();
    this.#link = new Link(stream, this.#clock, this.#options, opening, this);
    return this.#link;
  }

  #sayHello(link: Link, resumes: boolean): void {
    const received = resumes ? this.#received : undefined;
    link.sayHello(ownHello(this.#side, this.#options, link.heartbeats.stamp, this.#inbound.restart(), received));
  }

  /** A hello that begins a connection; a user may be waiting for something else. */
  #greet(link: Link, flags: number, hello: Hello, version: number): void {
    const open = (): void => this.#open(link, flags, hello, version);
    if (this.#side.role === 'element' || this.#side.standBy === undefined) open();
    else this.#side.standBy(link.holdBack(open));
  }

  #open(link: Link, flags: number, hello: Hello, version: number): void {
    this.features = tcpMappingFeatures(hello.features, canResume(this.#side, this.#options), this.pathMtu);
    if (this.#side.role === 'element') {
      if (this.features.resume) this.#kept.begin(hello.sessionId);
      link.heartbeats.allow(userTimeout(this.#options, hello.heartbeatInterval));
      this.#sayHello(link, false);
      // A user that has lost its element waits for this; what the application does with its new session takes a while.
      if ((flags & helloFlag.failedOver) !== 0) link.writeOut();
    }
    this.#carryOn(link, hello, 0, 0);
    const begin = (): void => this.handler.onOpen(peerHello(hello, flags, version));
    if (this.#leased === undefined || (flags & helloFlag.standBy) === 0) begin();
    else this.#leased.standBy(begin, () => this.giveUp('its user does not need it'));
    link.scheduleFlush();
  }

  /** Both sides have said where they are: the session goes on. A text: the far side cannot be there. */
  #goOn(link: Link, hello: Hello): string | undefined {
    const received = this.#outbound.canResume(hello.resume?.messages ?? 0);
    if (received === undefined) return 'a count of messages that cannot be';
    this.#interruption?.stop();
    this.#interruption = undefined;
    this.localAddress = link.stream.localAddress;
    this.remoteAddress = link.stream.remoteAddress;
    this.#carryOn(link, hello, received, hello.resume?.controls ?? 0);
    if (this.#askedElsewhere) link.askElsewhere();
    if (this.#leased?.wake() !== true) this.handler.onResume();
    this.#link?.scheduleFlush();
    return undefined;
  }

  #carryOn(link: Link, hello: Hello, received: number, controls: number): void {
    this.#link = link;
    this.#state = 'open';
    link.open(hello, this.#side.role === 'user', this.#side.processes);
    this.#outbound.open(link.writer, hello, this.#options, received);
    this.#controls.open(link.writer, controls);
    this.#leased?.begin(link.heartbeats);
    this.#updateWaiting();
  }

  /** The byte stream broke. An element keeps the session and hands nothing on; a user tries to come back. */
  #interrupt(error: RserpoolError): void {
    this.#state = 'interrupted';
    this.#dropLink('now');
    this.handler.onInterrupt?.();
    if (this.#state !== 'interrupted') return;
    this.#interruption = new Interruption(this.#clock, this.#options, this.#side, error, this.#referenced, {
      onStream: (stream) => {
        const link = this.#newLink(stream);
        this.#sayHello(link, true);
        return link;
      },
      // The connection ends for the reason that broke it.
      onGaveUp: () => this.#close(error),
    });
    this.#kept.park();
  }

  /** The byte stream by which the session was to go on is of no use either. */
  #tryAgain(): void {
    this.#dropLink('now');
    this.#interruption?.tryAgain();
  }

  #dropLink(how: 'now' | 'reset'): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#formerLink = link;
    this.#link = undefined;
    this.#outbound.interrupt();
    this.#inbound.interrupt();
    this.#leased?.interrupt();
    this.#controls.interrupt();
    link.drop(how);
  }

  #setReferenced(referenced: boolean): void {
    this.#referenced = referenced;
    this.#interruption?.keepAlive(referenced);
    this.#link?.stream[referenced ? 'ref' : 'unref']();
  }

  #onArrival(arrival: Arrival): void {
    if (arrival === undefined) return;
    if (arrival.type === 'fault') return void this.#link?.fault(arrival.reason);
    this.#link?.heartbeats.arrived();
    if (this.#leased === undefined) this.handler.onMessage(arrival);
    else this.#leased.push(arrival);
  }

  #updateWaiting(): void {
    this.#link?.heartbeats.wait(this.#state === 'opening' || this.#expecting || this.#outbound.isOutstanding);
  }

  #closeIfDone(): void {
    const link = this.#link;
    if (this.#state !== 'open' || link === undefined || !this.#isDone || link.writer.length > 0) return;
    this.#state = 'closing';
    this.#kept.remember({ type: 'inOrder', received: this.#received });
    link.end();
  }

  get #received(): ResumePoint {
    return { messages: this.#inbound.messages, controls: this.#controls.received };
  }

  /** Both directions ended, and all was taken and acknowledged. */
  get #isDone(): boolean {
    return this.#inbound.isEnded && this.#outbound.isEnded;
  }

  /** Nothing is under way, either way. */
  get #isSettled(): boolean {
    return this.#inbound.isSettled && this.#outbound.isSettled;
  }

  #close(error: RserpoolError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#dropLink('now');
    this.#interruption?.stop();
    this.#leased?.end();
    this.#kept.end();
    this.#clock.defer(() => this.handler.onClose(error));
  }
}
