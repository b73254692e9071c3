/** Messages as a session's owner sees them, and as the session keeps them until they are acknowledged. */

import { invalidArgumentType } from '../arguments.js';
import type { Timer } from '../clock.js';
import { RserpoolError } from '../errors.js';
import { asapPpid, type IncomingMessage, type MappingConnection, type OutgoingMessage } from '../mapping/mapping.js';

/** How a message is sent. */
export interface SendOptions {
  /** Stream of the mapping, 0 to 65535: messages of one stream keep their order. Default: 0. */
  readonly streamId?: number;
  /** It may overtake others, and be overtaken, where the mapping can (`features.unordered`). Default: false. */
  readonly unordered?: boolean;
  /** Payload protocol identifier, unsigned 32 bits; 11 is ASAP's own and refused. Default: 0. */
  readonly ppid?: number;
  /** Whether to send it again to another element (RFC 5352 section 6.5.5). Default: true. */
  readonly failover?: boolean;
}

/** Told once that a message was acknowledged (no error) or given up. */
export type OnSettled = (error: Error | undefined, message: RetainedMessage) => void;

/** Called once: with the last message of the answer (`earlier` holds those before it), or with an error. */
export type AnswerCallback = (error: Error | undefined, answer: Message | undefined) => void;

/** What a message that is a request keeps until it is answered or given up. */
export interface OpenRequest {
  readonly callback: AnswerCallback;
  readonly timer: Timer | undefined;
  /** What the present element has answered so far. */
  parts: Message[];
}

/** A message that the sender keeps until the far application has taken it (docs/api.md, "retrieval"). */
export class RetainedMessage implements OutgoingMessage {
  readonly type: 'message' | 'end';
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly streamId: number;
  readonly ppid: number;
  readonly inAnswerTo: number;
  readonly lastAnswer: boolean;
  readonly failover: boolean;
  readonly unordered: boolean;
  redelivered = false;
  left = false;
  position = 0;
  /**
   * Its last answer has come (or is no longer wanted), or it was taken before others that were sent before it: that
   * acknowledges it, wherever it stands in the queue.
   */
  answered = false;
  /** It is kept until its last answer has come, even when the far application has taken it before. */
  awaitsAnswer = false;
  /** What waits for its answer, where it was sent by `request`. */
  request: OpenRequest | undefined = undefined;
  // Not #private: with those a message costs its maker up to a microsecond more (docs/performance.md, "What bounds them").
  /** Whether it was acknowledged or given up, and why. */
  private settled = false;
  private error: Error | undefined = undefined;
  private onSettled: OnSettled | undefined;

  constructor(
    type: 'message' | 'end',
    sequence: number,
    data: Uint8Array,
    options: SendOptions,
    inAnswerTo: number,
    lastAnswer: boolean,
    onSettled: OnSettled | undefined,
  ) {
    // The control channel is told from data by its identifier alone (RFC 5352 section 5).
    if (options.ppid === asapPpid) throw new RangeError(`ppid ${asapPpid} belongs to ASAP`);
    this.type = type;
    this.sequence = sequence;
    this.data = data;
    this.streamId = options.streamId ?? 0;
    this.ppid = options.ppid ?? 0;
    this.failover = options.failover ?? true;
    this.unordered = options.unordered ?? false;
    this.inAnswerTo = inAnswerTo;
    this.lastAnswer = lastAnswer;
    this.onSettled = onSettled;
  }

  settle(error: Error | undefined): void {
    if (this.settled) return;
    this.settled = true;
    this.error = error;
    const onSettled = this.onSettled;
    if (onSettled === undefined) return;
    this.onSettled = undefined;
    onSettled(error, this);
  }

  /** The far application has taken it, but not yet all that was sent before it. */
  acknowledgedEarly(): void {
    if (this.awaitsAnswer) return;
    this.answered = true;
    this.settle(undefined);
  }

  /** Calls `listener` once: without error when it is acknowledged, with one when it is given up; at once if it was. */
  whenSettled(listener: (error: Error | undefined) => void): void {
    if (this.settled) {
      listener(this.error);
      return;
    }
    const before = this.onSettled;
    this.onSettled = (error, message) => {
      before?.(error, message);
      listener(error);
    };
  }
}

/** The error for a message that the far side would refuse. */
export function messageTooLarge(length: number, limit: number, poolHandle: string | undefined): RserpoolError {
  const detail = `${length} bytes; the limit is ${limit}`;
  return new RserpoolError(
    'ERR_RSERPOOL_MESSAGE_TOO_LARGE',
    poolHandle === undefined ? { detail } : { detail, poolHandle },
  );
}

/** What became of an answer: accepted, accepted while there is no room for more, or too late. */
export type Answered = 'room' | 'full' | 'refused';

/** What `reply` needs of a session. */
export interface Replier {
  /** Sends an answer to a message that came by `connection`; refused if the session has ended or went on elsewhere. */
  answer(
    connection: MappingConnection,
    data: Uint8Array,
    inAnswerTo: number,
    last: boolean,
    options: SendOptions,
  ): Answered;
}

