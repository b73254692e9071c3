/**
 * The sessions of one element that can be resumed, by their identifiers, and those among them whose connections broke:
 * they wait for their users, for a limited time, and no more of them than the limits allow.
 */

import type { Clock, Timer } from '../../clock.js';
import type { Hello, ResumePoint } from './hello.js';
import type { Link } from './link.js';

/** A connection that outlives its byte stream. */
export interface Resumable {
  /** Bytes of messages that it holds, both directions. */
  readonly retainedBytes: number;
  /** Whether it has not come to its end. */
  readonly isResumable: boolean;
  /** Goes on over another byte stream, whose hello asks for it; a text: the hello cannot be true. */
  resume(link: Link, hello: Hello): string | undefined;
  /** Its user did not come back in time, or has begun anew, or others need the room: it ends. */
  giveUp(reason: string): void;
}

/**
 * How a session ended: its application destroyed it, or both directions had ended and all was taken, which was as many
 * messages as had come.
 */
export type SessionEnd = { readonly type: 'destroyed' } | { readonly type: 'inOrder'; readonly received: ResumePoint };

export interface ParkingLimits {
  /** Milliseconds that a session waits for its user. */
  readonly resumeTimeout: number;
  readonly parkedSessions: number;
  readonly parkedBytes: number;
}

interface Parked {
  readonly timer: Timer;
  bytes: number;
}

function keyOf(sessionId: Uint8Array): string {
  return Buffer.from(sessionId.buffer, sessionId.byteOffset, sessionId.length).toString('latin1');
}

const portClosed = 'the element takes no connections any more, so that its user cannot come back';

export class ResumableSessions {
  readonly #clock: Clock;
  readonly #limits: ParkingLimits;
  readonly #sessions = new Map<string, Resumable>();
  /** Oldest first. */
  readonly #parked = new Map<Resumable, Parked>();
  #bytes = 0;
  #closed = false;
  /** Sessions that are over: their users are to hear how they ended when they come back. Oldest first. */
  readonly #over = new Map<string, { readonly timer: Timer; readonly how: SessionEnd }>();

  constructor(clock: Clock, limits: ParkingLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** How many wait for their users. */
  get parkedSessions(): number {
    return this.#parked.size;
  }

  /** A session begins. An earlier one with this identifier ends: its user has been elsewhere since. */
  begin(sessionId: Uint8Array, session: Resumable): void {
    const key = keyOf(sessionId);
    const former = this.#sessions.get(key);
    this.#sessions.set(key, session);
    former?.giveUp('its user began anew');
  }

  /** The session with this identifier. Who knows it is its user: it is a secret of 128 bits. */
  find(sessionId: Uint8Array): Resumable | undefined {
    return this.#sessions.get(keyOf(sessionId));
  }

  /** A session has ended. */
  end(sessionId: Uint8Array, session: Resumable): void {
    this.unpark(session);
    const key = keyOf(sessionId);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
  }

  /** The session is over, in a way that its user may not have heard: remembered for as long as it may come back. */
  remember(sessionId: Uint8Array, how: SessionEnd): void {
    const key = keyOf(sessionId);
    const forget = (oldest: string): void => {
      this.#over.get(oldest)?.timer.cancel();
      this.#over.delete(oldest);
    };
    forget(key);
    const { resumeTimeout, parkedSessions } = this.#limits;
    const timer = this.#clock.setTimeout(() => forget(key), resumeTimeout, 'background');
    this.#over.set(key, { timer, how });
    for (const oldest of this.#over.keys()) if (this.#over.size > parkedSessions) forget(oldest);
  }

  /** How the session with this identifier ended, if that was lately. */
  endOf(sessionId: Uint8Array): SessionEnd | undefined {
    return this.#over.get(keyOf(sessionId))?.how;
  }

  /** The element's port closes: no user can come back, and nobody is waited for any more. */
  close(): void {
    this.#closed = true;
    for (const session of [...this.#parked.keys()]) session.giveUp(portClosed);
  }

  /** The session's byte stream broke: it waits. It may be given up before this returns. */
  park(session: Resumable): void {
    if (this.#closed) {
      session.giveUp(portClosed);
      return;
    }
    const { resumeTimeout } = this.#limits;
    const expired = (): void => session.giveUp(`its user did not come back within ${resumeTimeout} ms`);
    this.#parked.set(session, { timer: this.#clock.setTimeout(expired, resumeTimeout, 'background'), bytes: 0 });
    this.grow(session, session.retainedBytes);
  }

  /** A waiting session holds so much more than before. */
  grow(session: Resumable, bytes: number): void {
    const parked = this.#parked.get(session);
    if (parked === undefined) return;
    this.#bytes += bytes;
    parked.bytes += bytes;
    const { parkedSessions, parkedBytes } = this.#limits;
    while (this.#parked.size > parkedSessions || this.#bytes > parkedBytes) {
      const [oldest] = this.#parked.keys();
      if (oldest === undefined) return;
      this.unpark(oldest);
      oldest.giveUp('others that wait for their users need the room');
    }
  }

  /** The session's user is back. */
  unpark(session: Resumable): void {
    const parked = this.#parked.get(session);
    if (parked === undefined) return;
    this.#parked.delete(session);
    this.#bytes -= parked.bytes;
    parked.timer.cancel();
  }
}
