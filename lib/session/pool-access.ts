/** What a session needs of its pool. */

import type { MappingConnection, MappingHandler } from '../mapping/mapping.js';
import type { Attempt } from '../transport/transport.js';
import type { PoolElement } from '../wire/parameters.js';
import type { PoolView } from './candidates.js';

/** What is said to an element when it is reached. */
export interface SessionHello {
  readonly sessionId: Uint8Array;
  readonly failedOver: boolean;
  readonly cookieFollows: boolean;
}

/** What a session needs of the pool: a narrow view, so that it knows neither registrars nor transports. */
export interface PoolAccess {
  readonly poolHandle: string;
  /** The session is for this element alone (RFC 3237 section 2.10): `resolve` knows no other, and cards do not count. */
  readonly element: number | undefined;
  /**
   * The pool's elements, and an error where they are not what is wanted; `refresh` asks the registrar whatever the cache
   * holds. Calls back once, within `timeout` ms.
   */
  resolve(
    refresh: boolean,
    timeout: number,
    callback: (error: Error | undefined, pool: PoolView | undefined) => void,
  ): void;
  /** Whether the element was found unreachable lately, by any session of this process. */
  isSuspected(identifier: number): boolean;
  /** Something was sent to the element, or was to be, and it failed (RFC 5352 section 3.5). */
  reportUnreachable(identifier: number): void;
  /** Connects to the element and says hello to it. */
  dial(element: PoolElement, hello: SessionHello, callbacks: DialledCallbacks): Attempt;
  /**
   * Connects to an element that may be needed within `timeout` ms, says hello, and lets it stand by. Absent where that is not
   * to be done; undefined: not with this element.
   */
  prepare?(
    element: PoolElement,
    hello: SessionHello,
    timeout: number,
    callbacks: PreparedCallbacks,
  ): PreparedDial | undefined;
}

export interface DialledCallbacks {
  onOpen(connection: MappingConnection): MappingHandler;
  onFailed(errors: readonly Error[]): void;
}

/** Told of a prepared element until it is claimed or dropped. */
export interface PreparedCallbacks {
  /** It is connected to. */
  onReached(): void;
  /** It could not be reached, or was lost. */
  onFailed(): void;
}

/** An element that is about to be needed, or not. */
export interface PreparedDial {
  /** It is connected to. */
  readonly isReached: boolean;
  /** It is needed: as `PoolAccess.dial`; once. */
  claim(callbacks: DialledCallbacks): Attempt;
  /** It is not needed. Harmless after `claim`. */
  drop(): void;
}
