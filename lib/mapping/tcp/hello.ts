/**
 * The hello: what each side of a TCP mapping connection tells the other before anything else.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  Min Version  |  Max Version  |            (reserved)         |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                           Features                            |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                     Session Identifier (16)                   |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                    Longest Payload of a Frame                 |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                        Longest Message                        |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                        Initial Credit                         |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                   Failure Time-out (milliseconds)             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                  Heartbeat Interval (milliseconds)            |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                      Stamp (microseconds)                     |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  :        RFC 5354 parameters: Pool Handle, PE Identifier,       :
 *  :        and our own: Resume, Open Messages, Process            :
 *
 *  Resume (0x8254), with the flag 'resume' only:
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |          Type = 0x8254        |          Length = 12          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |      Messages Received Whole (low 32 bits of their count)     |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |      Control Messages Received (low 32 bits of their count)   |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 *  Open Messages (0x8255): length 8, the number as 32 bits.
 *
 *  Process (0x8256):
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |          Type = 0x8256        |          Length = 16          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                     Process Identifier (8)                    |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                  Path Interval (milliseconds)                 |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The flags of the frame header are `helloFlag`. Parameters that are not known here are treated by the two high bits
 * of their type (RFC 5354 section 3).
 */

import type { PoolHandle } from '../../wire/parameters.js';

/** Bytes of the longest hello that is read. */
export const longestHello = 4096;
const fixedLength = 48;
const parameterType = {
  poolHandle: 0x9,
  peIdentifier: 0xe,
  resume: 0x8254,
  openMessages: 0x8255,
  process: 0x8256,
} as const;

export interface Hello {
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly features: number;
  readonly sessionId: Uint8Array;
  readonly longestPayload: number;
  readonly longestMessage: number;
  readonly credit: number;
  readonly failureTimeout: number;
  readonly heartbeatInterval: number;
  readonly stamp: number;
  /** From the user: the pool that it wants. */
  readonly poolHandle?: PoolHandle;
  /** From the user: the element that it wants; from the element: who it is. */
  readonly peIdentifier?: number;
  /** With the flag 'resume': what this side has of the session. */
  readonly resume?: ResumePoint;
  /** Messages that this side accepts unfinished at once; absent: 1. */
  readonly openMessages?: number;
  /** This side shares heartbeats over all connections between the two processes. */
  readonly process?: SharedProcess;
}

/** A process that shares its heartbeats. */
export interface SharedProcess {
  /** 64 bits that no other process has. */
  readonly identifier: bigint;
  /** A user's: within how many milliseconds it asks by each connection. */
  readonly pathInterval: number;
}

/** What a side says, and the flags of its frame. */
export interface OwnHello {
  readonly hello: Hello;
  readonly flags: number;
}

/** What a side has received since the connection began, as the low 32 bits of each count. */
export interface ResumePoint {
  /** Messages that came whole, the end among them. */
  readonly messages: number;
  readonly controls: number;
}

/** The body of a hello frame. */
export function encodeHello(hello: Hello): Uint8Array {
  const handle = hello.poolHandle;
  const handleLength = handle === undefined ? 0 : 4 + Math.ceil(handle.length / 4) * 4;
  const ownLength =
    (hello.resume === undefined ? 0 : 12) +
    (hello.openMessages === undefined ? 0 : 8) +
    (hello.process === undefined ? 0 : 16);
  const body = new Uint8Array(fixedLength + handleLength + (hello.peIdentifier === undefined ? 0 : 8) + ownLength);
  const view = new DataView(body.buffer);
  view.setUint8(0, hello.minVersion);
  view.setUint8(1, hello.maxVersion);
  view.setUint32(4, hello.features);
  body.set(hello.sessionId, 8);
  view.setUint32(24, hello.longestPayload);
  view.setUint32(28, hello.longestMessage);
  view.setUint32(32, hello.credit);
  view.setUint32(36, hello.failureTimeout);
  view.setUint32(40, hello.heartbeatInterval);
  view.setUint32(44, hello.stamp);
  let at = fixedLength;
  if (handle !== undefined) {
    view.setUint16(at, parameterType.poolHandle);
    view.setUint16(at + 2, 4 + handle.length);
    for (let i = 0; i < handle.length; i++) body[at + 4 + i] = handle.charCodeAt(i);
    at += handleLength;
  }
  if (hello.peIdentifier !== undefined) {
    view.setUint16(at, parameterType.peIdentifier);
    view.setUint16(at + 2, 8);
    view.setUint32(at + 4, hello.peIdentifier);
    at += 8;
  }
  if (hello.resume !== undefined) {
    view.setUint16(at, parameterType.resume);
    view.setUint16(at + 2, 12);
    view.setUint32(at + 4, hello.resume.messages);
    view.setUint32(at + 8, hello.resume.controls);
    at += 12;
  }
  if (hello.openMessages !== undefined) {
    view.setUint16(at, parameterType.openMessages);
    view.setUint16(at + 2, 8);
    view.setUint32(at + 4, hello.openMessages);
    at += 8;
  }
  if (hello.process !== undefined) {
    view.setUint16(at, parameterType.process);
    view.setUint16(at + 2, 16);
    view.setBigUint64(at + 4, hello.process.identifier);
    view.setUint32(at + 12, hello.process.pathInterval);
  }
  return body;
}

