/** Keeps what the application's listeners throw out of the sessions that call them. */

import type { Clock } from '../clock.js';

/**
 * The same handler, but what a call to it throws is thrown on the next turn of the event loop: an uncaught exception as
 * with net, which must not make the mapping lose the rest of what it is reading if the process survives it.
 */
export function guarded<Handler extends object>(clock: Clock, handler: Handler): Handler {
  const calls = Object.entries(handler).map(([name, call]) => [
    name,
    (...args: unknown[]): unknown => guard(clock, () => (call as (...all: unknown[]) => unknown)(...args)),
  ]);
  return Object.fromEntries(calls) as Handler;
}

/** Runs the application's code; what it throws is thrown on the next turn. */
export function guard<Result>(clock: Clock, run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    clock.nextTurn(() => {
      throw error;
    });
    return undefined;
  }
}
