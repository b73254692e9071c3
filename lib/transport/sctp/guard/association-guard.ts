/**
 * What the guard can only ask with knowledge of an association: verification tags (RFC 9260 section 8.5), streams
 * (section 6.5), TSNs that can be (section 6.2) and acknowledgements of what was sent (section 6.2.1). It learns from
 * what our own stack sends, never from what arrives: a stranger cannot move it.
 */

import { chunkType, reflectedTagFlag } from './chunk-type.js';
import { commonHeaderLength, verificationTagOffset } from './common-header.js';
import { carriesCookie } from './cookie-echo.js';
import { defaultGuardOptions } from './guard-options.js';
import { PacketReader, padded } from './packet-reader.js';
import { gapAckBlocksOffset } from './sack.js';
import { TsnTrack, tsnAfter, tsnDistance } from './tsn.js';

/** Our own side of an association, known from its first INIT or INIT ACK on. */
export interface LocalFacts {
  /** Our Initiate Tag: what the peer's packets carry. */
  readonly tag: number;
  readonly initialTsn: number;
  /**
   * The cookie that we sent in our INIT ACK, if we sent one. Once established, only this very cookie may come in a
   * COOKIE ECHO (one that was sent again); none may come if there is none. The bytes are copied.
   */
  readonly cookie?: Uint8Array;
  /**
   * How many TSNs past our Cumulative TSN Ack the peer may be. Default: 65,535, as far as a Gap Ack Block can tell of.
   */
  readonly tsnWindow?: number;
}

/** The peer's side, known from its INIT or INIT ACK. */
export interface PeerFacts {
  /** Its Initiate Tag. */
  readonly tag: number;
  readonly initialTsn: number;
  /** Streams that it may send on: the lesser of its OS and our MIS (RFC 9260 section 5.1.1). */
  readonly inboundStreams: number;
}

const defaultTsnWindow = 65_535;

/** State: 'cookieWait' (only INIT ACK, INIT and ABORT may come) until `establish`, then 'established'. */
export class AssociationGuard {
  readonly #tag: number;
  readonly #cookie: Uint8Array | undefined;
  readonly #tsnWindow: number;
  /** TSNs that we sent. */
  readonly #sent: TsnTrack;
  #state: 'cookieWait' | 'established' = 'cookieWait';
  #peerTag = 0;
  #inboundStreams = 0;
  /** TSNs that we acknowledged cumulatively. */
  #acknowledged = new TsnTrack(0);

  /** A RangeError if `tsnWindow` is not a whole number from 1 to 2^31 - 1. */
  constructor(local: LocalFacts, peer?: PeerFacts) {
    const tsnWindow = local.tsnWindow ?? defaultTsnWindow;
    if (!Number.isInteger(tsnWindow) || tsnWindow < 1 || tsnWindow > 0x7fff_ffff) {
      throw new RangeError(`tsnWindow must be a whole number from 1 to 2147483647, not ${tsnWindow}`);
    }
    this.#tag = local.tag >>> 0;
    this.#cookie = local.cookie?.slice();
    this.#tsnWindow = tsnWindow;
    this.#sent = new TsnTrack(local.initialTsn);
    if (peer !== undefined) this.establish(peer);
  }

  get state(): 'cookieWait' | 'established' {
    return this.#state;
  }

  /** The peer is known: its INIT ACK was taken, or its COOKIE ECHO. */
  establish(peer: PeerFacts): void {
    this.#peerTag = peer.tag >>> 0;
    this.#inboundStreams = peer.inboundStreams;
    this.#acknowledged = new TsnTrack(peer.initialTsn);
    this.#state = 'established';
  }

  /**
   * Learns from a packet that our stack is about to send: the TSNs of its DATA chunks and the Cumulative TSN Ack of
   * its SACK chunks. Call it before the packet leaves, so that no answer overtakes it. Never throws.
   */
  noteSent(packet: Uint8Array): void {
    const reader = new PacketReader(packet, defaultGuardOptions);
    for (let at = commonHeaderLength; at + 8 <= packet.length; ) {
      const type = reader.u8(at);
      if (type === chunkType.data || type === chunkType.iData) this.#sent.reach(reader.u32(at + 4));
      else if (type === chunkType.sack || type === chunkType.shutdown) this.#acknowledged.reach(reader.u32(at + 4));
      at += Math.max(4, padded(reader.u16(at + 2)));
    }
  }

