/** Waiting for a pool to come into being: neither a cache nor a subscription covers one that does not exist yet. */

import type { Clock, Timer } from '../clock.js';
import type { Random } from '../random.js';
import type { PoolHandle } from '../wire/parameters.js';
import type { AsapTimers } from './options.js';
import type { Cancellable, ResolveCallback, ResolveOptions } from './resolution.js';

export interface PoolPollingSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: AsapTimers;
  resolve(poolHandle: PoolHandle, options: ResolveOptions, callback: ResolveCallback): Cancellable;
}

/** The wait after `attempts` unknown answers: doubles from `pollInterval` to `maxPollInterval`; half of it is chance. */
export function pollDelay(attempts: number, timers: AsapTimers, random: Random): number {
  const most = Math.min(timers.pollInterval * 2 ** attempts, timers.maxPollInterval);
  return most * (0.5 + random.uniform() / 2);
}

/** Resolves, and asks again as long as the pool is unknown; at the time-out the callback gets the last error. */
export function awaitPool(
  poolHandle: PoolHandle,
  options: ResolveOptions & { readonly timeout: number },
  callback: ResolveCallback,
  around: PoolPollingSurroundings,
): Cancellable {
  const { clock, random, timers } = around;
  const deadline = clock.now() + options.timeout;
  let attempts = 0;
  let request: Cancellable | undefined;
  let timer: Timer | undefined;
  const ask = (): void => {
    const timeout = Math.max(0, deadline - clock.now());
    request = around.resolve(poolHandle, { ...options, timeout }, (error, resolution) => {
      const unknown = (error as { code?: unknown } | undefined)?.code === 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE';
      const left = deadline - clock.now();
      if (!unknown || left <= 0) {
        callback(error, resolution);
        return;
      }
      const delay = pollDelay(attempts++, timers, random);
      // The last wait ends at the deadline, and so does the last answer before it.
      timer = delay < left ? clock.setTimeout(ask, delay) : clock.setTimeout(() => callback(error, undefined), left);
    });
  };
  ask();
  return {
    cancel() {
      request?.cancel();
      timer?.cancel();
    },
  };
}
