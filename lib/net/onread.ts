/** net's `onread` for sockets without a handle: what arrives is copied to the application's own buffer. */

import type { OnReadOpts } from 'node:net';

/** What of a stream it takes. */
interface Source {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  pause(): unknown;
  unshift(chunk: Uint8Array): void;
}

type OnRead = Omit<OnReadOpts, 'buffer'> & { readonly buffer: Uint8Array | (() => Uint8Array) };

/** The options' `onread`, if it is one that net would take. */
export function onReadOf(options: unknown): OnRead | undefined {
  const { onread } = (options ?? {}) as { readonly onread?: OnRead };
  if (typeof onread !== 'object' || onread === null || typeof onread.callback !== 'function') return undefined;
  return onread.buffer instanceof Uint8Array || typeof onread.buffer === 'function' ? onread : undefined;
}

/** Calls back with each buffer full; false pauses the stream, and what is left of the chunk comes after `resume`. */
export function readInto(source: Source, { buffer, callback }: OnRead): void {
  source.on('data', (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const into = typeof buffer === 'function' ? buffer() : buffer;
      const part = chunk.subarray(at, at + into.length);
      into.set(part);
      at += part.length;
      if (callback(part.length, into) !== false) continue;
      source.pause();
      if (at < chunk.length) source.unshift(chunk.subarray(at));
      return;
    }
  });
}