/** Says whether a message may be acknowledged at once. */
export type HoldBack = (message: Message) => 'goOn' | 'held';

const noMessages: readonly Message[] = [];

/**
 * A message that came. It is acknowledged to its sender when the application has *taken* it: see `acknowledge`.
 */
export class Message {
  private readonly connection: MappingConnection;
  private readonly session: Replier;
  private readonly incoming: IncomingMessage;
  private onTaken: (() => void) | undefined = undefined;
  private holdBack: HoldBack | undefined = undefined;
  private acknowledged = false;
  /** The messages of the same answer that came before this one, its last: for answers to `request`. */
  earlier: readonly Message[] = noMessages;

  constructor(connection: MappingConnection, session: Replier, incoming: IncomingMessage) {
    this.connection = connection;
    this.session = session;
    this.incoming = incoming;
  }

  get data(): Uint8Array {
    return this.incoming.data;
  }

  /** The bytes of `data` as they came, for who needs them not in one: nothing is copied. */
  get pieces(): readonly Uint8Array[] {
    return this.incoming.pieces ?? [this.incoming.data];
  }

  get streamId(): number {
    return this.incoming.streamId;
  }

  get ppid(): number {
    return this.incoming.ppid;
  }

  /** It was sent so that it might overtake others. */
  get unordered(): boolean {
    return this.incoming.unordered;
  }

  /** The message's number in its session and direction, from 1: the same when it is redelivered. */
  get sequence(): number {
    return this.incoming.sequence;
  }

  /** It was sent to another element before, which may have executed it: recognise it by session identifier and sequence. */
  get redelivered(): boolean {
    return this.incoming.redelivered;
  }

  /** The sequence of our message that this answers; 0: none. */
  get inAnswerTo(): number {
    return this.incoming.inAnswerTo;
  }

  /** It is the last answer to `inAnswerTo`. */
  get lastAnswer(): boolean {
    return this.incoming.lastAnswer;
  }

  /** The application has it: the sender may forget it. Harmless the second time. */
  acknowledge(): void {
    if (this.acknowledged) return;
    this.acknowledged = true;
    if (this.holdBack === undefined || this.holdBack(this) === 'goOn') this.takeNow();
    else this.connection.release(this.incoming);
  }

  /**
   * `holdBack` is asked before the message is acknowledged: 'held' if what the application wrote before has not been
   * given to the session yet, which the acknowledgement must not overtake; `takeNow` follows when it has. For the
   * message's owner.
   */
  holdBackWith(holdBack: HoldBack): void {
    this.holdBack = holdBack;
  }

  /** What 'held' was said for has been given to the session: the acknowledgement may go. */
  takeNow(): void {
    this.connection.take(this.incoming);
    const onTaken = this.onTaken;
    this.onTaken = undefined;
    onTaken?.();
  }

  /** Calls `listener` once the application has taken the message. One listener; for the message's owner. */
  onceTaken(listener: () => void): void {
    this.onTaken = listener;
  }

  /**
   * Answers it. The last answer acknowledges it too, so that an acknowledged request is one whose answer has arrived.
   * False: the session waits for room, or it has ended or went on elsewhere and the answer is not sent (the far side
   * asks another element).
   */
  reply(data: Uint8Array | string, options: SendOptions & { readonly last?: boolean } = {}): boolean {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (!(bytes instanceof Uint8Array)) {
      throw invalidArgumentType('data', 'of type string or an instance of Buffer or Uint8Array', bytes);
    }
    const { longestMessage } = this.connection;
    if (bytes.length > longestMessage) throw messageTooLarge(bytes.length, longestMessage, undefined);
    const last = options.last ?? true;
    const answered = this.session.answer(this.connection, bytes, this.incoming.sequence, last, options);
    // The answer stands before the acknowledgement, which makes room here and lets the connection end in order.
    if (last && answered !== 'refused') this.acknowledge();
    return answered === 'room';
  }
}

/** What a message handler returns: nothing, or when it will have taken the message. */
export type Handled = void | PromiseLike<unknown>;

/**
 * Gives a message to its handler and, unless that is the handler's own affair ('manual'), acknowledges it when the
 * handler has returned or its promise has fulfilled. `onFailure` is told what it threw or rejected with; the message then
 * stays unacknowledged.
 */
export function handle(
  message: Message,
  handler: (message: Message) => Handled,
  onFailure: (error: unknown) => void,
  acknowledge: 'auto' | 'manual' = 'auto',
): void {
  let handled: Handled;
  try {
    handled = handler(message);
  } catch (error) {
    onFailure(error);
    return;
  }
  if (handled === undefined || handled === null || typeof handled.then !== 'function') handledBy(message, acknowledge);
  else handled.then(() => handledBy(message, acknowledge), onFailure);
}

function handledBy(message: Message, acknowledge: 'auto' | 'manual'): void {
  if (acknowledge === 'auto') message.acknowledge();
}
