/** What each side says in its hello, and whether the far side's hello lets the connection open. */

import type { PoolHandle } from '../../wire/parameters.js';
import { abortCode, type MappingFeatures, type PeerHello } from '../mapping.js';
import { feature, helloFlag } from './frame.js';
import type { Hello, OwnHello, ResumePoint } from './hello.js';
import type { TcpMappingOptions } from './options.js';
import type { PeerProcesses } from './peer-processes.js';
import type { Reconnect } from './reconnecting.js';
import type { Resumable, ResumableSessions } from './resumable-sessions.js';

/** The version of the mapping that this code speaks, and the oldest that it understands. */
export const mappingVersion = { oldest: 1, newest: 1 } as const;

/** What the mapping can do with a far side whose hello says these features (none before it has come). `pathMtu`: the stream tells it. */
export function tcpMappingFeatures(features: number, resume: boolean, pathMtu?: number): MappingFeatures {
  return {
    streams: true,
    unordered: (features & feature.interleaving) !== 0 && (features & feature.unordered) !== 0,
    resume: resume && (features & feature.resume) !== 0,
    acknowledgesTaken: true,
    rtt: true,
    rto: true,
    pathMtu: pathMtu !== undefined,
  };
}

/** Called when both sides have said hello and the element stands by: `begin` opens the connection, if it is still there. */
export type StandBy = (begin: () => void) => void;

/** What a user says of itself. */
export interface TcpMappingUser {
  readonly role: 'user';
  /** 16 bytes, the same at every element that the session comes to. */
  readonly sessionId: Uint8Array;
  readonly poolHandle: PoolHandle;
  readonly peIdentifier: number;
  readonly failedOver: boolean;
  readonly cookieFollows: boolean;
  /** The user may not need this element after all: it is told when the element stands by, and begins when it wants to. */
  readonly standBy?: StandBy;
  /** Reaches the same element once more; absent: the session cannot be resumed. */
  readonly reconnect?: Reconnect;
  /** The processes that all connections of this one know; absent: each is on its own. */
  readonly processes?: PeerProcesses;
}

/** What an element says of itself. */
export interface TcpMappingElement {
  readonly role: 'element';
  readonly peIdentifier: number;
  /** Whether a hello for this pool and element is meant for us. */
  readonly isMeant: (poolHandle: PoolHandle | undefined, peIdentifier: number | undefined) => boolean;
  /** Why no session is taken at present, if that is so: its user goes elsewhere before it has sent anything. */
  readonly refusal?: () => string | undefined;
  /** Keeps the sessions whose connections break; absent: they end. */
  readonly sessions?: ResumableSessions;
  /** The processes that all connections of this one know; absent: each is on its own. */
  readonly processes?: PeerProcesses;
}

export type TcpMappingSide = TcpMappingUser | TcpMappingElement;

/** Whether this side outlives a byte stream that breaks. */
export function canResume(side: TcpMappingSide, options: TcpMappingOptions): boolean {
  if (side.role === 'user') return side.reconnect !== undefined && options.reconnectTimeout > 0;
  return side.sessions !== undefined && options.resumeTimeout > 0;
}

const noSession = new Uint8Array(16);

/** Our own hello and the flags of its frame. `resume`: the session goes on from there. */
export function ownHello(
  side: TcpMappingSide,
  options: TcpMappingOptions,
  stamp: number,
  credit: number,
  resume: ResumePoint | undefined,
): OwnHello {
  const process = side.processes?.describe(options);
  const hello: Hello = {
    minVersion: mappingVersion.oldest,
    maxVersion: mappingVersion.newest,
    features: feature.interleaving | feature.unordered | (canResume(side, options) ? feature.resume : 0),
    sessionId: side.role === 'user' ? side.sessionId : noSession,
    longestPayload: options.longestPayload,
    longestMessage: options.longestMessage,
    credit,
    failureTimeout: options.failureTimeout,
    heartbeatInterval: options.heartbeatInterval,
    stamp,
    peIdentifier: side.peIdentifier,
    ...(side.role === 'user' ? { poolHandle: side.poolHandle } : {}),
    ...(resume === undefined ? {} : { resume }),
    openMessages: options.openMessages,
    ...(process === undefined ? {} : { process }),
  };
  const resumes = resume === undefined ? 0 : helloFlag.resume;
  if (side.role === 'element') return { hello, flags: resumes };
  const cameFrom = (side.failedOver ? helloFlag.failedOver : 0) | (side.cookieFollows ? helloFlag.cookieFollows : 0);
  const standBy = side.standBy === undefined || resume !== undefined ? 0 : helloFlag.standBy;
  return { hello, flags: resumes | cameFrom | standBy };
}

