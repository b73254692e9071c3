/** Keeps what the application's listeners throw out of the sessions that call them. */

import type { Clock } from '../clock.js';

/**
 * The same handler (its calls take one argument at most), but what a call to it throws is thrown on the next turn of the event loop: an uncaught exception as
 * with net, which must not make the mapping lose the rest of what it is reading if the process survives it.
 */
export function guarded<Handler extends object>(clock: Clock, handler: Handler): Handler {
  const calls = Object.entries(handler).map(([name, call]) => [
    name,
    // No rest arguments, no closure: each message comes this way.
    (argument: unknown): unknown => {
      try {
        return (call as (only: unknown) => unknown)(argument);
      } catch (error) {
        throwLater(clock, error);
        return undefined;
      }
    },
  ]);
  return Object.fromEntries(calls) as Handler;
}

/** Runs the application's code; what it throws is thrown on the next turn. */
export function guard<Result>(clock: Clock, run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    throwLater(clock, error);
    return undefined;
  }
}

function throwLater(clock: Clock, error: unknown): void {
  clock.nextTurn(() => {
    throw error;
  });
}
