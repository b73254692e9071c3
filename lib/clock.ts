/**
 * The only source of time in this library. Everything that waits is given a Clock, so that a whole pool can run
 * in virtual time (transport/memory) as well as in real time.
 */

/** A running timer. */
export interface Timer {
  /** Stops the timer; it never fires after this. Harmless when it has fired or was cancelled. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic time in milliseconds since an arbitrary start; may have a fraction. */
  now(): number;
  /** Calendar time in milliseconds since 1970, for stamps that people read; never for measuring. */
  wallTime(): number;
  /**
   * Calls `fire` once, `delay` milliseconds from now (at least one turn of the event loop later).
   * With `background`, the timer alone does not keep the process alive.
   */
  setTimeout(fire: () => void, delay: number, background?: 'background'): Timer;
  /**
   * Begins to measure how busy the event loop is. Each call of what it returns gives the share (0 to 1) of the time since
   * the one before. Absent where there is no event loop to measure.
   */
  measureUtilization?(): () => number;
  /** Calls `run` at the end of this tick, when promises that have settled were followed up, and before any I/O. */
  defer(run: () => void): void;
  /** Calls `run` on the next turn of the event loop, after the I/O that is already waiting. */
  nextTurn(run: () => void): void;
}

/** Its followers run as microtasks: cheaper than queueMicrotask, which makes each an asynchronous resource. */
const settled = Promise.resolve();

/** The operating system's time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimeout(fire, delay, background) {
    // Node clamps a delay of more than 2^31-1 ms to 1 ms; "in 24 days" is what such a caller means.
    const timer = setTimeout(fire, Math.min(delay, 0x7fffffff));
    if (background !== undefined) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  measureUtilization() {
    let last = performance.eventLoopUtilization();
    return () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return Math.min(1, Math.max(0, utilization));
    };
  },
  // A tick's callbacks run before the microtasks of what led to it: what `await` continues with would come too late.
  defer: (run) => void settled.then(() => process.nextTick(run)),
  nextTurn: (run) => void setImmediate(run),
};
