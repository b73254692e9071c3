/**
 * The SCTP mapping as the reference implementation speaks it: application messages one to one, ASAP with PPID 11 beside them on
 * stream 0, and nothing else. There is no hello, so whom a user wanted, and whether it comes from another element, is known by
 * a cookie echo only; what SCTP acknowledges counts as taken; a session ends with the association.
 *
 *   waiting --first message, or silence (elements); at once (users)--> open --> closed
 */

import type { Clock, Timer } from '../../clock.js';
import { RserpoolError } from '../../errors.js';
import type {
  SctpAssociation,
  SctpAssociationHandler,
  SctpMessage,
  SctpNotification,
} from '../../transport/sctp/sctp-stack.js';
import type { TransportAddress } from '../../transport/transport.js';
import { asapMessageType } from '../../wire/asap.js';
import {
  asapPpid,
  type IncomingMessage,
  type MappingConnection,
  type MappingFeatures,
  type MappingHandler,
  mappingId,
  noMappingHandler,
  type OutgoingMessage,
} from '../mapping.js';
import { idleTimeout, type TcpMappingOptions } from '../tcp/options.js';

const features: MappingFeatures = {
  streams: true,
  unordered: true,
  resume: false,
  acknowledgesTaken: false,
  rtt: true,
  rto: true,
  pathMtu: true,
};

/** Milliseconds that an element waits for a cookie echo, which a user sends at once (RFC 5352 section 3.8). */
const cookiePatience = 200;

export interface PlainSctpSide {
  readonly role: 'user' | 'element';
  /** Of a user: it comes from another element, and shows its cookie. */
  readonly cookieFollows: boolean;
}

export class PlainSctpConnection implements MappingConnection, SctpAssociationHandler {
  readonly mapping: number = mappingId.sctp;
  readonly features: MappingFeatures = features;
  handler: MappingHandler = noMappingHandler;
  readonly #association: SctpAssociation;
  readonly #clock: Clock;
  readonly #options: TcpMappingOptions;
  readonly #side: PlainSctpSide;
  #state: 'waiting' | 'open' | 'closed' = 'waiting';
  #timer: Timer | undefined;
  /** What SCTP has not acknowledged, oldest first: whether it is a message of the session. */
  #unacknowledged: boolean[] = [];
  #sent = 0;
  #received = 0;
  /** Bytes that arrived and were not taken. */
  #held = 0;
  #paused = false;
  #roomWanted = false;
  #expecting = false;
  /** Our direction has ended. */
  #ended = false;
  /** A cookie has come: the element wants its sessions to go on elsewhere. */
  #cookieSeen = false;