export type Judgement =
  | { readonly type: 'open'; readonly version: number }
  /** At a user: its session goes on. */
  | { readonly type: 'goOn' }
  /** At an element: the session goes on that has this connection. */
  | { readonly type: 'resume'; readonly session: Resumable }
  /** At an element: the session has ended in order, with everything taken that came. */
  | { readonly type: 'ended'; readonly received: ResumePoint }
  | { readonly type: 'fault'; readonly reason: string }
  | {
      readonly type: 'refused';
      readonly code: number;
      readonly errorCode:
        | 'ERR_RSERPOOL_VERSION_MISMATCH'
        | 'ERR_RSERPOOL_WRONG_ELEMENT'
        | 'ERR_RSERPOOL_LIMIT'
        | 'ERR_RSERPOOL_ABORTED'
        | 'ERR_RSERPOOL_CONNECTION_BROKEN';
      readonly reason: string;
    };

/**
 * Whether a user hears itself: who connects to a port of its own machine on which nobody listens may be given that very port
 * to connect from, and is then connected to itself.
 */
function isOwn({ sessionId }: TcpMappingUser, hello: Hello): boolean {
  return hello.poolHandle !== undefined && sessionId.every((byte, at) => byte === hello.sessionId[at]);
}

/** The highest version that both speak, if it is the far side that was meant. `resuming`: a user has asked to go on. */
export function judgeHello(side: TcpMappingSide, flags: number, hello: Hello, resuming: boolean): Judgement {
  const version = Math.min(hello.maxVersion, mappingVersion.newest);
  if (version < Math.max(hello.minVersion, mappingVersion.oldest)) {
    const reason = `it speaks versions ${hello.minVersion} to ${hello.maxVersion}, we ${mappingVersion.oldest} to ${mappingVersion.newest}`;
    return { type: 'refused', code: abortCode.versionMismatch, errorCode: 'ERR_RSERPOOL_VERSION_MISMATCH', reason };
  }
  const meant =
    side.role === 'user'
      ? hello.peIdentifier === side.peIdentifier && !isOwn(side, hello)
      : side.isMeant(hello.poolHandle, hello.peIdentifier);
  if (!meant) {
    const reason = 'the connection reached another element than it was meant for';
    return { type: 'refused', code: abortCode.wrongElement, errorCode: 'ERR_RSERPOOL_WRONG_ELEMENT', reason };
  }
  const resumes = (flags & helloFlag.resume) !== 0;
  if (resumes && hello.resume === undefined)
    return { type: 'fault', reason: 'a hello that resumes without saying where' };
  const unknown = { type: 'refused', errorCode: 'ERR_RSERPOOL_CONNECTION_BROKEN' } as const;
  if (side.role === 'element') {
    if (!resumes) {
      const full = side.refusal?.();
      if (full === undefined) return { type: 'open', version };
      return { type: 'refused', code: abortCode.limit, errorCode: 'ERR_RSERPOOL_LIMIT', reason: full };
    }
    const session = side.sessions?.find(hello.sessionId);
    if (session?.isResumable === true) return { type: 'resume', session };
    const end = side.sessions?.endOf(hello.sessionId);
    if (end?.type === 'inOrder') return { type: 'ended', received: end.received };
    if (end?.type === 'destroyed') {
      const reason = 'its application destroyed the session';
      return { type: 'refused', code: abortCode.application, errorCode: 'ERR_RSERPOOL_ABORTED', reason };
    }
    return { ...unknown, code: abortCode.unknownSession, reason: 'no session of this identifier waits here' };
  }
  if (!resuming)
    return resumes ? { type: 'fault', reason: 'a session that nobody resumes' } : { type: 'open', version };
  // It took us for somebody new: it is to forget us.
  return resumes ? { type: 'goOn' } : { ...unknown, code: abortCode.failedOver, reason: 'the session is not resumed' };
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
