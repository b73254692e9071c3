/** Chunk types of RFC 9260 section 3.2 and of the extensions that have a number of their own. */

/** Chunk type numbers by the names that the RFCs give them. */
export const chunkType = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  ecne: 12,
  cwr: 13,
  shutdownComplete: 14,
  /** RFC 4895. */
  auth: 0x0f,
  /** RFC 8260. */
  iData: 0x40,
  /** RFC 5061. */
  asconfAck: 0x80,
  /** RFC 6525. */
  reConfig: 0x82,
  /** RFC 4820. */
  pad: 0x84,
  /** RFC 3758. */
  forwardTsn: 0xc0,
  /** RFC 5061. */
  asconf: 0xc1,
  /** RFC 8260. */
  iForwardTsn: 0xc2,
} as const;

/** The T bit of ABORT and SHUTDOWN COMPLETE: the Verification Tag is reflected (RFC 9260 section 8.5.1). */
export const reflectedTagFlag = 0x01;

/** What the two high bits of an unknown chunk's type ask for (RFC 9260 section 3.2): to go on after it, or to stop. */
export function skipsWhenUnknown(type: number): boolean {
  return (type & 0x80) !== 0;
}

/** The other of the two bits: whether an unknown chunk is to be reported to its sender. */
export function reportsWhenUnknown(type: number): boolean {
  return (type & 0x40) !== 0;
}
