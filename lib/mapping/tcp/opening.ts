/** What each side says in its hello, and whether the far side's hello lets the connection open. */

import type { PoolHandle } from '../../wire/parameters.js';
import { abortCode, type MappingFeatures, type PeerHello } from '../mapping.js';
import { helloFlag } from './frame.js';
import type { Hello } from './hello.js';
import type { TcpMappingOptions } from './options.js';

/** The version of the mapping that this code speaks, and the oldest that it understands. */
export const mappingVersion = { oldest: 1, newest: 1 } as const;

export const tcpMappingFeatures: MappingFeatures = {
  streams: true,
  unordered: false,
  acknowledgesTaken: true,
  rtt: true,
  rto: true,
  pathMtu: false,
};

/** Which side of the session this is, and what it says of itself. */
export type TcpMappingSide =
  | {
      readonly role: 'user';
      /** 16 bytes, the same at every element that the session comes to. */
      readonly sessionId: Uint8Array;
      readonly poolHandle: PoolHandle;
      readonly peIdentifier: number;
      readonly failedOver: boolean;
      readonly cookieFollows: boolean;
    }
  | {
      readonly role: 'element';
      readonly peIdentifier: number;
      /** Whether a hello for this pool and element is meant for us. */
      readonly isMeant: (poolHandle: PoolHandle | undefined, peIdentifier: number | undefined) => boolean;
      /** Why no session is taken at present, if that is so: its user goes elsewhere before it has sent anything. */
      readonly refusal?: () => string | undefined;
    };

const noSession = new Uint8Array(16);

/** Our own hello and the flags of its frame. */
export function ownHello(
  side: TcpMappingSide,
  options: TcpMappingOptions,
  stamp: number,
): { hello: Hello; flags: number } {
  const hello: Hello = {
    minVersion: mappingVersion.oldest,
    maxVersion: mappingVersion.newest,
    features: 0,
    sessionId: side.role === 'user' ? side.sessionId : noSession,
    longestPayload: options.longestPayload,
    longestMessage: options.longestMessage,
    credit: options.window,
    failureTimeout: options.failureTimeout,
    heartbeatInterval: options.heartbeatInterval,
    stamp,
    peIdentifier: side.peIdentifier,
    ...(side.role === 'user' ? { poolHandle: side.poolHandle } : {}),
  };
  if (side.role === 'element') return { hello, flags: 0 };
  return {
    hello,
    flags: (side.failedOver ? helloFlag.failedOver : 0) | (side.cookieFollows ? helloFlag.cookieFollows : 0),
  };
}

export type Judgement =
  | { readonly type: 'open'; readonly version: number }
  | {
      readonly type: 'refused';
      readonly code: number;
      readonly errorCode: 'ERR_RSERPOOL_VERSION_MISMATCH' | 'ERR_RSERPOOL_WRONG_ELEMENT' | 'ERR_RSERPOOL_LIMIT';
      readonly reason: string;
    };

/** The highest version that both speak, if it is the far side that was meant. */
export function judgeHello(side: TcpMappingSide, hello: Hello): Judgement {
  const version = Math.min(hello.maxVersion, mappingVersion.newest);
  if (version < Math.max(hello.minVersion, mappingVersion.oldest)) {
    const reason = `it speaks versions ${hello.minVersion} to ${hello.maxVersion}, we ${mappingVersion.oldest} to ${mappingVersion.newest}`;
    return { type: 'refused', code: abortCode.versionMismatch, errorCode: 'ERR_RSERPOOL_VERSION_MISMATCH', reason };
  }
  const meant =
    side.role === 'user'
      ? hello.peIdentifier === side.peIdentifier
      : side.isMeant(hello.poolHandle, hello.peIdentifier);
  if (meant) {
    const full = side.role === 'element' ? side.refusal?.() : undefined;
    if (full === undefined) return { type: 'open', version };
    return { type: 'refused', code: abortCode.limit, errorCode: 'ERR_RSERPOOL_LIMIT', reason: full };
  }
  const reason = 'the connection reached another element than it was meant for';
  return { type: 'refused', code: abortCode.wrongElement, errorCode: 'ERR_RSERPOOL_WRONG_ELEMENT', reason };
}

/** What the owner of the connection is told of the far side's hello. */
export function peerHello(hello: Hello, flags: number, version: number): PeerHello {
  return {
    version,
    sessionId: hello.sessionId,
    failedOver: (flags & helloFlag.failedOver) !== 0,
    cookieFollows: (flags & helloFlag.cookieFollows) !== 0,
    ...(hello.poolHandle === undefined ? {} : { poolHandle: hello.poolHandle }),
    ...(hello.peIdentifier === undefined ? {} : { peIdentifier: hello.peIdentifier }),
  };
}
