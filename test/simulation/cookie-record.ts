/** The cookies that one user's session gets, and what must become of them. */

import type { FailoverFacts } from '../../lib/session/session.js';
import type { UserSession } from '../../lib/session/user-session.js';
import { decodePayload } from './payload.js';
import { dialKey, type World } from './world.js';

export class CookieRecord {
  readonly #world: World;
  readonly #name: string;
  /** What is in the last one, and the last one as it came. */
  #last: Uint8Array | undefined;
  #lastSealed: Uint8Array | undefined;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  /** One came. */
  received(sealed: Uint8Array, session: UserSession): void {
    const cookie = this.#world.openCookie(sealed, session.sessionId);
    const from = decodePayload(cookie)?.element;
    if (from !== session.element?.identifier) this.#world.fail(`${this.#name} got the cookie of element ${from}`);
    this.#last = cookie;
    this.#lastSealed = sealed;
  }

  /** The session dials an element: the last cookie is what that is to be shown. */
  dialling(sessionId: Uint8Array, element: number): void {
    const { cookies } = this.#world;
    const key = dialKey(sessionId, element);
    const shown = cookies.get(key);
    if (shown === undefined) cookies.set(key, [this.#last]);
    else shown.push(this.#last);
  }

  /** The failover callback is told the last one, as it came. */
  judgeFacts({ cookie }: FailoverFacts): void {
    const last = this.#lastSealed;
    const isLast = cookie === undefined || last === undefined ? cookie === last : Buffer.compare(cookie, last) === 0;
    if (!isLast) this.#world.fail(`${this.#name}: the callback is not told the last cookie`);
  }
}
