/**
 * Messages over bare net as one writes them by hand: a length of four bytes in front, and a socket that is corked until
 * the end of the tick, so that the frames of a tick leave in one writev.
 */

import type { Socket } from 'node:net';

const headerLength = 4;

/** Cuts frames out of the stream; `onFrame` gets a view of the bytes that came. */
export function readFrames(socket: Socket, onFrame: (bytes: Buffer) => void): void {
  let rest: Buffer | undefined;
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= headerLength) {
      const next = at + headerLength + bytes.readUInt32BE(at);
      if (next > bytes.length) break;
      onFrame(bytes.subarray(at + headerLength, next));
      at = next;
    }
    rest = at < bytes.length ? bytes.subarray(at) : undefined;
  });
}

/** One frame: its length, then a copy of the bytes. */
export function frame(bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(headerLength + bytes.length);
  framed.writeUInt32BE(bytes.length);
  framed.set(bytes, headerLength);
  return framed;
}

/** Returns what writes frames, once per tick. */
export function corkedWriter(socket: Socket): (bytes: Uint8Array) => void {
  let corked = false;
  const uncork = (): void => {
    corked = false;
    socket.uncork();
  };
  return (bytes) => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    socket.write(frame(bytes));
  };
}
