/** Asks the application's failover callback what is to be sent again (draft-conrad-rserpool-service section 6.3). */

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
 * with what it threw or rejected with. Without a callback it decides at once.
 */
export function consult(
  onFailover: FailoverCallback | undefined,
  facts: FailoverFacts,
  decide: (chosen: readonly RetainedMessage[] | undefined) => void,
  refuse: (cause: unknown) => void,
): void {
  let chosen: ReturnType<FailoverCallback>;
  try {
    chosen = onFailover?.(facts);
  } catch (error) {
    refuse(error);
    return;
  }
  if (chosen === undefined || chosen === null) decide(undefined);
  else if ('then' in chosen) chosen.then((later) => decide(later ?? undefined), refuse);
  else decide(chosen);
}
