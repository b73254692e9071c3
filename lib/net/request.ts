/** Requests as promises. */

import { checkMilliseconds, invalidArgumentType } from '../arguments.js';
import type { AnswerCallback, Message, SendOptions } from '../session/message.js';
import type { UserSession } from '../session/user-session.js';

export interface RequestOptions extends SendOptions {
  /** Milliseconds until it is given up. Default: as long as the session lives. */
  readonly timeout?: number;
  /** Gives it up: it is not sent again, and an answer that comes all the same is dropped. */
  readonly signal?: AbortSignal;
}

/** Throws Node's argument errors. */
export function checkRequestOptions({ timeout, signal }: RequestOptions): void {
  if (timeout !== undefined) checkMilliseconds('options.timeout', timeout);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgumentType('options.signal', 'an instance of AbortSignal', signal);
  }
}

/** Throws Node's argument errors; resolves or rejects as `Socket.request` says. */
export function requestOver(
  session: UserSession,
  options: RequestOptions,
  prepare: () => Uint8Array,
): Promise<Message> {
  checkRequestOptions(options);
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const settle: AnswerCallback = (error, answer) => (answer === undefined ? reject(error) : resolve(answer));
    if (signal === undefined) session.request(prepare(), options, settle);
    else if (signal.aborted) reject(signal.reason);
    else {
      const onAbort = (): void => session.abandon(request, signal.reason as Error);
      const request = session.request(prepare(), options, (error, answer) => {
        signal.removeEventListener('abort', onAbort);
        settle(error, answer);
      });
      signal.addEventListener('abort', onAbort, { once: true });
    }
  });
}
