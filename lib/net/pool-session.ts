/**
 * One session of a `Pool`: with an element that was chosen for its first message, and, unless it is for that element
 * alone, elsewhere after a failure. It keeps the process alive only while something is outstanding.
 */

import type { Message } from '../session/message.js';
import type { SessionHandler } from '../session/session.js';
import type { UserSession } from '../session/user-session.js';
import type { PoolElement } from '../wire/parameters.js';
import type { ElementInfo } from './options.js';

export interface PoolSessionCallbacks {
  onMessage(message: Message, session: PoolSession): void;
  /** It is with another element now. */
  onMoved(): void;
  /** Nothing is outstanding any more. */
  onIdle(session: PoolSession): void;
  onClosed(session: PoolSession): void;
}

export class PoolSession {
  /** For the element that it was made for alone. */
  readonly pinned: boolean;
  readonly #chosen: PoolElement;
  readonly #session: UserSession;
  readonly #callbacks: PoolSessionCallbacks;
  #outstanding = 0;
  #state: 'usable' | 'ending' | 'closed' = 'usable';

  /** `start` makes the session with the handler that it is given. */
  constructor(
    chosen: PoolElement,
    pinned: boolean,
    start: (handler: SessionHandler) => UserSession,
    callbacks: PoolSessionCallbacks,
  ) {
    this.pinned = pinned;
    this.#chosen = chosen;
    this.#callbacks = callbacks;
    this.#session = start(this.#handler());
    this.#session.unref();
    if (!pinned) this.#session.prefer([chosen]);
  }

  get session(): UserSession {
    return this.#session;
  }

  /** Whether it takes further messages. */
  get isUsable(): boolean {
    return this.#state === 'usable' && !this.#session.isClosed;
  }

  get isIdle(): boolean {
    return this.#outstanding === 0;
  }

  /** PE identifier of the element that it is with, was with last, or is to be with. */
  get identifier(): number {
    return (this.#session.element ?? this.#chosen).identifier;
  }

  get element(): ElementInfo {
    const at = this.#session.remoteAddress;
    return { identifier: this.identifier, address: at?.host, port: at?.port };
  }

  /** Something was given to it; what is returned says, once, that it was settled. */
  begin(): () => void {
    if (this.#outstanding++ === 0) this.#session.ref();
    return () => {
      if (--this.#outstanding > 0 || this.#state === 'closed') return;
      this.#session.unref();
      this.#callbacks.onIdle(this);
    };
  }

  /** Takes nothing more; it closes when all that it has is acknowledged. */
  end(): void {
    if (this.#state !== 'usable') return;
    this.#state = 'ending';
    this.#session.end();
  }

  #handler(): SessionHandler {
    return {
      onOpen() {},
      onMessage: (message) => this.#callbacks.onMessage(message, this),
      onEnd: (end) => {
        // An element that has ended its side answers no more: others take what is still to come.
        end.acknowledge();
        this.end();
      },
      onRoom() {},
      onCookie() {},
      onFailover: () => this.#callbacks.onMoved(),
      onResume() {},
      onClose: () => {
        this.#state = 'closed';
        this.#callbacks.onClosed(this);
      },
    };
  }
}
