/** How much a packet may make the guard, and the stack behind it, do. Lengths bound it too; these bound it tighter. */

/** Counts what checking costs: one step for each field read and for each byte under the checksum. */
export interface StepCounter {
  steps: number;
}

/** Limits and choices of the guard; `guardOptions` makes them. */
export interface GuardOptions {
  /** Bytes of a packet, its common header included. Default: 65,535. */
  readonly maxPacketLength: number;
  /** Chunks in a packet. Default: 1024. */
  readonly maxChunks: number;
  /** Parameters in a packet, nested ones included. Default: 256. */
  readonly maxParameters: number;
  /** Error causes in a packet. Default: 32. */
  readonly maxCauses: number;
  /** Gap Ack Blocks in a SACK chunk. Default: 4096. */
  readonly maxGapAckBlocks: number;
  /** Duplicate TSNs in a SACK chunk. Default: 1024. */
  readonly maxDuplicateTsns: number;
  /**
   * What becomes of packets with a chunk of an extension that is known here (AUTH, I-DATA, ASCONF, ASCONF-ACK,
   * RE-CONFIG, PAD, FORWARD-TSN, I-FORWARD-TSN): 'drop' (default; no peer sends one that we did not agree to), or
   * 'check' them by their length for a stack that knows them.
   */
  readonly extensions: 'drop' | 'check';
  /** Where steps are added up, for those who measure. Default: nowhere. */
  readonly counter?: StepCounter;
}

/** What holds unless options say otherwise. */
export const defaultGuardOptions: GuardOptions = Object.freeze({
  maxPacketLength: 65_535,
  maxChunks: 1024,
  maxParameters: 256,
  maxCauses: 32,
  maxGapAckBlocks: 4096,
  maxDuplicateTsns: 1024,
  extensions: 'drop',
});

/** The defaults with `options` over them; a RangeError if a limit is not a whole number from 0 up. */
export function guardOptions(options: Partial<GuardOptions> = {}): GuardOptions {
  const made: GuardOptions = { ...defaultGuardOptions, ...options };
  for (const [name, value] of Object.entries(made)) {
    if (!name.startsWith('max')) continue;
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number, not ${value}`);
  }
  if (made.extensions !== 'drop' && made.extensions !== 'check') {
    throw new RangeError(`extensions must be 'drop' or 'check', not ${made.extensions}`);
  }
  return made;
}
