/** How much one message may make a decoder do. The 16-bit lengths of RFC 5354 bound it too; these bound it tighter. */

export interface WireLimits {
  /** Parameters and Error Causes in one message, nested ones counted. Default: 8192. */
  readonly maxParameters: number;
  /** Address parameters in one transport. Default: 64, as many as the reference implementation takes. */
  readonly maxAddresses: number;
  /** Entries in one Mapping parameter, and transports in one entry. Default: 32. */
  readonly maxMappings: number;
  /** Unrecognised parameters kept with one pool element. Default: 32. */
  readonly maxExtensions: number;
  /** Pool Element parameters in one message. Default: 2048 (65,535 bytes hold 1,638 elements with an IPv4 address). */
  readonly maxPoolElements: number;
  /** Bytes of a pool handle. Default: 1024. The reference implementation stands no more than 32. */
  readonly maxPoolHandleLength: number;
  /** Error causes reported for one message; further ones are left out. Default: 8. */
  readonly maxReportedCauses: number;
  /** Bytes of the sender's message echoed in all of those causes; a longer TLV is cut. Default: 1024. */
  readonly maxReportedBytes: number;
}

export const defaultWireLimits: WireLimits = {
  maxParameters: 8192,
  maxAddresses: 64,
  maxMappings: 32,
  maxExtensions: 32,
  maxPoolElements: 2048,
  maxPoolHandleLength: 1024,
  maxReportedCauses: 8,
  maxReportedBytes: 1024,
};

/** The defaults with `options` over them; a RangeError if one is not a whole number from 0 up. */
export function wireLimits(options: Partial<WireLimits> = {}): WireLimits {
  const limits: WireLimits = { ...defaultWireLimits, ...options };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number, not ${value}`);
  }
  return limits;
}
