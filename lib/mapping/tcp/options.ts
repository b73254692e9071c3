/** What both sides of the TCP mapping may be told, with defaults. */

export interface TcpMappingOptions {
  /** Milliseconds of silence after which a user that waits for nothing asks. Default: 3500. */
  readonly heartbeatInterval: number;
  /**
   * Milliseconds of silence, while something is waited for, after which the user takes the element for dead.
   * Default: 1000, but never more than three heartbeat intervals. The least is 30.
   */
  readonly failureTimeout: number;
  /**
   * Milliseconds within which each connection is asked by itself, while a user's idle connections with the same process of an
   * element share their heartbeats; they do not if this is not above `heartbeatInterval`. Default: 30,000.
   */
  readonly pathInterval: number;
  /** Milliseconds without a sign of life after which an element gives its user up; see `userTimeout`. Default: 10,000. */
  readonly userTimeout: number;
  /** The most that a user's heartbeat interval stretches it to, in milliseconds. Default: 300,000. */
  readonly longestUserTimeout: number;
  /** Milliseconds that an element waits for a whole hello, and stands by for a user that may not need it. Default: 3000. */
  readonly helloTimeout: number;
  /** Accepted connections that have not said what they want, where the server has no `maxConnections`. Default: 1000. */
  readonly undetectedConnections: number;
  /** Milliseconds that an ended connection waits for the far side to close. Default: 1000. */
  readonly closeTimeout: number;
  /** Bytes of messages that the far side may send before the application has taken them. Default: 1 MiB. */
  readonly window: number;
  /** Bytes of the largest fragment that we accept. Default: 64 KiB. */
  readonly longestPayload: number;
  /** Bytes of the largest message that we accept. Default: 16 MiB. */
  readonly longestMessage: number;
  /** Messages that may be on their way to us in fragments at once. Default: 16. */
  readonly openMessages: number;
  /** Bytes waiting to be sent from which `send` returns false. Default: 128 KiB. */
  readonly highWaterMark: number;
  /**
   * Milliseconds that a user tries to resume its session at the same element after the connection broke, before it goes
   * elsewhere; 0: not at all. Default: the failure time-out, so that no lease outlasts it. An element that is dead refuses
   * at once.
   */
  readonly reconnectTimeout: number;
  /** Milliseconds that an element keeps the session of a user whose connection broke; 0: not at all. Default: 5000. */
  readonly resumeTimeout: number;
  /** Such sessions at one element: beyond, the one kept longest ends. Default: 1000. */
  readonly parkedSessions: number;
  /** Bytes of messages that they may hold together, both directions: beyond, the one kept longest ends. Default: 64 MiB. */
  readonly parkedBytes: number;
}

export function tcpMappingOptions(given: Partial<TcpMappingOptions> = {}): TcpMappingOptions {
  const heartbeatInterval = given.heartbeatInterval ?? 3500;
  const failureTimeout = given.failureTimeout ?? Math.min(1000, 3 * heartbeatInterval);
  return {
    heartbeatInterval,
    failureTimeout,
    pathInterval: given.pathInterval ?? 30_000,
    userTimeout: given.userTimeout ?? 10_000,
    longestUserTimeout: given.longestUserTimeout ?? 300_000,
    helloTimeout: given.helloTimeout ?? 3000,
    undetectedConnections: given.undetectedConnections ?? 1000,
    closeTimeout: given.closeTimeout ?? 1000,
    window: given.window ?? 1024 * 1024,
    longestPayload: given.longestPayload ?? 64 * 1024,
    longestMessage: given.longestMessage ?? 16 * 1024 * 1024,
    openMessages: given.openMessages ?? 16,
    highWaterMark: given.highWaterMark ?? 128 * 1024,
    reconnectTimeout: given.reconnectTimeout ?? failureTimeout,
    resumeTimeout: given.resumeTimeout ?? 5000,
    parkedSessions: given.parkedSessions ?? 1000,
    parkedBytes: given.parkedBytes ?? 64 * 1024 * 1024,
  };
}

/**
 * Milliseconds of silence after which a user that waits for nothing gives its element up: the failure time-out after it
 * has asked, or after three questions if that is sooner.
 */
export function idleTimeout({
  failureTimeout,
  heartbeatInterval,
}: Pick<TcpMappingOptions, 'failureTimeout' | 'heartbeatInterval'>): number {
  return Math.max(failureTimeout, Math.min(3 * heartbeatInterval, heartbeatInterval + failureTimeout));
}

/** How long an element stays with a silent user that announced this heartbeat interval: three of them, within limits. */
export function userTimeout(options: TcpMappingOptions, heartbeatInterval: number): number {
  const wanted = Math.min(3 * heartbeatInterval, options.longestUserTimeout);
  return Math.max(options.userTimeout, wanted);
}
