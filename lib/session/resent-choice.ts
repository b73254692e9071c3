/** Asks the application what is to be sent again to another element (draft-conrad-rserpool-service section 6.3). */

import { invalidArgumentType } from '../arguments.js';
import type { PoolElement } from '../wire/parameters.js';
import { toCookie } from './cookie.js';
import type { RetainedMessage } from './message.js';
import type { FailoverCallback, FailoverFacts } from './session.js';

/** Why the element that had the session was left. */
export interface Failure {
  readonly from: PoolElement;
  readonly cause: Error;
}

/** The frozen facts of a failover. `held`: what was not acknowledged, oldest first. `known`: who has not failed. */
export function failoverFacts(
  failure: Failure,
  to: PoolElement,
  cookie: Uint8Array | undefined,
  held: readonly RetainedMessage[],
  known: readonly PoolElement[],
): FailoverFacts {
  return Object.freeze({
    ...failure,
    to,
    candidates: Object.freeze(known.filter(({ identifier }) => identifier !== to.identifier)),
    cookie: cookie && toCookie(cookie.slice(), false),
    unsent: Object.freeze(held.filter((message) => !message.redelivered)),
    unacknowledged: Object.freeze(held.filter((message) => message.redelivered)),
  });
}

type Chosen = readonly RetainedMessage[] | undefined;

/**
 * Asks the application; `asking` is told when its callback begins and when it has returned. Calls one of `finish` (with
 * the messages that were chosen; undefined: all) and `refuse` (with what the callback threw or rejected with, or the
 * error for a choice that is none).
 */
export function chooseResent(
  ask: () => ReturnType<FailoverCallback>,
  asking: (is: boolean) => void,
  finish: (chosen: Chosen) => void,
  refuse: (cause: unknown) => void,
): void {
  let chosen: Chosen;
  try {
    const answer = during(asking, ask);
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

function during(asking: (is: boolean) => void, ask: () => ReturnType<FailoverCallback>): ReturnType<FailoverCallback> {
  asking(true);
  try {
    return ask();
  } finally {
    asking(false);
  }
}

function isPromise(answer: ReturnType<FailoverCallback>): answer is PromiseLike<void | readonly RetainedMessage[]> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function';
}

function checked(answer: void | readonly RetainedMessage[]): Chosen {
  if (answer === undefined) return undefined;
  if (Array.isArray(answer)) return answer as readonly RetainedMessage[];
  throw invalidArgumentType('onFailover()', 'an instance of Array, or undefined', answer);
}
