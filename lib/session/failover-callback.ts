/** Asks the application's failover callback what is to be sent again (draft-conrad-rserpool-service section 6.3). */

import { invalidArgumentType } from '../arguments.js';
import type { PoolElement } from '../wire/parameters.js';
import type { RetainedMessage } from './message.js';
import type { FailoverCallback, FailoverFacts } from './session.js';

/** Why the element that had the session was left. */
export interface Failure {
  readonly from: PoolElement;
  readonly cause: Error;
}

/** The frozen facts of a failover. `held`: what was not acknowledged, oldest first. */
export function failoverFacts(
  failure: Failure,
  to: PoolElement,
  cookie: Uint8Array | undefined,
  held: readonly RetainedMessage[],
): FailoverFacts {
  return Object.freeze({
    ...failure,
    to,
    cookie,
    unsent: Object.freeze(held.filter((message) => !message.redelivered)),
    unacknowledged: Object.freeze(held.filter((message) => message.redelivered)),
  });
}

/**
 * Calls `decide` with what the callback returned, or its promise resolved with (undefined: everything), or `refuse`
 * with what it threw or rejected with, or the error for a choice that is none. Without a callback it decides at once.
 */
export function consult(
  onFailover: FailoverCallback | undefined,
  facts: FailoverFacts,
  decide: (chosen: readonly RetainedMessage[] | undefined) => void,
  refuse: (cause: unknown) => void,
): void {
  let chosen: readonly RetainedMessage[] | undefined;
  try {
    const answer = onFailover?.(facts);
    if (isPromise(answer)) {
      // What `decide` throws comes from the application's listeners and is not to be taken for a refusal.
      answer.then(checked).then(decide, refuse);
      return;
    }
    chosen = checked(answer);
  } catch (error) {
    refuse(error);
    return;
  }
  decide(chosen);
}

function isPromise(answer: ReturnType<FailoverCallback>): answer is PromiseLike<void | readonly RetainedMessage[]> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function';
}

/** What a callback chose; throws Node's argument error for anything but a list or nothing. */
function checked(answer: void | readonly RetainedMessage[]): readonly RetainedMessage[] | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (Array.isArray(answer)) return answer as readonly RetainedMessage[];
  throw invalidArgumentType('onFailover()', 'an instance of Array, or undefined', answer);
}
