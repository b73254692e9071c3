/**
 * The one error class of this library and the table of its codes.
 *
 * An error tells its reader what to do: the code says what failed, `poolHandle` and `element` say where,
 * `cause` says why, and `origin` says whether the far side or we ourselves are at fault.
 * Errors of the operating system are passed on as they are; misuse of an argument is Node's own `ERR_INVALID_ARG_*`.
 */

/** What each code means and what its reader can do about it. docs/errors.md is this table in prose. */
export const errorCodes = {
  ERR_RSERPOOL_NO_ENRP_SERVER: 'No ENRP server (registrar) could be reached',
  ERR_RSERPOOL_REQUEST_TIMEOUT: 'The ENRP server did not answer in time',
  ERR_RSERPOOL_UNKNOWN_POOL_HANDLE: 'The ENRP server knows no such pool',
  ERR_RSERPOOL_UNKNOWN_ELEMENT: 'The pool has no such element',
  ERR_RSERPOOL_RESOLUTION_REJECTED: 'The ENRP server refused to resolve the pool handle',
  ERR_RSERPOOL_REGISTRATION_REJECTED: 'The ENRP server rejected the registration',
  ERR_RSERPOOL_DEREGISTRATION_REJECTED: 'The ENRP server rejected the deregistration',
  ERR_RSERPOOL_CONNECT_TIMEOUT: 'No pool element could be reached in time',
  ERR_RSERPOOL_FAILOVER_EXHAUSTED: 'No other pool element could take the session over',
  ERR_RSERPOOL_FAILOVER_REFUSED: 'The failover callback refused to go on',
  ERR_RSERPOOL_COOKIE_REFUSED: 'The cookie is not one that the pool made for this session',
  ERR_RSERPOOL_ELEMENT_FAILED: 'The pool element failed',
  ERR_RSERPOOL_HANDED_OVER: 'The pool element asked its users to go elsewhere',
  ERR_RSERPOOL_HEARTBEAT_TIMEOUT: 'The far side did not answer heartbeats in time',
  ERR_RSERPOOL_CONNECTION_BROKEN: 'The connection broke without an orderly end',
  ERR_RSERPOOL_MAPPING_NOT_AVAILABLE: 'The pool element does not offer a mapping that this mode needs',
  ERR_RSERPOOL_FEATURE_NOT_AVAILABLE: 'The mapping does not provide this feature',
  ERR_RSERPOOL_VERSION_MISMATCH: 'The far side speaks no version of the mapping that we speak',
  ERR_RSERPOOL_WRONG_ELEMENT: 'The connection reached another pool element than it was meant for',
  ERR_RSERPOOL_PROTOCOL: 'The far side broke the protocol',
  ERR_RSERPOOL_UNDELIVERED: 'The message was not delivered',
  ERR_RSERPOOL_ABORTED: 'The far side aborted the session',
  ERR_RSERPOOL_SESSION_CLOSED: 'The session has ended',
  ERR_RSERPOOL_MESSAGE_TOO_LARGE: 'The message is larger than the limit',
  ERR_RSERPOOL_LINGER_TIMEOUT: 'Messages were still unacknowledged when the linger time ran out',
  ERR_RSERPOOL_LIMIT: 'A limit was reached',
  ERR_RSERPOOL_RAW_IP_NOT_AVAILABLE: 'SCTP over raw IP is not available here',
} as const;

/** A literal code of this library. */
export type RserpoolErrorCode = keyof typeof errorCodes;

/** Where an error happened and whose fault it was. */
export interface RserpoolErrorFacts {
  /** More words for the message, after the text of the code. */
  readonly detail?: string;
  /** The pool handle that the failed operation was about. */
  readonly poolHandle?: string;
  /** The pool element concerned: its PE identifier (unsigned 32 bits). */
  readonly element?: number;
  /** What caused it: an operating-system error, a protocol error, another RserpoolError. */
  readonly cause?: unknown;
  /** 'remote' if the far side is at fault, 'local' if we or our caller are. Default: 'local'. */
  readonly origin?: 'local' | 'remote';
  /** The message that is handed back (RFC 5352 section 6.7). */
  readonly undelivered?: UndeliveredMessage;
}

/** A message that is handed back to its sender. */
export interface UndeliveredMessage {
  readonly data: Uint8Array;
  /** It left and was not acknowledged: an element may have executed it. False: none can have. */
  readonly unacknowledged: boolean;
}

/** Formats a PE identifier or server identifier the way that all messages and logs show it. */
export function formatIdentifier(identifier: number): string {
  return `0x${(identifier >>> 0).toString(16).padStart(8, '0')}`;
}

export class RserpoolError extends Error {
  override readonly name = 'RserpoolError';
  readonly code: RserpoolErrorCode;
  readonly poolHandle: string | undefined;
  readonly element: number | undefined;
  readonly origin: 'local' | 'remote';
  /** Of ERR_RSERPOOL_UNDELIVERED: what is handed back. */
  readonly undelivered: UndeliveredMessage | undefined;

  constructor(code: RserpoolErrorCode, facts: RserpoolErrorFacts = {}) {
    const where = [
      facts.poolHandle === undefined ? '' : ` (pool '${facts.poolHandle}')`,
      facts.element === undefined ? '' : ` (element ${formatIdentifier(facts.element)})`,
    ].join('');
    const detail = facts.detail === undefined ? '' : `: ${facts.detail}`;
    super(`${errorCodes[code]}${where}${detail}`, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.poolHandle = facts.poolHandle;
    this.element = facts.element;
    this.origin = facts.origin ?? 'local';
    this.undelivered = facts.undelivered;
  }
}

/** An AggregateError with one of our codes. */
export interface RserpoolAggregateError extends AggregateError {
  readonly code: RserpoolErrorCode;
  readonly poolHandle: string | undefined;
}

/** All of `errors` in one, for when every element failed. */
export function aggregateError(
  code: RserpoolErrorCode,
  facts: RserpoolErrorFacts,
  errors: readonly Error[],
): RserpoolAggregateError {
  const { message } = new RserpoolError(code, facts);
  const reasons = errors.slice(0, 3).map((error) => error.message);
  const more = errors.length > 3 ? [`and ${errors.length - 3} more`] : [];
  const aggregate = new AggregateError(errors, [message, [...reasons, ...more].join('; ')].filter(Boolean).join(': '));
  return Object.assign(aggregate, { code, poolHandle: facts.poolHandle });
}
