/** Asks a service again and again how it is: the health checks of `register`. */

import { checkMilliseconds, checkObject, checkPort, checkString } from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import type { Timer } from '../clock.js';
import { noHandler } from '../transport/transport.js';

/**
 * A function that resolves if the service is well: `false` or a rejection means that it is not, and so does taking longer
 * than the time-out, at which the signal aborts. Or where the service must accept a TCP connection (host: 127.0.0.1).
 */
export type HealthCheck =
  | ((signal: AbortSignal) => Promise<boolean | void> | boolean | void)
  | { readonly port: number; readonly host?: string };

/** Times in milliseconds: from the end of one check to the next, and how long one may take. */
export interface HealthTimes {
  readonly interval: number;
  readonly timeout: number;
}

export interface HealthCallbacks {
  /** Whether somebody waits for the service to become healthy: that keeps the process alive. */
  isAwaited(): boolean;
  /** It is well, for the first time or again. */
  onHealthy(first: boolean): void;
  onStillHealthy(): void;
  /** It is not well, for the first time or not any more, and why. */
  onUnhealthy(cause: unknown): void;
}

/** The times of a health check with defaults; throws Node's argument errors for them and the check. */
export function checkHealthOptions(given: {
  readonly healthCheck?: HealthCheck;
  readonly healthCheckInterval?: number;
  readonly healthCheckTimeout?: number;
}): HealthTimes {
  const { healthCheck: check, healthCheckInterval: interval = 5_000, healthCheckTimeout: timeout = 1_000 } = given;
  checkMilliseconds('options.healthCheckInterval', interval, 'finite', 1);
  checkMilliseconds('options.healthCheckTimeout', timeout, 'finite', 1);
  if (check === undefined || typeof check === 'function') return { interval, timeout };
  checkObject('options.healthCheck', check);
  checkPort('options.healthCheck.port', check.port, false);
  if (check.host !== undefined) checkString('options.healthCheck.host', check.host);
  return { interval, timeout };
}

/** unknown -> healthy <-> unhealthy, until it is stopped. */
export class HealthWatch {
  readonly #scope: OperationalScope;
  readonly #options: HealthTimes & { readonly check: HealthCheck };
  readonly #callbacks: HealthCallbacks;
  #state: 'unknown' | 'healthy' | 'unhealthy' | 'stopped' = 'unknown';
  /** Until the next check, or the end of the time for this one. */
  #timer: Timer | undefined;
  #abort: ((reason: Error) => void) | undefined;

  /** Begins with the first check on the next turn. */
  constructor(
    scope: OperationalScope,
    options: HealthTimes & { readonly check: HealthCheck },
    callbacks: HealthCallbacks,
  ) {
    this.#scope = scope;
    this.#options = options;
    this.#callbacks = callbacks;
    scope.clock.nextTurn(() => this.#check());
  }

  get healthy(): boolean {
    return this.#state === 'healthy';
  }

  stop(): void {
    this.#state = 'stopped';
    this.#timer?.cancel();
    this.#abort?.(new Error('the health check was stopped'));
  }

  #check(): void {
    if (this.#state === 'stopped') return;
    const { clock } = this.#scope;
    const { check, timeout } = this.#options;
    const controller = new AbortController();
    let pending = true;
    const settle = (sick: { readonly cause: unknown } | undefined): void => {
      if (!pending) return;
      pending = false;
      this.#abort = undefined;
      this.#onChecked(sick);
    };
    this.#abort = (reason) => {
      controller.abort(reason);
      settle({ cause: reason });
    };
    // A process that was frozen or busy runs its timers before it reads what has been waiting for it.
    const onDue = (): void =>
      clock.nextTurn(() => pending && this.#abort?.(new Error(`it took longer than ${timeout} ms`)));
    this.#arm(onDue, timeout, !this.#callbacks.isAwaited());
    const outcome =
      typeof check === 'function' ? call(check, controller.signal) : this.#connect(check, controller.signal);
    outcome.then(
      (well) => settle(well === false ? { cause: new Error('it returned false') } : undefined),
      (cause: unknown) => settle({ cause }),
    );
  }

  #connect(at: { readonly port: number; readonly host?: string }, signal: AbortSignal): Promise<void> {
    const { host = '127.0.0.1', port } = at;
    return new Promise((resolve, reject) => {
      const attempt = this.#scope.transports.stream.connect(
        { host, port },
        {
          onOpen: (stream) => {
            stream.destroy();
            resolve();
            return noHandler;
          },
          onError: reject,
        },
      );
      signal.addEventListener('abort', () => attempt.cancel(), { once: true });
    });
  }

  /** The one place where the state changes, but for `stop`. */
  #onChecked(sick: { readonly cause: unknown } | undefined): void {
    const before = this.#state;
    if (before === 'stopped') return;
    // Once it is well, the registration is what somebody waits for.
    const background = sick === undefined || !this.#callbacks.isAwaited();
    this.#arm(() => this.#check(), this.#options.interval, background);
    this.#state = sick === undefined ? 'healthy' : 'unhealthy';
    if (sick === undefined && before === 'healthy') this.#callbacks.onStillHealthy();
    else if (sick === undefined) this.#callbacks.onHealthy(before === 'unknown');
    else if (before !== 'unhealthy') this.#callbacks.onUnhealthy(sick.cause);
  }

  #arm(run: () => void, delay: number, background: boolean): void {
    this.#timer?.cancel();
    this.#timer = this.#scope.clock.setTimeout(run, delay, background ? 'background' : undefined);
  }
}

/** What the application's function throws is what it rejects with. */
async function call(check: (signal: AbortSignal) => unknown, signal: AbortSignal): Promise<unknown> {
  return await check(signal);
}