/** What is wrong with a hello, for the protocol error. */
export interface HelloFault {
  readonly offset: number;
  readonly reason: string;
}

/** Reads a hello's body; never throws. */
export function decodeHello(bytes: Uint8Array, view: DataView, at: number, length: number): Hello | HelloFault {
  if (length > longestHello) return { offset: at, reason: `${length} bytes; the longest is ${longestHello}` };
  if (length < fixedLength) return { offset: at, reason: `${length} bytes; the shortest is ${fixedLength}` };
  const minVersion = view.getUint8(at);
  const maxVersion = view.getUint8(at + 1);
  if (minVersion === 0 || minVersion > maxVersion)
    return { offset: at, reason: `versions ${minVersion} to ${maxVersion}` };
  const longestPayload = view.getUint32(at + 24);
  if (longestPayload < 1024)
    return { offset: at + 24, reason: `a longest payload of ${longestPayload}; the least is 1024` };
  let poolHandle: PoolHandle | undefined;
  let peIdentifier: number | undefined;
  let resume: ResumePoint | undefined;
  let openMessages: number | undefined;
  let process: SharedProcess | undefined;
  const end = at + length;
  for (let p = at + fixedLength; p < end; ) {
    if (end - p < 4) return { offset: p, reason: 'a parameter without room for its header' };
    const type = view.getUint16(p);
    const size = view.getUint16(p + 2);
    if (size < 4 || p + size > end) return { offset: p, reason: `a parameter of length ${size}` };
    if (type === parameterType.poolHandle) poolHandle = String.fromCharCode(...bytes.subarray(p + 4, p + size));
    else if (type === parameterType.peIdentifier) {
      if (size !== 8) return { offset: p, reason: `a PE Identifier of length ${size}` };
      peIdentifier = view.getUint32(p + 4);
    } else if (type === parameterType.resume) {
      if (size !== 12) return { offset: p, reason: `a Resume parameter of length ${size}` };
      resume = { messages: view.getUint32(p + 4), controls: view.getUint32(p + 8) };
    } else if (type === parameterType.openMessages) {
      if (size !== 8) return { offset: p, reason: `an Open Messages parameter of length ${size}` };
      openMessages = view.getUint32(p + 4);
      if (openMessages === 0) return { offset: p, reason: 'no open messages' };
    } else if (type === parameterType.process) {
      if (size !== 16) return { offset: p, reason: `a Process parameter of length ${size}` };
      process = { identifier: view.getBigUint64(p + 4), pathInterval: view.getUint32(p + 12) };
    } else if (type < 0x8000) return { offset: p, reason: `an unknown parameter of type 0x${type.toString(16)}` };
    p += Math.ceil(size / 4) * 4;
  }
  return {
    minVersion,
    maxVersion,
    features: view.getUint32(at + 4),
    // A Buffer's `slice` would keep the whole chunk for as long as the session lasts.
    sessionId: Uint8Array.from(bytes.subarray(at + 8, at + 24)),
    longestPayload,
    longestMessage: view.getUint32(at + 28),
    credit: view.getUint32(at + 32),
    failureTimeout: view.getUint32(at + 36),
    heartbeatInterval: view.getUint32(at + 40),
    stamp: view.getUint32(at + 44),
    ...(poolHandle === undefined ? {} : { poolHandle }),
    ...(peIdentifier === undefined ? {} : { peIdentifier }),
    ...(resume === undefined ? {} : { resume }),
    ...(openMessages === undefined ? {} : { openMessages }),
    ...(process === undefined ? {} : { process }),
  };
}
