/** What `listen` and `setCookie` are told of cookies, and what becomes of it (RFC 5352 section 3.8). */

import { invalidArgumentType, invalidArgumentValue, outOfRange } from '../arguments.js';
import type { Random } from '../random.js';
import { type CookieProtection, CookieSeal } from '../session/cookie-seal.js';

/** A text or bytes, 16 at least, that all elements of a pool share. */
export type CookieSecret = string | Uint8Array;

export interface CookieOptions {
  /**
   * Seals the cookies that this element sets and checks those that users bring. Of several, the first seals and all of
   * them open: to rotate, add the new one last everywhere, then move it to the front everywhere, then drop the old one.
   * Default: none, cookies are plain bytes and never `verified`.
   */
  readonly cookieSecret?: CookieSecret | readonly CookieSecret[];
  /** 'encrypted': users cannot read them either, and cookies that are only signed are refused. Default: 'signed'. */
  readonly cookieProtection?: CookieProtection;
}

/** Less is guessed. */
const shortestSecret = 16;

/** What fits an ASAP message (65,535 bytes) beside its headers and the seal. */
const longestCookie = 65_480;

/** The seal that the options ask for, if any; throws Node's argument errors. */
export function checkCookieOptions(given: CookieOptions, poolHandle: string, random: Random): CookieSeal | undefined {
  const { cookieSecret, cookieProtection: protection = 'signed' } = given;
  if (protection !== 'signed' && protection !== 'encrypted') {
    throw invalidArgumentValue('options.cookieProtection', protection, "must be one of: 'signed', 'encrypted'");
  }
  if (cookieSecret === undefined) {
    if (given.cookieProtection === undefined) return undefined;
    throw invalidArgumentValue('options.cookieProtection', protection, 'needs a cookieSecret');
  }
  const secrets: readonly unknown[] = Array.isArray(cookieSecret) ? cookieSecret : [cookieSecret];
  if (secrets.length === 0) throw invalidArgumentValue('options.cookieSecret', secrets, 'must not be empty');
  return new CookieSeal({ secrets: secrets.map(checkSecret), protection, poolHandle, random });
}

/** The value stays out of the error: errors are logged. */
function checkSecret(secret: unknown): CookieSecret {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    const kind = 'of type string or an instance of Buffer or Uint8Array';
    throw invalidArgumentType('options.cookieSecret', `${kind}, or an Array of them`, typeof secret);
  }
  const length = typeof secret === 'string' ? Buffer.byteLength(secret) : secret.length;
  if (length < shortestSecret) throw outOfRange('options.cookieSecret.length', `>= ${shortestSecret} bytes`, length);
  return typeof secret === 'string' ? secret : secret.slice();
}

/** What `setCookie` takes: throws Node's argument errors. */
export function checkCookie(cookie: unknown): void {
  if (!(cookie instanceof Uint8Array)) {
    throw invalidArgumentType('cookie', 'an instance of Buffer or Uint8Array', cookie);
  }
  if (cookie.length > longestCookie) throw outOfRange('cookie.length', `<= ${longestCookie}`, cookie.length);
}
