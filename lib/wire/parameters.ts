/**
 * The values that RFC 5354 parameters carry, as plain data. Nothing here knows bytes: parameter codecs stand in
 * the files named after each parameter.
 */

/**
 * A pool handle (RFC 5354 section 3.9): a sequence of bytes, kept as a string of one character (0 to 255) a byte, so
 * that it is a Map key and survives any bytes. `toPoolHandle` and `poolHandleText` convert from and to people's text.
 */
export type PoolHandle = string & { readonly __poolHandle?: never };

/** Transport Use of an SCTP Transport parameter (RFC 5354 section 3.4). */
export type TransportUse = 'dataOnly' | 'dataPlusControl';

/** SCTP Transport (RFC 5354 section 3.4): one or more addresses. */
export interface SctpTransport {
  readonly type: 'sctp';
  readonly port: number;
  readonly use: TransportUse;
  /** IPv4 in dotted form or IPv6 in the canonical text of RFC 5952. */
  readonly addresses: readonly string[];
}

/** TCP, UDP and UDP-Lite Transport (RFC 5354 sections 3.5 to 3.7): exactly one address; data only. */
export interface SingleAddressTransport {
  readonly type: 'tcp' | 'udp' | 'udpLite';
  readonly port: number;
  readonly address: string;
}

/** DCCP Transport (RFC 5354 section 3.3). */
export interface DccpTransport {
  readonly type: 'dccp';
  readonly port: number;
  readonly serviceCode: number;
  readonly address: string;
}

/** Opaque Transport (RFC 5354 section 3.16). */
export interface OpaqueTransport {
  readonly type: 'opaque';
  readonly data: Uint8Array;
}

export type Transport = SctpTransport | SingleAddressTransport | DccpTransport | OpaqueTransport;

/** Pool Member Selection Policy (RFC 5354 section 3.8; encodings RFC 5356 sections 4 and 5). Numbers are unsigned 32 bits. */
export type MemberSelectionPolicy =
  | { readonly type: 'roundRobin' }
  | { readonly type: 'weightedRoundRobin'; readonly weight: number }
  | { readonly type: 'random' }
  | { readonly type: 'weightedRandom'; readonly weight: number }
  | { readonly type: 'priority'; readonly priority: number }
  | { readonly type: 'leastUsed'; readonly load: number }
  | { readonly type: 'leastUsedDegradation'; readonly load: number; readonly loadDegradation: number }
  | { readonly type: 'priorityLeastUsed'; readonly load: number; readonly loadDegradation: number }
  | { readonly type: 'randomizedLeastUsed'; readonly load: number }
  /** A policy that RFC 5356 does not define, carried unchanged. */
  | { readonly type: 'other'; readonly policyType: number; readonly data: Uint8Array };

/** One entry of the Mapping parameter (docs/mappings.md): a mapping that an element offers and where. */
export interface MappingOffer {
  /** 0x00 none, 0x01 SCTP, 0x02 TCP (draft-conrad-rserpool-service section 4). */
  readonly mapping: number;
  readonly version: number;
  /** At least one. */
  readonly transports: readonly Transport[];
}

/** Pool Element (RFC 5354 section 3.10). */
export interface PoolElement {
  /** PE identifier, unsigned 32 bits. */
  readonly identifier: number;
  /** Home ENRP server identifier; 0 if undetermined. */
  readonly homeServerId: number;
  /** Seconds on the wire (signed 32 bits); -1 is infinite. */
  readonly registrationLife: number;
  readonly userTransport: Transport;
  /** The Mapping parameter, when the element sent one. */
  readonly mappings?: readonly MappingOffer[];
  /**
   * Whole TLVs (padding included) that were not recognised and whose type says "skip" (bits 10 or 11): forwarded
   * unchanged, after the user transport and before the policy.
   */
  readonly extensions?: readonly Uint8Array[];
  readonly policy?: MemberSelectionPolicy;
  readonly asapTransport?: Transport;
}

/** Server Information (RFC 5354 section 3.11). The server transport is SCTP in the RFC; TCP is our extension. */
export interface ServerInformation {
  readonly serverId: number;
  readonly transport: Transport;
}

/** Codes of Error Causes (RFC 5354 section 3.12, Table 2). */
export const causeCode = {
  unspecified: 0x0,
  unrecognizedParameter: 0x1,
  unrecognizedMessage: 0x2,
  invalidValues: 0x3,
  nonUniquePeIdentifier: 0x4,
  inconsistentPoolPolicy: 0x5,
  lackOfResources: 0x6,
  inconsistentTransportType: 0x7,
  inconsistentDataControlConfiguration: 0x8,
  unknownPoolHandle: 0x9,
  rejectedDueToSecurity: 0xa,
} as const;

/** An Error Cause (RFC 5354 section 3.12): any code, its cause-specific information as bytes. */
export interface ErrorCause {
  readonly code: number;
  /** Cause-specific information: a whole TLV for codes 1, 3, 5 and 7, a whole message for 2, else empty. */
  readonly information: Uint8Array;
}
