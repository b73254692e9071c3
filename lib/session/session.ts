/** What the two kinds of session have in common: the user's, which fails over, and the element's, which does not. */

import type { MappingFeatures, PathMeasurements } from '../mapping/mapping.js';
import type { TransportAddress } from '../transport/transport.js';
import type { PoolElement } from '../wire/parameters.js';
import type { BusinessCard } from './business-card.js';
import type { Cookie } from './cookie.js';
import type { Message, RetainedMessage, SendOptions } from './message.js';

/** What was not acknowledged when a session failed (RFC 5352 section 6.7, draft-conrad-rserpool-service section 6.1.1). */
export interface Retrieved {
  /** Never left: no element can have executed them. Oldest first. */
  readonly unsent: readonly RetainedMessage[];
  /** Left, and were not acknowledged: an element may have executed them. Oldest first. */
  readonly unacknowledged: readonly RetainedMessage[];
}

/** What a failover callback is given: frozen facts (draft-conrad-rserpool-service section 6.3). */
export interface FailoverFacts extends Retrieved {
  readonly from: PoolElement;
  readonly to: PoolElement;
  /** Others that could be gone to, as far as is known: not `to`, and none that has just failed. */
  readonly candidates: readonly PoolElement[];
  /** Why the former element was left. */
  readonly cause: Error;
  /** The last cookie that came from it, already echoed to the new one. */
  readonly cookie: Cookie | undefined;
}

/** As `Session.send`, but before everything that is held back for the failover callback. */
export type FailoverSend = (
  data: Uint8Array | string,
  options?: SendOptions,
  onSettled?: (error: Error | undefined) => void,
) => boolean;

/**
 * Called when a session has reached another element, before anything but the cookie echo was sent to it. The messages
 * that it sends go first: by any means until it returns, and by `send` until what it promised has settled. What it
 * returns of `unsent` and `unacknowledged` is sent again after that, in that order (default: all of it), and then what
 * the application sent or wrote meanwhile. A rejection, or an exception, ends the session.
 */
export type FailoverCallback = (
  facts: FailoverFacts,
  send: FailoverSend,
) => void | readonly RetainedMessage[] | PromiseLike<void | readonly RetainedMessage[]>;

/** What the owner of a session is told. */
export interface SessionHandler {
  /** The first element was reached; for an element's session: its user has said hello (and echoed its cookie). */
  onOpen(): void;
  onMessage(message: Message): void;
  /** The far side sends no more. `message.acknowledge()` says that the application knows. */
  onEnd(message: Message): void;
  /** After `send` returned false: there is room again. */
  onRoom(): void;
  /** A cookie came (user), or was echoed by a user that came from another element (element; before `onOpen`). */
  onCookie(cookie: Cookie): void;
  /** The far side's business card came: an element's, or that of a user which is an element too. */
  onBusinessCard?(card: BusinessCard): void;
  /** The session goes on at another element (users only). */
  onFailover(facts: FailoverFacts): void;
  /** Its connection broke and goes on, both directions exactly once: at an element, its user is back. */
  onResume(): void;
  /** Exactly once and last. Without error: both directions ended and everything was acknowledged. */
  onClose(error: Error | undefined): void;
}

export interface Session {
  /** 16 bytes: a secret of both sides. Empty until an element's session is open. */
  readonly sessionId: Uint8Array;
  readonly features: MappingFeatures;
  /** Undefined while there is no connection. */
  readonly path: PathMeasurements | undefined;
  readonly localAddress: TransportAddress | undefined;
  readonly remoteAddress: TransportAddress | undefined;
  /** Bytes of the largest message that the far side takes: a larger one must not be given to `send`. */
  readonly longestMessage: number;
  /** Queues a message; false: wait for `onRoom`. `onSettled` is called when it was acknowledged or given up. */
  send(data: Uint8Array, options?: SendOptions, onSettled?: (error: Error | undefined) => void): boolean;
  /** Queues bytes of a stream: as `send`, but they never go before what a failover sends again. */
  write(data: Uint8Array, onSettled?: (error: Error | undefined) => void): boolean;
  /** A failover callback decides: what `send` is given goes before what is sent again. */
  readonly handingOver: boolean;
  /**
   * No more will be sent. `onSettled` is called when everything, and this end, was acknowledged or given up; so it is
   * when the end was sent before.
   */
  end(onSettled?: (error: Error | undefined) => void): void;
  /** Ends at once, both sides: what was not acknowledged can be retrieved. */
  destroy(reason: string): void;
  /** Everything not acknowledged. */
  retrieve(): Retrieved;
  ref(): void;
  unref(): void;
}

/** What a session can do that is with no element yet. */
export const noFeatures: MappingFeatures = {
  streams: false,
  unordered: false,
  resume: false,
  acknowledgesTaken: false,
  rtt: false,
  rto: false,
  pathMtu: false,
};
