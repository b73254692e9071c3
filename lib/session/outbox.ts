/**
 * What a user's session has to send: with its connection or waiting for one, until it is acknowledged.
 *
 *   holding --attach--> attached --release--> open --hold--> attached
 *   any --detach--> holding
 *
 * While 'holding' there is no connection. While 'attached' there is one, and only what is sent first goes to it.
 */

import type { Clock } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { MappingConnection, OutgoingMessage } from '../mapping/mapping.js';
import {
  type AnswerCallback,
  type Message,
  messageTooLarge,
  type OnSettled,
  RetainedMessage,
  type SendOptions,
} from './message.js';
import { Requests } from './requests.js';
import { RetrievalQueue } from './retrieval-queue.js';
import type { Retrieved } from './session.js';

type Settled = (error: Error | undefined) => void;

export class Outbox {
  readonly #clock: Clock;
  readonly #poolHandle: string;
  readonly #onRoom: () => void;
  readonly #onTooLarge: (error: Error) => void;
  #state: 'holding' | 'attached' | 'open' | 'closed' = 'holding';
  #connection: MappingConnection | undefined;
  /** Given to the connection, not yet acknowledged. */
  readonly #queue = new RetrievalQueue();
  /** Not given to the connection. */
  #waiting: RetainedMessage[] = [];
  readonly #requests: Requests;
  readonly #onRequestSettled: OnSettled = (error, message) => {
    if (error !== undefined) this.#requests.fail(message, error);
  };
  #end: RetainedMessage | undefined;
  #nextSequence = 1;
  #roomWanted = false;

  /**
   * `onRoom`: after `send` returned false, there is room again. `onTooLarge`: a message was accepted while there was no
   * connection, and the element that was reached does not take messages of this size: the session cannot keep its order.
   * `onAbandoned`: a request was given up, and perhaps was the last thing to wait for.
   */
  constructor(
    clock: Clock,
    poolHandle: string,
    onRoom: () => void,
    onTooLarge: (error: Error) => void,
    onAbandoned: () => void,
  ) {
    this.#onTooLarge = onTooLarge;
    this.#clock = clock;
    this.#poolHandle = poolHandle;
    this.#onRoom = onRoom;
    const abandoned = (message: RetainedMessage): void => {
      this.#queue.abandoned(message);
      onAbandoned();
    };
    this.#requests = new Requests(clock, poolHandle, () => this.#expect(), abandoned);
  }

  /** Whether anything is to be sent to the next element. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether the connection has nothing that is not acknowledged, answered ones apart. */
  get isSettled(): boolean {
    return this.#queue.isSettled;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Whether nothing is left that another element could do: our end at most was not acknowledged. */
  get isComplete(): boolean {
    return (
      this.#end !== undefined && this.#outstanding().every((message) => message.type === 'end' || message.answered)
    );
  }

  /** A message of this session. */
  create(
    data: Uint8Array,
    options: SendOptions,
    onSettled?: OnSettled,
    answer?: { readonly to: number; readonly last: boolean },
  ): RetainedMessage {
    const sequence = this.#nextSequence++;
    return new RetainedMessage('message', sequence, data, options, answer?.to ?? 0, answer?.last ?? false, onSettled);
  }

  /** `first`: before what is held back. False: wait for room. */
  send(message: RetainedMessage, first?: 'first'): boolean {
    if (this.#state === 'closed' || this.#end !== undefined) {
      message.settle(new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED', { poolHandle: this.#poolHandle }));
      return false;
    }
    if (this.#state === 'open' || (first !== undefined && this.#state === 'attached')) {
      if (message.data.length <= (this.#connection as MappingConnection).longestMessage) return this.#pass(message);
      this.#waiting.push(message);
      this.#refusesLarge([message]);
      return false;
    }
    this.#waiting.push(message);
    this.#roomWanted = true;
    return false;
  }

  /** As UserSession.request. */
  request(
    data: Uint8Array,
    options: SendOptions & { readonly timeout?: number },
    callback: AnswerCallback,
    first?: 'first',
  ): RetainedMessage {
    const message = this.create(data, options, this.#onRequestSettled);
    this.#requests.add(message, options.timeout, callback);
    this.send(message, first);
    return message;
  }

  /** Gives a request up: its caller is told, and it is not sent again. */
  abandon(request: RetainedMessage, error: Error): void {
    this.#requests.abandon(request, error);
  }

  /** No more comes: the end follows what is here. */
  end(onSettled: Settled | undefined): void {
    if (this.#end === undefined) {
      const end = new RetainedMessage('end', this.#nextSequence++, new Uint8Array(0), {}, 0, false, undefined);
      this.#end = end;
      if (this.#state === 'open') this.#pass(end);
      else if (this.#state === 'closed') end.settle(new RserpoolError('ERR_RSERPOOL_SESSION_CLOSED'));
    }
    if (onSettled !== undefined) this.#end.whenSettled(onSettled);
  }

  /** Takes an answer that a request waits for; false: it is the application's. */
  takeAnswer(message: Message): boolean {
    const request = this.#queue.find(message.inAnswerTo);
    if (request !== undefined && message.lastAnswer) this.#queue.answered(request);
    return this.#requests.take(message, request);
  }

  acknowledge(count: number): void {
    this.#queue.acknowledge(count);
  }

  /** The far application has taken one of this session's messages before others. */
  acknowledgeEarly(message: OutgoingMessage): void {
    (message as RetainedMessage).acknowledgedEarly();
  }

  /** The connection has room again. */
  room(): void {
    if (!this.#roomWanted || this.#state !== 'open') return;
    this.#roomWanted = false;
    this.#onRoom();
  }

  /** There is a connection. Returns what is held back for it, oldest first. */
  attach(connection: MappingConnection): RetainedMessage[] {
    this.#connection = connection;
    this.#state = 'attached';
    this.#expect();
    // Requests that were given up meanwhile are nobody's any more.
    this.#waiting = this.#waiting.filter((message) => !message.answered);
    return [...this.#waiting];
  }

  /** Sends what is held back: of `held`, what `chosen` names, in its order; then what came since; then the end. */
  release(held: readonly RetainedMessage[], chosen: readonly RetainedMessage[]): void {
    const ours = new Set(held);
    const resend = new Set(chosen.filter((message) => ours.has(message)));
    const later = this.#waiting.filter((message) => !ours.has(message));
    this.#waiting = [...resend, ...later];
    for (const message of held) if (!resend.has(message)) this.#drop(message);
    // Who was told of one may have ended it all.
    if (this.#state !== 'attached' || this.#refusesLarge(this.#waiting)) return;
    const passing = this.#waiting;
    this.#waiting = [];
    this.#state = 'open';
    let room = true;
    for (const message of passing) if (!message.answered) room = this.#pass(message);
    if (this.#end !== undefined) this.#pass(this.#end);
    if (room && this.#roomWanted) this.#clock.defer(() => this.room());
  }

  /** From now on the connection gets nothing new. */
  hold(): void {
    if (this.#state === 'open') this.#state = 'attached';
  }

  /**
   * The connection is left: what it did not acknowledge waits for the next one, marked if it had left; what is not to
   * be sent again is handed back with `error`.
   */
  detach(error: () => Error): void {
    const given = this.#queue.begin();
    this.#requests.restart(given);
    const givenUp: RetainedMessage[] = [];
    const kept = given.flatMap((message) => {
      const { left } = message;
      message.left = false;
      if (left) message.redelivered = true;
      // Nobody else asked what our answers answer.
      if (message.answered || message.type === 'end' || message.inAnswerTo !== 0) return [];
      if (message.failover || !left) return [message];
      givenUp.push(message);
      return [];
    });
    // What the former failover still held back stands before what was written since.
    this.#waiting = [...this.#waiting, ...kept].sort((a, b) => a.sequence - b.sequence);
    this.#connection = undefined;
    this.#state = 'holding';
    for (const message of givenUp) message.settle(error());
  }

  retrieve(): Retrieved {
    const list = this.#queue.list();
    const left = [...list.filter((message) => message.left), ...this.#waiting.filter((message) => message.redelivered)];
    const unsent = [
      ...list.filter((message) => !message.left),
      ...this.#waiting.filter((message) => !message.redelivered),
    ];
    const wanted = (message: RetainedMessage): boolean => message.type === 'message' && !message.answered;
    return { unacknowledged: left.filter(wanted), unsent: unsent.filter(wanted) };
  }

  /** The session has ended: everything is given up. What was not acknowledged can still be retrieved. */
  close(error: Error): void {
    // Who is told that it is given up shall know whether it had left.
    for (const message of this.retrieve().unacknowledged) message.redelivered = true;
    this.#state = 'closed';
    for (const message of this.#outstanding()) message.settle(error);
  }

  /** Whether one of them is larger than the connection takes; then the owner is told, and the session is about to end. */
  #refusesLarge(messages: readonly RetainedMessage[]): boolean {
    const { longestMessage } = this.#connection as MappingConnection;
    const large = messages.find(({ answered, data }) => !answered && data.length > longestMessage);
    if (large === undefined) return false;
    this.#onTooLarge(messageTooLarge(large.data.length, longestMessage, this.#poolHandle));
    return true;
  }

  #pass(message: RetainedMessage): boolean {
    const connection = this.#connection as MappingConnection;
    this.#queue.push(message);
    const room = connection.send(message);
    if (!room) this.#roomWanted = true;
    return room;
  }

  /** The failover callback does not want it sent again: nobody waits for it but who waits for its answer. */
  #drop(message: RetainedMessage): void {
    const facts = { poolHandle: this.#poolHandle, detail: 'the failover callback did not send it again' };
    message.settle(message.awaitsAnswer ? new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', facts) : undefined);
  }

  /** An answer that is waited for is a reason to watch the element closely. */
  #expect(): void {
    this.#connection?.expect(this.#requests.size > 0);
  }

  #outstanding(): RetainedMessage[] {
    const all = [...this.#queue.list(), ...this.#waiting];
    return this.#end === undefined || all.includes(this.#end) ? all : [...all, this.#end];
  }
}
