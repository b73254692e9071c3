/** Bytes that nobody guesses and both sides know, and what is reported of those that came. */

import { createCipheriv, createHash, type Hash } from 'node:crypto';
import type { Writable } from 'node:stream';

const pieceLength = 32 * 1024;

/** What a side reports at its end. */
export interface Transferred {
  readonly sent: string;
  readonly received: string;
  readonly bytesReceived: number;
  /** 'resumed' at the element, 'failover' at the user. */
  readonly events: number;
}

export class Received {
  readonly #hash: Hash = createHash('sha256');
  bytes = 0;

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.bytes += bytes.length;
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** Writes so many bytes of the content `name` and ends; resolves with their SHA-256 when all are accepted. */
export async function writeContent(to: Writable, name: string, length: number): Promise<string> {
  const key = createHash('sha256').update(name).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(pieceLength);
  const hash = createHash('sha256');
  for (let left = length; left > 0; left -= pieceLength) {
    const piece = cipher.update(zeros.subarray(0, Math.min(left, pieceLength)));
    hash.update(piece);
    if (!to.write(piece)) await new Promise<void>((resolve) => to.once('drain', resolve));
  }
  to.end();
  return hash.digest('hex');
}
