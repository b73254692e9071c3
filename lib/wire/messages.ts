/** The fourteen ASAP messages (RFC 5352 section 2.2) and the ten ENRP messages (RFC 5353 section 2) as plain data. */

import type {
  ErrorCause,
  MemberSelectionPolicy,
  PoolElement,
  PoolHandle,
  ServerInformation,
  Transport,
} from './parameters.js';

/** 0x01 (2.2.1) */
export interface Registration {
  readonly type: 'registration';
  readonly poolHandle: PoolHandle;
  readonly poolElement: PoolElement;
}
/** 0x02 (2.2.2) */
export interface Deregistration {
  readonly type: 'deregistration';
  readonly poolHandle: PoolHandle;
  readonly peIdentifier: number;
}
/** 0x03 (2.2.3) */
export interface RegistrationResponse {
  readonly type: 'registrationResponse';
  /** The R flag. */
  readonly rejected: boolean;
  readonly poolHandle: PoolHandle;
  readonly peIdentifier: number;
  /** Operation Error; empty if absent. */
  readonly errors: readonly ErrorCause[];
}
/** 0x04 (2.2.4) */
export interface DeregistrationResponse {
  readonly type: 'deregistrationResponse';
  readonly poolHandle: PoolHandle;
  readonly peIdentifier: number;
  readonly errors: readonly ErrorCause[];
}
/** 0x05 (2.2.5) */
export interface HandleResolution {
  readonly type: 'handleResolution';
  /** The S bit. */
  readonly subscribe: boolean;
  readonly poolHandle: PoolHandle;
  /** The option 0x803f: how many elements are wanted (0xffffffff: as many as possible). */
  readonly elementsWanted?: number;
  /** The Selection Hint, 256 bytes at most. */
  readonly hint?: Uint8Array;
}
/** 0x06 (2.2.6) */
export interface HandleResolutionResponse {
  readonly type: 'handleResolutionResponse';
  /** The A bit. */
  readonly accepted: boolean;
  readonly poolHandle: PoolHandle;
  /** Overall selection policy; absent means round robin. */
  readonly policy?: MemberSelectionPolicy;
  readonly poolElements: readonly PoolElement[];
  readonly errors: readonly ErrorCause[];
}
/** 0x07 (2.2.7) */
export interface EndpointKeepAlive {
  readonly type: 'endpointKeepAlive';
  /** The H flag. */
  readonly home: boolean;
  readonly serverId: number;
  readonly poolHandle: PoolHandle;
  /** The reference implementation adds it, so that one association can serve several elements. */
  readonly peIdentifier?: number;
}
/** 0x08 (2.2.8) */
export interface EndpointKeepAliveAck {
  readonly type: 'endpointKeepAliveAck';
  readonly poolHandle: PoolHandle;
  readonly peIdentifier: number;
}
/** 0x09 (2.2.9) */
export interface EndpointUnreachable {
  readonly type: 'endpointUnreachable';
  readonly poolHandle: PoolHandle;
  readonly peIdentifier: number;
}
/** 0x0a (2.2.10) */
export interface ServerAnnounce {
  readonly type: 'serverAnnounce';
  readonly serverId: number;
  /** SCTP and TCP only. */
  readonly transports: readonly Transport[];
}
/** 0x0b (2.2.11) */
export interface Cookie {
  readonly type: 'cookie';
  readonly cookie: Uint8Array;
}
/** 0x0c (2.2.12) */
export interface CookieEcho {
  readonly type: 'cookieEcho';
  readonly cookie: Uint8Array;
}
/** 0x0d (2.2.13) */
export interface BusinessCard {
  readonly type: 'businessCard';
  readonly poolHandle: PoolHandle;
  readonly poolElements: readonly PoolElement[];
}
/** 0x0e (2.2.14) */
export interface AsapError {
  readonly type: 'asapError';
  readonly errors: readonly ErrorCause[];
}

export type AsapMessage =
  | Registration
  | Deregistration
  | RegistrationResponse
  | DeregistrationResponse
  | HandleResolution
  | HandleResolutionResponse
  | EndpointKeepAlive
  | EndpointKeepAliveAck
  | EndpointUnreachable
  | ServerAnnounce
  | Cookie
  | CookieEcho
  | BusinessCard
  | AsapError;

/** What every ENRP message begins with (RFC 5353 section 2.1). */
interface BetweenServers {
  readonly senderId: number;
  /** 0: to no server in particular. */
  readonly receiverId: number;
}
/** 0x01 (2.1) */
export interface Presence extends BetweenServers {
  readonly type: 'presence';
  /** Bit 0x01: named by RFC 5353 section 2.1 ("reply required"), drawn only by the reference implementation. */
  readonly replyRequired: boolean;
  readonly peChecksum?: number;
  readonly serverInformation?: ServerInformation;
}
/** 0x02 (2.2) */
export interface HandleTableRequest extends BetweenServers {
  readonly type: 'handleTableRequest';
  /** The W flag. */
  readonly ownChildrenOnly: boolean;
}
export interface PoolEntry {
  readonly poolHandle: PoolHandle;
  /** At least one. */
  readonly poolElements: readonly PoolElement[];
}
/** 0x03 (2.3) */
export interface HandleTableResponse extends BetweenServers {
  readonly type: 'handleTableResponse';
  /** The M flag. */
  readonly moreToSend: boolean;
  /** The R flag. */
  readonly rejected: boolean;
  readonly poolEntries: readonly PoolEntry[];
}
/** 0x04 (2.4) */
export interface HandleUpdate extends BetweenServers {
  readonly type: 'handleUpdate';
  /** Bit 0x01: "takeover suggested" of the reference implementation. */
  readonly takeoverSuggested: boolean;
  readonly action: 'addPe' | 'delPe';
  readonly poolHandle: PoolHandle;
  readonly poolElement: PoolElement;
}
/** 0x05 (2.5) */
export interface ListRequest extends BetweenServers {
  readonly type: 'listRequest';
}
/** 0x06 (2.6) */
export interface ListResponse extends BetweenServers {
  readonly type: 'listResponse';
  readonly rejected: boolean;
  readonly servers: readonly ServerInformation[];
}
/** 0x07 (2.7) */
export interface InitTakeover extends BetweenServers {
  readonly type: 'initTakeover';
  readonly targetId: number;
}
/** 0x08 (2.8) */
export interface InitTakeoverAck extends BetweenServers {
  readonly type: 'initTakeoverAck';
  readonly targetId: number;
}
/** 0x09 (2.9) */
export interface TakeoverServer extends BetweenServers {
  readonly type: 'takeoverServer';
  readonly targetId: number;
}
/** 0x0a (2.10) */
export interface EnrpError extends BetweenServers {
  readonly type: 'enrpError';
  readonly errors: readonly ErrorCause[];
}

export type EnrpMessage =
  | Presence
  | HandleTableRequest
  | HandleTableResponse
  | HandleUpdate
  | ListRequest
  | ListResponse
  | InitTakeover
  | InitTakeoverAck
  | TakeoverServer
  | EnrpError;
