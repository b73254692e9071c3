/**
 * What shows that a stream arrived whole and in order: its length and a rolling sum. The sum is over every 61st byte
 * (a prime, so it falls on other places in each message): over all bytes it would cost more than the transfer does, and
 * hide what is measured.
 */

const stride = 61;

export class RollingSum {
  length = 0;
  sum = 0;
  /** Bytes until the next one that counts. */
  #skip = 0;

  add(bytes: Uint8Array): void {
    let { sum } = this;
    let at = this.#skip;
    for (; at < bytes.length; at += stride) sum = (Math.imul(sum, 31) + (bytes[at] as number)) | 0;
    this.#skip = at - bytes.length;
    this.sum = sum;
    this.length += bytes.length;
  }

  /** 12 bytes: the length and the sum. */
  encode(): Buffer {
    const bytes = Buffer.alloc(12);
    bytes.writeDoubleBE(this.length);
    bytes.writeInt32BE(this.sum, 8);
    return bytes;
  }
}
