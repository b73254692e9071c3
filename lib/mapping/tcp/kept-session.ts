/** What a connection has to do with the resumable sessions of its element: nothing at a user, or where they are not kept. */

import type { Resumable, ResumableSessions, SessionEnd } from './resumable-sessions.js';

export class KeptSession {
  readonly #sessions: ResumableSessions | undefined;
  readonly #session: Resumable;
  #sessionId: Uint8Array | undefined;

  constructor(sessions: ResumableSessions | undefined, session: Resumable) {
    this.#sessions = sessions;
    this.#session = session;
  }

  /** The session begins, and both sides can resume it. */
  begin(sessionId: Uint8Array): void {
    this.#sessionId = sessionId;
    this.#sessions?.begin(sessionId, this.#session);
  }

  /** As ResumableSessions, like all that follows. */
  park(): void {
    this.#sessions?.park(this.#session);
  }

  unpark(): void {
    this.#sessions?.unpark(this.#session);
  }

  grow(bytes: number): void {
    this.#sessions?.grow(this.#session, bytes);
  }

  remember(how: SessionEnd): void {
    if (this.#sessionId !== undefined) this.#sessions?.remember(this.#sessionId, how);
  }

  end(): void {
    if (this.#sessionId !== undefined) this.#sessions?.end(this.#sessionId, this.#session);
  }
}
