/** Commands that run until they are told to stop. */

import { systemClock, type Timer } from '../clock.js';

/** Resolves at SIGINT or SIGTERM; keeps the process alive until then. A second signal kills, as usual. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let timer: Timer;
    const keepAlive = (): void => {
      timer = systemClock.setTimeout(keepAlive, 0x7fffffff);
    };
    const stop = (): void => {
      timer.cancel();
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
      resolve();
    };
    keepAlive();
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
