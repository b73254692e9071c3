/**
 * The frames of the TCP mapping (docs/mappings.md). All numbers are big-endian.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  Frame Type   |     Flags     |       Stream Identifier       |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                 Body Length (without this header)             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  :                             Body                              :
 */

/** What each direction begins with. Its first byte begins no TLS record, no HTTP request and no ASAP message. */
export const magic: Uint8Array = Uint8Array.of(0xf2, 0x52, 0x53, 0x65, 0x72, 0x50, 0x0d, 0x0a);

export const headerLength = 8;
/** Sequence, payload protocol identifier, in answer to. */
export const dataHeaderLength = 12;
/** What a message costs of the receiver's window beside its bytes: its frame's headers. */
export const messageOverhead: number = headerLength + dataHeaderLength;

export const frameType = {
  hello: 0x01,
  /** One fragment of a message. */
  data: 0x02,
  /** How many messages of this connection the application has taken, counted from its beginning. */
  acknowledgement: 0x03,
  /** How many bytes of this connection's messages may be sent, counted from its beginning. */
  credit: 0x04,
  heartbeat: 0x05,
  /** The end of the sender's direction; counts as a message. */
  shutdown: 0x06,
  abort: 0x07,
  goElsewhere: 0x08,
} as const;

/** Frame types from here on are skipped when unknown; lower unknown ones are protocol errors. */
export const firstSkippableType = 0x80;

export const dataFlag = {
  begin: 0x01,
  end: 0x02,
  redelivered: 0x04,
  answer: 0x08,
  lastAnswer: 0x10,
  /** In the last fragment of a message that is no answer: its third field is an acknowledgement. */
  acknowledges: 0x20,
  /** In every fragment: the message is put together by its sequence, not by its stream, and may overtake others. */
  unordered: 0x40,
} as const;

export const heartbeatFlag = { answerWanted: 0x01, echoValid: 0x02 } as const;
export const helloFlag = {
  failedOver: 0x01,
  cookieFollows: 0x02,
  /** From the user: go on with the session where it was; from the element: so it does. */
  resume: 0x04,
  /** From the user: it may not come here after all; the session begins with the first frame after this hello. */
  standBy: 0x08,
} as const;

/** What a side can do beyond version 1 as it began: bits of the hello. */
export const feature = {
  /** A session outlives its byte stream. */
  resume: 0x01,
  /** Fragments of several messages may be mixed, as many as Open Messages says. */
  interleaving: 0x02,
  /** Messages may be marked unordered. */
  unordered: 0x04,
} as const;

/** Bytes of an ASAP message on the control channel: its own length field has 16 bits (RFC 5354 section 4). */
export const longestControl = 0xffff;

/** Length of a heartbeat's body: stamp, echoed stamp, age of the echo, patience. */
export const heartbeatLength = 16;

/** The full number whose low 32 bits are `low`, nearest to `reference`. */
export function expand(low: number, reference: number): number {
  const difference = (low - (reference % 0x1_0000_0000)) | 0;
  return reference + difference;
}

/**
 * The same for sequences, which begin at 1. A session that comes to a new connection goes on counting where it was, so
 * that the first of them may be anything.
 */
export function expandSequence(low: number, reference: number): number {
  const sequence = expand(low, reference);
  return sequence > 0 ? sequence : sequence + 0x1_0000_0000;
}
