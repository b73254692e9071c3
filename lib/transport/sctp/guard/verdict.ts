/** What the guard says about a packet. */

/** Why a packet is dropped: literals, so that they can be counted and switched on. */
export type DropReason =
  // the packet and its common header
  | 'packetTooShort'
  | 'packetTooLong'
  | 'packetNotPadded'
  | 'portZero'
  | 'checksumMismatch'
  | 'noChunk'
  // every chunk
  | 'chunkLengthTooSmall'
  | 'chunkOutOfBounds'
  | 'chunkLengthWrong'
  | 'tooManyChunks'
  | 'unknownChunk'
  | 'extensionNotTaken'
  // chunks beside each other
  | 'verificationTagNotZero'
  | 'verificationTagZero'
  | 'chunkNotAlone'
  | 'chunkNotFirst'
  | 'dataWithAbort'
  // fields of chunks
  | 'initiateTagZero'
  | 'receiverWindowTooSmall'
  | 'noStreams'
  | 'stateCookieMissing'
  | 'heartbeatInfoMissing'
  | 'gapAckBlockDisordered'
  | 'tooManyGapAckBlocks'
  | 'tooManyDuplicateTsns'
  // parameters and error causes
  | 'parameterLengthTooSmall'
  | 'parameterOutOfBounds'
  | 'parameterLengthWrong'
  | 'parameterRepeated'
  | 'parameterNotAllowed'
  | 'tooManyParameters'
  | 'causeLengthTooSmall'
  | 'causeOutOfBounds'
  | 'causeLengthWrong'
  | 'tooManyCauses'
  // what only an association knows
  | 'verificationTagWrong'
  | 'chunkNotExpected'
  | 'cookieWrong'
  | 'streamOutOfRange'
  | 'tsnOutOfWindow'
  | 'tsnNeverSent'
  | 'gapAckBlockNeverSent';

/** The packet may be given to the stack. */
export interface Pass {
  readonly type: 'pass';
}

/** The packet must be discarded, whole and in silence. */
export interface Drop {
  readonly type: 'drop';
  readonly reason: DropReason;
  /** Byte offset in the packet of the chunk, parameter, cause or field at fault. */
  readonly offset: number;
  /** The section that it breaks, like 'RFC 9260 section 3.3.1'; 'limit' if only a limit of ours. */
  readonly section: string;
}

/** Either the packet is taken whole or it is dropped whole. */
export type Verdict = Pass | Drop;

/** The one and only pass: nothing is allocated for a good packet's verdict. */
export const pass: Pass = Object.freeze({ type: 'pass' });
