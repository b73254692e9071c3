/** What all sides of the comparison have in common: the bytes, the checks, and the loops that are timed. */

import { once } from 'node:events';
import type { Socket as NetSocket } from 'node:net';
import { RollingSum } from './sum.js';
import { chunkLength, echoBytes, messageLength, sinkBytes, type Workload } from './workloads.js';

/** One run: units (bytes or messages) acknowledged a second; latencies in ms, for round trips. */
export interface Run {
  readonly rate: number;
  readonly latencies?: readonly number[];
}

export type Side = Readonly<Record<Workload, () => Promise<Run>>>;

/** Different bytes in each of several buffers: a mixed-up order changes the sum. */
export const chunks: readonly Buffer[] = Array.from({ length: 16 }, (_, index) =>
  Buffer.from(
    Uint8Array.from({ length: chunkLength }, (_, at) => (Math.imul(at + index * 7919, 2654435761) >>> 13) & 255),
  ),
);
export const messages: readonly Buffer[] = chunks.flatMap((chunk) =>
  Array.from({ length: 64 }, (_, index) => chunk.subarray(index * messageLength, (index + 1) * messageLength)),
);

export function check(got: RollingSum | Uint8Array, sources: readonly Uint8Array[], count: number): void {
  const expected = new RollingSum();
  for (let i = 0; i < count; i++) expected.add(sources[i % sources.length] as Uint8Array);
  const bytes = got instanceof RollingSum ? got.encode() : got;
  if (!expected.encode().equals(bytes)) throw new Error('what arrived is not what was sent');
}

export function rateOf(units: number, begin: number): Run {
  return { rate: (units / (performance.now() - begin)) * 1000 };
}

/** The next so many bytes of a socket. */
function received(socket: NetSocket, length: number, each: (bytes: Buffer) => void): Promise<void> {
  let left = length;
  return new Promise((resolve) => {
    const onData = (bytes: Buffer): void => {
      each(bytes);
      left -= bytes.length;
      if (left > 0) return;
      socket.off('data', onData);
      resolve();
    };
    socket.on('data', onData);
  });
}

/** Writes chunks as fast as the socket takes them; resolves when it has taken the last. */
async function writeAll(socket: NetSocket, count: number): Promise<void> {
  for (let written = 0; written < count; written++) {
    if (!socket.write(chunks[written % chunks.length] as Buffer)) await once(socket, 'drain');
  }
}

/** The sink's report says that all of it was taken. */
export async function stream(socket: NetSocket): Promise<Run> {
  const parts: Buffer[] = [];
  const begin = performance.now();
  await Promise.all([received(socket, 12, (bytes) => parts.push(bytes)), writeAll(socket, sinkBytes / chunkLength)]);
  const run = rateOf(sinkBytes, begin);
  check(Buffer.concat(parts), chunks, sinkBytes / chunkLength);
  return run;
}

export async function echo(socket: NetSocket): Promise<Run> {
  const sum = new RollingSum();
  const begin = performance.now();
  await Promise.all([
    received(socket, echoBytes, (bytes) => sum.add(bytes)),
    writeAll(socket, echoBytes / chunkLength),
  ]);
  const run = rateOf(echoBytes, begin);
  check(sum, chunks, echoBytes / chunkLength);
  return run;
}

/** Sends a request: what it resolves with is the answer, or holds its bytes. */
export type Ask<Answer = Uint8Array> = (bytes: Uint8Array) => Promise<Answer>;

/** For who is given the bytes. */
export const asTheyAre = (answer: Uint8Array): Uint8Array => answer;

/** Keeps `window` requests outstanding; an answer is the request's own bytes. */
export async function ask<Answer>(
  request: Ask<Answer>,
  bytesOf: (answer: Answer) => Uint8Array,
  count: number,
  window: number,
  latencies?: number[],
): Promise<Run> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const bytes = messages[next++ % messages.length] as Buffer;
      const asked = latencies === undefined ? 0 : performance.now();
      const answer = bytesOf(await request(bytes));
      latencies?.push(performance.now() - asked);
      if (answer.length !== bytes.length || answer[0] !== bytes[0] || answer[99] !== bytes[99])
        throw new Error('not the answer to the request');
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: window }, one));
  return latencies === undefined ? rateOf(count, begin) : { ...rateOf(count, begin), latencies };
}
