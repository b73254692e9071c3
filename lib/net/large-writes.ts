/**
 * The callbacks of large writes. Their buffers are kept by reference, so a callback waits for the acknowledgement:
 * only then is the buffer the caller's again (docs/api.md, "retrieval").
 */

export type WriteCallback = (error?: Error | null) => void;

/** Up to this many bytes a write is copied, and its callback comes as soon as it is accepted. */
export const copyLimit = 4096;

interface LargeWrite {
  readonly chunk: Uint8Array;
  readonly callback: WriteCallback | undefined;
}

export class LargeWrites {
  /** In the order of the writes, until these reach the session: those without a callback too, as a buffer may be written twice. */
  readonly #waiting: LargeWrite[] = [];

  add(chunk: Uint8Array, callback: WriteCallback | undefined): void {
    this.#waiting.push({ chunk, callback });
  }

  /** The callback of a write that now goes to the session, if it has one. */
  take(chunk: Uint8Array | string): WriteCallback | undefined {
    return this.#waiting[0]?.chunk === chunk ? this.#waiting.shift()?.callback : undefined;
  }

  /** The stream refused the write before it reached the session. */
  drop(chunk: Uint8Array, error: Error): void {
    const index = this.#waiting.findIndex((write) => write.chunk === chunk);
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.callback?.(error);
  }
}
