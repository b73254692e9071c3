/**
 * Whose the bytes are that an application writes (docs/api.md, "retrieval"): small ones are copied, as they go to the
 * session; a large buffer is copied where the caller may use it again, which a write callback says it may.
 */

export type WriteCallback = (error?: Error | null) => void;

/** Up to this many bytes are always copied. */
export const copyLimit = 4096;

/** As Buffer.from, without its search for what it was given. */
export function copied(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}

/**
 * What a stream is to keep of a `write` with these arguments. Its callback comes when the write is accepted, as in net:
 * the protocols that Node runs over a stream read nothing while they wait for it, so it cannot wait for the far side.
 */
export function ownBytes(chunk: unknown, encodingOrCallback: unknown, callback: unknown): unknown {
  if (!(chunk instanceof Uint8Array) || chunk.length <= copyLimit) return chunk;
  return typeof encodingOrCallback === 'function' || typeof callback === 'function' ? copied(chunk) : chunk;
}
