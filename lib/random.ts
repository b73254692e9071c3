/** The only source of chance in this library: identifiers, jitter, random policies. */

import { randomFillSync } from 'node:crypto';

export interface Random {
  /** A number in [0, 1), uniform, with at least 32 random bits. */
  uniform(): number;
  /** An unsigned 32-bit integer that is not zero: PE identifiers, server identifiers (RFC 5352 section 3.1 R2.2, RFC 4086). */
  identifier(): number;
  /** `length` unpredictable bytes: session identifiers. */
  bytes(length: number): Uint8Array;
}

const pool = new Uint8Array(4096);
const poolView = new DataView(pool.buffer);
let used = pool.length;

function word(): number {
  if (used + 4 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const value = poolView.getUint32(used);
  used += 4;
  return value;
}

/** Chance from the operating system's cryptographic source. */
export const systemRandom: Random = {
  uniform: () => word() / 0x1_0000_0000,
  identifier() {
    for (;;) {
      const value = word();
      if (value !== 0) return value;
    }
  },
  bytes: (length) => randomFillSync(new Uint8Array(length)),
};

/**
 * Repeatable chance for simulations and property tests (the generator is splitmix32: one 32-bit word of state,
 * full period). Never use it for identifiers that strangers must not guess.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return {
    uniform: () => next() / 0x1_0000_0000,
    identifier() {
      for (;;) {
        const value = next();
        if (value !== 0) return value;
      }
    },
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = next();
      return bytes;
    },
  };
}
