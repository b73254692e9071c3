/** The load of the fault benchmark: requests with a number, answers after a random time, a tenth of them in parts. */

/** A new request every so many milliseconds: 500 a second. */
export const interval = 2;
/** An answer takes up to so many milliseconds. */
export const longestTime = 20;
/** Of each ten requests one is answered in so many messages. */
export const parts = 3;
const requestLength = 100;

/** Bytes that report an execution: the request's number, and whether it was marked as redelivered. */
export const executionLength = 5;

export function encodeRequest(id: number): Buffer {
  const bytes = Buffer.alloc(requestLength);
  bytes.writeUInt32BE(id);
  return bytes;
}

export function idOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** Messages in the answer to a request. */
export function partsOf(id: number): number {
  return id % 10 === 0 ? parts : 1;
}

/** One message of an answer: the request's number and which it is, from 1. */
export function encodeAnswer(id: number, part: number): Buffer {
  const bytes = encodeRequest(id);
  bytes[4] = part;
  return bytes;
}

export function partOf(bytes: Uint8Array): number {
  return bytes[4] ?? 0;
}

/** A serving process is ready: the PE identifier, or where it listens. */
export interface Ready {
  readonly identity: number;
}

export function reportReady(identity: number): void {
  const ready: Ready = { identity };
  process.send?.(ready);
}