  /** Checks a packet that is known to be well formed; part of `guardPacket`. Changes nothing here. */
  check(reader: PacketReader): boolean {
    const end = reader.bytes.length;
    if (!this.#checkTag(reader)) return false;
    for (let at = commonHeaderLength; at < end; ) {
      const type = reader.u8(at);
      const length = reader.u16(at + 2);
      const sound =
        this.#state === 'cookieWait' ? checkOpening(reader, type, at) : this.#checkChunk(reader, type, at, length);
      if (!sound) return false;
      at += padded(length);
    }
    return true;
  }

  /**
   * Section 8.5: our tag. Section 8.5.1: none in INIT; the peer's own, reflected, in an ABORT or SHUTDOWN COMPLETE
   * with the T bit. A reflecting ABORT comes from somebody without an association, who has nothing else to say, so
   * it must be alone.
   */
  #checkTag(reader: PacketReader): boolean {
    const tag = reader.u32(verificationTagOffset);
    const type = reader.u8(commonHeaderLength);
    if (type === chunkType.init) return true;
    const mayReflect = type === chunkType.abort || type === chunkType.shutdownComplete;
    if (mayReflect && (reader.u8(commonHeaderLength + 1) & reflectedTagFlag) !== 0) {
      const alone = commonHeaderLength + padded(reader.u16(commonHeaderLength + 2)) === reader.bytes.length;
      if (this.#state === 'established' && tag === this.#peerTag && alone) return true;
    } else if (tag === this.#tag) {
      return true;
    }
    return reader.fail('verificationTagWrong', verificationTagOffset, 'RFC 9260 section 8.5');
  }

  #checkChunk(reader: PacketReader, type: number, at: number, length: number): boolean {
    switch (type) {
      case chunkType.data:
      case chunkType.iData:
        return this.#checkData(reader, at);
      case chunkType.sack:
        return this.#checkSack(reader, at);
      case chunkType.shutdown:
        return this.#sent.includes(reader.u32(at + 4)) || reader.fail('tsnNeverSent', at + 4, 'RFC 9260 section 3.3.8');
      case chunkType.cookieEcho:
        return this.#checkCookie(reader, at, length);
      case chunkType.abort:
        return checkLaterAbort(reader, at);
      case chunkType.forwardTsn:
      case chunkType.iForwardTsn:
        return this.#checkTsn(reader, at + 4, 'RFC 3758 section 3.6');
      default:
        return true;
    }
  }

  #checkData(reader: PacketReader, at: number): boolean {
    if (reader.u16(at + 8) >= this.#inboundStreams) {
      return reader.fail('streamOutOfRange', at + 8, 'RFC 9260 section 6.5');
    }
    return this.#checkTsn(reader, at + 4, 'RFC 9260 section 6.2');
  }

  /** A TSN that we have is welcome too: it came again because our SACK was lost. */
  #checkTsn(reader: PacketReader, at: number, section: string): boolean {
    return this.#acknowledged.admits(reader.u32(at), this.#tsnWindow) || reader.fail('tsnOutOfWindow', at, section);
  }

  /** A SACK that was overtaken by a newer one is no fault: its packet may carry DATA. */
  #checkSack(reader: PacketReader, at: number): boolean {
    const cumulative = reader.u32(at + 4);
    if (!this.#sent.includes(cumulative)) return reader.fail('tsnNeverSent', at + 4, 'RFC 9260 section 6.2.1');
    const blocks = reader.u16(at + 12);
    if (blocks === 0) return true;
    // They ascend, so the last one's end is the furthest.
    const last = at + gapAckBlocksOffset + 4 * (blocks - 1);
    const furthest = tsnAfter(cumulative, reader.u16(last + 2));
    if (tsnDistance(cumulative, furthest) <= tsnDistance(cumulative, this.#sent.newest)) return true;
    return reader.fail('gapAckBlockNeverSent', last, 'RFC 9260 section 6.2.1');
  }

  #checkCookie(reader: PacketReader, at: number, length: number): boolean {
    if (this.#cookie !== undefined && carriesCookie(reader, at, length, this.#cookie)) return true;
    return reader.fail('cookieWrong', at, 'RFC 9260 section 5.2.4');
  }
}

/** Before the peer is known, nothing but its answer, its own attempt or its refusal can come (section 4). */
function checkOpening(reader: PacketReader, type: number, at: number): boolean {
  if (type === chunkType.init || type === chunkType.initAck || type === chunkType.abort) return true;
  return reader.fail('chunkNotExpected', at, 'RFC 9260 section 4');
}

/** An ABORT behind other chunks came with our tag, so its T bit must say so (section 8.5.1, rules B). */
function checkLaterAbort(reader: PacketReader, at: number): boolean {
  if (at === commonHeaderLength || (reader.u8(at + 1) & reflectedTagFlag) === 0) return true;
  return reader.fail('verificationTagWrong', at, 'RFC 9260 section 8.5.1');
}
