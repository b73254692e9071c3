/**
 * Cookies that a pool's elements can trust (RFC 5352 section 3.8: a cookie should be signed by the element that sends
 * it and verified by the one that gets it). Signed with HMAC-SHA-256 or, encrypted too, with AES-256-GCM, under secrets
 * that all elements of the pool share. Pool handle and session identifier are signed along, so that a cookie is of no use in
 * another session or pool.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  Form (1, 2)  |              Key Identifier (3)               |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  :          Form 2 only: initialisation vector (12)              :
 *  :                  Cookie (form 2: encrypted)                   :
 *  :          Tag: 32 bytes (form 1) or 16 bytes (form 2)          :
 */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Random } from '../random.js';

/** How a sealed cookie is protected. */
export type CookieProtection = 'signed' | 'encrypted';

export interface CookieSealOptions {
  /** The first seals; all of them open, so that secrets can be rotated without losing sessions. At least one. */
  readonly secrets: readonly (string | Uint8Array)[];
  readonly protection: CookieProtection;
  readonly poolHandle: string;
  readonly random: Random;
}

export type OpenedCookie =
  | { readonly type: 'verified'; readonly cookie: Uint8Array }
  /** Forged, foreign, cut, or sealed with a secret that is no longer known. */
  | { readonly type: 'refused'; readonly reason: string };

interface Key {
  readonly identifier: Uint8Array;
  readonly signing: Uint8Array;
  readonly encryption: Uint8Array;
}

const form = { signed: 1, encrypted: 2 } as const;
const headLength = 4;
const vectorLength = 12;
const signatureLength = 32;
const tagLength = 16;

function deriveKey(secret: string | Uint8Array): Key {
  const derive = (purpose: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), `rserpool cookie ${purpose}`, length));
  return { identifier: derive('identifier', 3), signing: derive('signing', 32), encryption: derive('encryption', 32) };
}

export class CookieSeal {
  readonly #keys: readonly Key[];
  readonly #protection: CookieProtection;
  readonly #poolHandle: Uint8Array;
  readonly #random: Random;

  constructor(options: CookieSealOptions) {
    this.#keys = options.secrets.map(deriveKey);
    this.#protection = options.protection;
    this.#poolHandle = Buffer.from(options.poolHandle);
    this.#random = options.random;
  }

  /** What is sent to the user for this cookie. */
  seal(cookie: Uint8Array, sessionId: Uint8Array): Uint8Array {
    const key = this.#keys[0] as Key;
    if (this.#protection === 'signed') {
      const head = Buffer.from([form.signed, ...key.identifier]);
      return Buffer.concat([head, cookie, this.#sign(key, sessionId, Buffer.concat([head, cookie]))]);
    }
    const head = Buffer.from([form.encrypted, ...key.identifier]);
    const vector = this.#random.bytes(vectorLength);
    const cipher = createCipheriv('aes-256-gcm', key.encryption, vector, { authTagLength: tagLength });
    cipher.setAAD(this.#context(sessionId, head));
    const body = Buffer.concat([cipher.update(cookie), cipher.final()]);
    return Buffer.concat([head, vector, body, cipher.getAuthTag()]);
  }

  /** The cookie that a user echoed, if one of the pool's elements sealed it for this session. Never throws. */
  open(sealed: Uint8Array, sessionId: Uint8Array): OpenedCookie {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < headLength) return { type: 'refused', reason: 'the cookie is too short' };
    const keys = this.#keys.filter(({ identifier }) => bytes.subarray(1, headLength).equals(identifier));
    if (keys.length === 0)
      return { type: 'refused', reason: 'the cookie was sealed with a secret that is not known here' };
    for (const key of keys) {
      const opened =
        bytes[0] === form.signed ? this.#verify(key, bytes, sessionId) : this.#decrypt(key, bytes, sessionId);
      if (opened !== undefined) return { type: 'verified', cookie: opened };
    }
    return { type: 'refused', reason: 'the cookie is forged, or belongs to another session or pool' };
  }

  #verify(key: Key, bytes: Buffer, sessionId: Uint8Array): Uint8Array | undefined {
    // Who asks for encrypted cookies does not take ones that anybody could read.
    if (this.#protection === 'encrypted' || bytes.length < headLength + signatureLength) return undefined;
    const end = bytes.length - signatureLength;
    if (!timingSafeEqual(this.#sign(key, sessionId, bytes.subarray(0, end)), bytes.subarray(end))) return undefined;
    return bytes.subarray(headLength, end);
  }

  #decrypt(key: Key, bytes: Buffer, sessionId: Uint8Array): Uint8Array | undefined {
    if (bytes[0] !== form.encrypted || bytes.length < headLength + vectorLength + tagLength) return undefined;
    const end = bytes.length - tagLength;
    const vector = bytes.subarray(headLength, headLength + vectorLength);
    const decipher = createDecipheriv('aes-256-gcm', key.encryption, vector, { authTagLength: tagLength });
    decipher.setAAD(this.#context(sessionId, bytes.subarray(0, headLength)));
    decipher.setAuthTag(bytes.subarray(end));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(headLength + vectorLength, end)), decipher.final()]);
    } catch {
      // The tag does not fit: that is what "refused" says.
      return undefined;
    }
  }

  #sign(key: Key, sessionId: Uint8Array, bytes: Uint8Array): Buffer {
    return createHmac('sha256', key.signing).update(this.#context(sessionId, bytes)).digest();
  }

  /** The lengths keep one field from passing for the end of another. */
  #context(sessionId: Uint8Array, bytes: Uint8Array): Buffer {
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32BE(this.#poolHandle.length, 0);
    lengths.writeUInt32BE(sessionId.length, 4);
    return Buffer.concat([lengths, this.#poolHandle, sessionId, bytes]);
  }
}
