/** Plain connections to a pool: its elements are tried in the policy's order until one accepts, or time runs out. */

import type { Socket } from 'node:net';
import type { Cancellable } from '../asap/resolution.js';
import type { Timer } from '../clock.js';
import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import { searchError } from '../session/element-search.js';
import { defaultUserSessionOptions } from '../session/user-session-options.js';
import type { ElementChoice } from './element-choice.js';
import type { PoolServer } from './select-server.js';

export interface DiallingOptions {
  /** Milliseconds for all of it: registrar, pool and element may come up meanwhile. */
  readonly connectTimeout: number;
  /** Milliseconds for one element. */
  readonly attemptTimeout: number;
}

/** How to reach one element: a socket that is connecting, and the event that says that it is ready. */
export interface Dialled {
  readonly socket: Socket;
  readonly readyEvent: 'connect' | 'secureConnect';
}

/** Called once, and not from within the call that it was given to. */
export type DialCallback = (
  error: Error | undefined,
  socket: Socket | undefined,
  server: PoolServer | undefined,
) => void;

const failed = diagnosticEvent<{ poolHandle: string; element: number; error: Error }>('net', 'attempt-failed');

/** Looks for an element that accepts a connection. Nothing has been sent when one fails, so that the next can take over. */
export class ElementDialling implements Cancellable {
  readonly #choice: ElementChoice;
  readonly #dial: (server: PoolServer) => Dialled;
  readonly #options: DiallingOptions;
  readonly #errors: Error[] = [];
  #callback: DialCallback | undefined;
  #backoff = defaultUserSessionOptions.backoff.first;
  #deadline: Timer;
  #pause: Timer | undefined;
  #news: Cancellable | undefined;
  #abandonAttempt: (() => void) | undefined;

  /** `first`: the element to begin with, whose turn was taken already. */
  constructor(
    choice: ElementChoice,
    dial: (server: PoolServer) => Dialled,
    options: DiallingOptions,
    callback: DialCallback,
    first?: PoolServer,
  ) {
    this.#choice = choice;
    this.#dial = dial;
    this.#options = options;
    this.#callback = callback;
    const { clock } = choice.scope;
    this.#deadline = clock.setTimeout(() => this.#settle(this.#exhausted()), options.connectTimeout);
    clock.defer(() => this.#tryNext(first));
  }

  cancel(): void {
    this.#callback = undefined;
    this.#abandonAttempt?.();
    this.#stopWaiting();
    this.#deadline.cancel();
  }

  #settle(error: Error | undefined, socket?: Socket, server?: PoolServer): void {
    const callback = this.#callback;
    this.cancel();
    callback?.(error, socket, server);
  }

  #stopWaiting(): void {
    this.#pause?.cancel();
    this.#news?.cancel();
  }

  #tryNext(first?: PoolServer): void {
    this.#stopWaiting();
    if (this.#callback === undefined) return;
    const server = first ?? this.#choice.next();
    if (server === undefined) this.#wait();
    else this.#attempt(server);
  }

  /** Until there is news of the pool, or an element that failed may be tried again. */
  #wait(): void {
    const { clock, random } = this.#choice.scope;
    this.#news = this.#choice.await(() => this.#tryNext());
    const delay = this.#backoff * (1 - random.uniform() / 2);
    this.#backoff = Math.min(defaultUserSessionOptions.backoff.most, this.#backoff * 2);
    this.#pause = clock.setTimeout(() => this.#tryNext(), delay, 'background');
  }

  #attempt(server: PoolServer): void {
    const { clock } = this.#choice.scope;
    const { socket, readyEvent } = this.#dial(server);
    const finish = (): void => {
      timer.cancel();
      socket.removeListener(readyEvent, onReady);
      socket.removeListener('error', onError);
      this.#abandonAttempt = undefined;
    };
    const onReady = (): void => {
      finish();
      this.#settle(undefined, socket, server);
    };
    const onError = (error: Error): void => {
      finish();
      // A TLS socket may have more to say.
      socket.on('error', () => {});
      socket.destroy();
      this.#onFailed(server, error);
    };
    // A process that was frozen or busy runs its timers before it reads what has been waiting for it.
    const timer = clock.setTimeout(
      () => clock.nextTurn(() => this.#abandonAttempt === abandon && onError(this.#tookTooLong())),
      this.#options.attemptTimeout,
      'background',
    );
    const abandon = (): void => {
      finish();
      socket.on('error', () => {});
      socket.destroy();
    };
    this.#abandonAttempt = abandon;
    socket.on(readyEvent, onReady);
    socket.on('error', onError);
  }

  #tookTooLong(): Error {
    return new Error(`it accepted no connection within ${this.#options.attemptTimeout} ms`);
  }

  #onFailed(server: PoolServer, cause: Error): void {
    const { poolHandle } = this.#choice;
    const facts = { poolHandle, element: server.identifier, origin: 'remote', detail: cause.message, cause } as const;
    const error = new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', facts);
    failed.publish({ poolHandle, element: server.identifier, error });
    this.#errors.push(error);
    this.#choice.failed(server.identifier, 'silent');
    this.#tryNext();
  }

  #exhausted(): Error {
    const { poolHandle, answer } = this.#choice;
    const facts = { poolHandle, origin: 'remote' } as const;
    if (this.#errors.length > 0) return searchError('ERR_RSERPOOL_CONNECT_TIMEOUT', poolHandle, this.#errors);
    if (answer === 'none') return new RserpoolError('ERR_RSERPOOL_NO_ENRP_SERVER', { poolHandle });
    if (answer === 'unknown') return new RserpoolError('ERR_RSERPOOL_UNKNOWN_POOL_HANDLE', facts);
    const detail = 'none of its elements can be used at present';
    return new RserpoolError('ERR_RSERPOOL_CONNECT_TIMEOUT', { ...facts, detail });
  }
}
