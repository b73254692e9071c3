/** Requests that wait for their answers: one answer to the caller, however many elements it takes. */

import type { Clock } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { AnswerCallback, Message, OpenRequest, RetainedMessage } from './message.js';

const noParts: Message[] = [];

/** So many requests that were given up are remembered, so that answers to them are known for what they are. */
const mostAbandoned = 10_000;

export class Requests {
  readonly #clock: Clock;
  readonly #poolHandle: string;
  readonly #onAnyOpen: (open: boolean) => void;
  readonly #onAbandoned: (message: RetainedMessage) => void;
  #size = 0;
  /** Given up by their callers; an answer that comes all the same is nobody's. */
  readonly #abandoned = new Set<number>();

  /**
   * `onAnyOpen` is told when the first request opens, and when the last has been answered or given up; `onAbandoned` of
   * each whose caller gave it up.
   */
  constructor(
    clock: Clock,
    poolHandle: string,
    onAnyOpen: (open: boolean) => void,
    onAbandoned: (message: RetainedMessage) => void,
  ) {
    this.#clock = clock;
    this.#poolHandle = poolHandle;
    this.#onAnyOpen = onAnyOpen;
    this.#onAbandoned = onAbandoned;
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#size;
  }

  /** `timeout` in ms; undefined: as long as the session lives. A message that is given up gives its request up. */
  add(message: RetainedMessage, timeout: number | undefined, callback: AnswerCallback): void {
    const timer =
      timeout === undefined ? undefined : this.#clock.setTimeout(() => this.#expire(message, timeout), timeout);
    message.awaitsAnswer = true;
    message.request = { callback, timer, parts: noParts };
    if (this.#size++ === 0) this.#onAnyOpen(true);
  }

  /** The caller no longer waits: the request is not sent again. */
  abandon(message: RetainedMessage, error: Error): void {
    const request = this.#close(message);
    if (request === undefined) return;
    this.#abandoned.add(message.sequence);
    // Elements need not answer at all: what was given up long ago is forgotten.
    if (this.#abandoned.size > mostAbandoned) this.#abandoned.delete(this.#abandoned.values().next().value as number);
    message.answered = true;
    this.#onAbandoned(message);
    request.callback(error, undefined);
  }

  /** Its message is given up: what it asked can still be retrieved. */
  fail(message: RetainedMessage, error: Error): void {
    this.#close(message)?.callback(error, undefined);
  }

  /** Takes an answer to `message`, if that is still known, and if it is a request; false: it is the application's. */
  take(answer: Message, message: RetainedMessage | undefined): boolean {
    const request = message?.request;
    if (message === undefined || request === undefined) {
      if (!this.#abandoned.has(answer.inAnswerTo)) return false;
      if (answer.lastAnswer) this.#abandoned.delete(answer.inAnswerTo);
      answer.acknowledge();
      return true;
    }
    answer.acknowledge();
    if (!answer.lastAnswer) {
      if (request.parts === noParts) request.parts = [];
      request.parts.push(answer);
      return true;
    }
    this.#close(message);
    answer.earlier = request.parts;
    request.callback(undefined, answer);
    return true;
  }

  /** The element was left, with these messages: what it answered in part, the next one answers anew. */
  restart(messages: readonly RetainedMessage[]): void {
    this.#abandoned.clear();
    for (const { request } of messages) if (request !== undefined) request.parts = noParts;
  }

  #expire(message: RetainedMessage, timeout: number): void {
    const facts = { poolHandle: this.#poolHandle, detail: `no answer within ${timeout} ms` };
    this.abandon(message, new RserpoolError('ERR_RSERPOOL_REQUEST_TIMEOUT', facts));
  }

  #close(message: RetainedMessage): OpenRequest | undefined {
    const { request } = message;
    if (request === undefined) return undefined;
    message.request = undefined;
    request.timer?.cancel();
    if (--this.#size === 0) this.#onAnyOpen(false);
    return request;
  }
}
