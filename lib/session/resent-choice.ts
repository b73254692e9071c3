/** Asks the application what is to be sent again to another element (draft-conrad-rserpool-service section 6.3). */

import { invalidArgumentType } from '../arguments.js';
import type { RetainedMessage } from './message.js';
import type { FailoverCallback, FailoverFacts } from './session.js';

type Chosen = readonly RetainedMessage[] | undefined;

/**
 * Calls one of `finish` (with the messages that were chosen; undefined: all) and `refuse` (with what the callback threw
 * or rejected with, or the error for a choice that is none). Without a callback that is `finish`, at once.
 */
export function chooseResent(
  onFailover: FailoverCallback | undefined,
  facts: FailoverFacts,
  finish: (chosen: Chosen) => void,
  refuse: (cause: unknown) => void,
): void {
  let chosen: Chosen;
  try {
    const answer = onFailover?.(facts);
    if (isPromise(answer)) {
      // What `finish` throws comes from the application's listeners and is not to be taken for a refusal.
      answer.then(checked).then(finish, refuse);
      return;
    }
    chosen = checked(answer);
  } catch (error) {
    refuse(error);
    return;
  }
  finish(chosen);
}

function isPromise(answer: ReturnType<FailoverCallback>): answer is PromiseLike<void | readonly RetainedMessage[]> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function';
}

function checked(answer: void | readonly RetainedMessage[]): Chosen {
  if (answer === undefined) return undefined;
  if (Array.isArray(answer)) return answer as readonly RetainedMessage[];
  throw invalidArgumentType('onFailover()', 'an instance of Array, or undefined', answer);
}
