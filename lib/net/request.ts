/** Requests as promises. */

import { checkMilliseconds, invalidArgumentType } from '../arguments.js';
import type { Message, SendOptions } from '../session/message.js';
import type { UserSession } from '../session/user-session.js';

export interface RequestOptions extends SendOptions {
  /** Milliseconds until it is given up. Default: as long as the session lives. */
  readonly timeout?: number;
  /** Gives it up: it is not sent again, and an answer that comes all the same is dropped. */
  readonly signal?: AbortSignal;
}

/** Throws Node's argument errors; resolves or rejects as `Socket.request` says. */
export function requestOver(
  session: UserSession,
  options: RequestOptions,
  prepare: () => Uint8Array,
): Promise<Message> {
  const { timeout, signal } = options;
  if (timeout !== undefined) checkMilliseconds('options.timeout', timeout);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgumentType('options.signal', 'an instance of AbortSignal', signal);
  }
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => abandon(signal?.reason as Error);
    const abandon = session.request(prepare(), options, (error, answer) => {
      signal?.removeEventListener('abort', onAbort);
      if (answer === undefined) reject(error);
      else resolve(answer);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
