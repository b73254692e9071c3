/** A cookie as an application gets it (RFC 5352 section 3.8). */

/** The bytes of a cookie. */
export interface Cookie extends Buffer {
  /**
   * An element of this pool, with one of its secrets, made it for this session. False at users, who cannot tell, and at
   * elements without a `cookieSecret`: then it is whatever the far side says.
   */
  readonly verified: boolean;
}

/** The same bytes, not copied: what a session keeps must not be an application's to change. */
export function toCookie(bytes: Uint8Array, verified: boolean): Cookie {
  const cookie = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Object.defineProperty(cookie, 'verified', { value: verified }) as Cookie;
}
