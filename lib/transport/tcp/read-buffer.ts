/**
 * Where a socket's reads go. Left to itself Node allocates 64 KiB for each and then cuts them to length, which costs more than all
 * else that there is to a short message.
 */

/** What an idle connection keeps ready, in bytes. */
const shortRead = 2 * 1024;
/** What one read takes at most: as Node's own. */
const longRead = 64 * 1024;
/** What is longer is not copied: it keeps the buffer that it was read into, which is less than twice its length. */
const longestCopy = longRead / 2;

export class ReadBuffer {
  #buffer: Buffer = Buffer.allocUnsafeSlow(shortRead);

  /** For the next read. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** What was read into the buffer, `length` bytes: they are the caller's, and do not change. */
  take(length: number): Buffer {
    const buffer = this.#buffer;
    const filled = length === buffer.length;
    if (length > longestCopy) {
      this.#buffer = Buffer.allocUnsafeSlow(longRead);
      return buffer.subarray(0, length);
    }
    const bytes = Buffer.allocUnsafe(length);
    buffer.copy(bytes, 0, 0, length);
    if (filled) this.#buffer = Buffer.allocUnsafeSlow(longRead);
    else if (length <= shortRead && buffer.length > shortRead) this.#buffer = Buffer.allocUnsafeSlow(shortRead);
    return bytes;
  }
}