  constructor(association: SctpAssociation, clock: Clock, options: TcpMappingOptions, side: PlainSctpSide) {
    this.#association = association;
    this.#clock = clock;
    this.#options = options;
    this.#side = side;
    this.#watch();
    if (side.role === 'user') clock.defer(() => this.#open(false));
    else this.#timer = clock.setTimeout(() => this.#open(false), cookiePatience, 'background');
  }

  get localAddress(): TransportAddress {
    return this.#association.localAddress;
  }

  get remoteAddress(): TransportAddress {
    return this.#association.remoteAddress;
  }

  get queuedBytes(): number {
    return this.#association.bufferedBytes;
  }

  get longestMessage(): number {
    return this.#options.longestMessage;
  }

  get sentMessages(): number {
    return this.#sent;
  }

  get rtt(): number | undefined {
    return this.#association.rtt;
  }

  get rto(): number | undefined {
    return this.#association.rto;
  }

  get pathMtu(): number {
    return this.#association.pathMtu;
  }

  send(message: OutgoingMessage): boolean {
    if (this.#state === 'closed' || this.#ended) return true;
    message.left = true;
    message.position = ++this.#sent;
    const { data, streamId, ppid, unordered } = message;
    if (message.type === 'end') {
      // The end is acknowledged by the end of the association.
      this.#ended = true;
      this.#association.shutdown();
      return true;
    }
    if (data.length === 0 || streamId >= this.#association.outboundStreams) {
      const what = data.length === 0 ? 'an empty message' : `stream ${streamId}`;
      this.#refuse(`SCTP without our frames cannot carry ${what}`);
      return true;
    }
    this.#unacknowledged.push(true);
    this.#association.send(data, { streamId, ppid, unordered });
    this.#watch();
    if (this.queuedBytes <= this.#options.highWaterMark) return true;
    this.#roomWanted = true;
    return false;
  }

  sendControl(message: Uint8Array): void {
    if (this.#state === 'closed' || this.#ended) return;
    // The reference implementation cannot read it.
    if (message[0] === asapMessageType.businessCard) return;
    this.#unacknowledged.push(false);
    this.#association.send(message, { streamId: 0, ppid: asapPpid });
  }

  release(message: IncomingMessage): void {
    if (message.released) return;
    message.released = true;
    this.#held -= message.data.length;
    if (!this.#paused || this.#held > this.#options.window / 2) return;
    this.#paused = false;
    this.#association.resume();
  }

  take(message: IncomingMessage): void {
    message.taken = true;
    this.release(message);
  }

  expect(waiting: boolean): void {
    this.#expecting = waiting;
    this.#watch();
  }

  /** There is no such message: after all that was sent, the association ends, and a user goes on with its cookie. */
  goElsewhere(): void {
    this.#association.shutdown();
  }

  abort(_code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.#finish();
    this.#association.abort(reason);
    this.#clock.defer(() => this.handler.onClose(undefined));
  }

  /** The association turned out to be no session: nobody is told of it any more. Before it is open. */
  abandon(): void {
    this.#finish();
  }

  ref(): void {
    this.#association.ref();
  }

  unref(): void {
    this.#association.unref();
  }

  onMessage({ data, ppid, streamId, unordered }: SctpMessage): void {
    const isControl = ppid === asapPpid;
    if (this.#state === 'waiting') this.#open(isControl && data[0] === asapMessageType.cookieEcho);
    if (this.#state === 'closed') return;
    if (isControl) {
      this.#cookieSeen ||= data[0] === asapMessageType.cookie;
      this.handler.onControl(data);
      return;
    }
    const sequence = ++this.#received;
    this.#held += data.length;
    if (this.#held > this.#options.window && !this.#paused) {
      this.#paused = true;
      this.#association.pause();
    }
    this.handler.onMessage(this.#incoming('message', sequence, data, streamId, ppid, unordered));
  }

  onAcknowledged(count: number): void {
    const messages = this.#unacknowledged.splice(0, count).filter((isMessage) => isMessage).length;
    this.#watch();
    if (messages > 0) this.handler.onAcknowledged(messages);
    if (!this.#roomWanted || this.queuedBytes > this.#options.highWaterMark) return;
    this.#roomWanted = false;
    this.handler.onRoom();
  }

  onHeard(): void {}

  onNotification(notification: SctpNotification): void {
    if (notification.type !== 'shutdown' || this.#state !== 'open' || this.#isFailure) return;
    this.handler.onMessage(this.#incoming('end', ++this.#received, new Uint8Array(0), 0, 0, false));
  }

  onClose(error: RserpoolError | undefined): void {
    if (this.#state === 'closed') return;
    const opened = this.#state === 'open';
    const failed = this.#isFailure;
    this.#finish();
    if (!opened) return;
    if (error === undefined && !failed) {
      if (this.#ended) this.handler.onAcknowledged(1);
      this.handler.onClose(undefined);
      return;
    }
    // Linux ends the associations of a killed process by SHUTDOWN or by an ABORT: neither says that the session is over.
    const broken = error === undefined || error.code === 'ERR_RSERPOOL_ABORTED';
    const detail = error?.message ?? 'the far side shut down in the middle of the session';
    this.handler.onClose(
      broken ? new RserpoolError('ERR_RSERPOOL_CONNECTION_BROKEN', { detail, origin: 'remote' }) : error,
    );
  }

  /** Whether an orderly end of the association, now, would be a failure to a user. */
  get #isFailure(): boolean {
    if (this.#side.role === 'element' || this.#ended) return false;
    return this.#cookieSeen || this.#expecting || this.#unacknowledged.length > 0;
  }

  #open(cookieFollows: boolean): void {
    if (this.#state !== 'waiting') return;
    this.#timer?.cancel();
    this.#state = 'open';
    const sessionId = new Uint8Array(16);
    this.handler.onOpen({ version: 0, sessionId, failedOver: cookieFollows, cookieFollows });
  }

  #incoming(
    type: 'message' | 'end',
    sequence: number,
    data: Uint8Array,
    streamId: number,
    ppid: number,
    unordered: boolean,
  ): IncomingMessage {
    const plain = { inAnswerTo: 0, lastAnswer: false, redelivered: false, released: false, taken: false };
    return { type, sequence, data, streamId, ppid, unordered, arrival: sequence, ...plain };
  }

  #refuse(detail: string): void {
    this.#finish();
    this.#association.abort(detail);
    const error = new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', { detail });
    this.#clock.defer(() => this.handler.onClose(error));
  }

  #finish(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
  }

  /** Closely while something is awaited, rarely else. */
  #watch(): void {
    const { failureTimeout, heartbeatInterval } = this.#options;
    const close = this.#expecting || this.#unacknowledged.length > 0;
    const timeout = close ? failureTimeout : idleTimeout(this.#options);
    this.#association.setHeartbeat({ interval: close ? failureTimeout / 4 : heartbeatInterval, timeout });
  }
}
