/** Requests that wait for their answers: one answer to the caller, however many elements it takes. */

import type { Clock, Timer } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { Message, RetainedMessage } from './message.js';

/** Called once: with the last message of the answer (`earlier` holds those before it), or with an error. */
export type AnswerCallback = (error: Error | undefined, answer: Message | undefined) => void;

interface OpenRequest {
  readonly message: RetainedMessage;
  readonly callback: AnswerCallback;
  readonly timer: Timer | undefined;
  /** What the present element has answered so far. */
  parts: Message[];
}

export class Requests {
  readonly #clock: Clock;
  readonly #poolHandle: string;
  readonly #open = new Map<number, OpenRequest>();
  /** Given up by their callers; an answer that comes all the same is nobody's. */
  readonly #abandoned = new Set<number>();

  constructor(clock: Clock, poolHandle: string) {
    this.#clock = clock;
    this.#poolHandle = poolHandle;
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#open.size;
  }

  /** `timeout` in ms; undefined: as long as the session lives. */
  add(message: RetainedMessage, timeout: number | undefined, callback: AnswerCallback): void {
    const expired = (): void => {
      const detail = `no answer within ${timeout} ms`;
      this.abandon(
        message.sequence,
        new RserpoolError('ERR_RSERPOOL_REQUEST_TIMEOUT', { poolHandle: this.#poolHandle, detail }),
      );
    };
    const timer = timeout === undefined ? undefined : this.#clock.setTimeout(expired, timeout);
    this.#open.set(message.sequence, { message, callback, timer, parts: [] });
  }

  /** The caller no longer waits: the request is not sent again. */
  abandon(sequence: number, error: Error): void {
    const request = this.#open.get(sequence);
    if (request === undefined) return;
    this.#open.delete(sequence);
    this.#abandoned.add(sequence);
    request.timer?.cancel();
    request.message.answered = true;
    request.callback(error, undefined);
  }

  /** Takes an answer if it is one to a request; false: it is the application's. */
  take(answer: Message): boolean {
    const request = this.#open.get(answer.inAnswerTo);
    if (request === undefined) {
      if (!this.#abandoned.has(answer.inAnswerTo)) return false;
      if (answer.lastAnswer) this.#abandoned.delete(answer.inAnswerTo);
      answer.acknowledge();
      return true;
    }
    answer.acknowledge();
    if (!answer.lastAnswer) {
      request.parts.push(answer);
      return true;
    }
    this.#open.delete(answer.inAnswerTo);
    request.timer?.cancel();
    answer.earlier = request.parts;
    request.callback(undefined, answer);
    return true;
  }

  /** The element was left: what it answered in part, the next one answers anew. */
  restart(): void {
    this.#abandoned.clear();
    for (const request of this.#open.values()) request.parts = [];
  }

  /** The session has ended. */
  close(error: Error): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const request of open) {
      request.timer?.cancel();
      request.callback(error, undefined);
    }
  }
}
