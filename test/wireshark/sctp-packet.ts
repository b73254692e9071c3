/**
 * An ASAP or ENRP message as SCTP would carry it: one DATA chunk in one packet (RFC 9260 sections 3 and 3.3.1) in IPv4.
 *
 *    +-------------------------------+-------------------------------+
 *    | Source Port                   | Destination Port              |
 *    +-------------------------------+-------------------------------+
 *    | Verification Tag                                              |
 *    +---------------------------------------------------------------+
 *    | CRC32c of the packet, this field 0; least significant first   |
 *    +---------------+---------------+-------------------------------+
 *    | Type = 0      | Flags = B, E  | Length, without padding       |
 *    +---------------+---------------+-------------------------------+
 *    | TSN                                                           |
 *    +-------------------------------+-------------------------------+
 *    | Stream Identifier             | Stream Sequence Number        |
 *    +-------------------------------+-------------------------------+
 *    | Payload Protocol Identifier                                   |
 *    +---------------------------------------------------------------+
 *    : User Data                                     | padding       :
 *    +-----------------------------------------------+---------------+
 */

import { crc32c } from './crc32c.js';

/** One end of an association. */
export interface SctpEnd {
  readonly address: readonly [number, number, number, number];
  readonly port: number;
  /** What the packets to this end carry. */
  readonly verificationTag: number;
}

const ipHeaderLength = 20;
const commonHeaderLength = 12;
const dataHeaderLength = 16;
const sctpProtocol = 132;
const beginAndEnd = 0x03;

/** One direction of an association: counts its TSNs and stream sequence numbers, both from 0. */
export class SctpSender {
  readonly #from: SctpEnd;
  readonly #to: SctpEnd;
  #sent = 0;

  constructor(from: SctpEnd, to: SctpEnd) {
    this.#from = from;
    this.#to = to;
  }

  /** The next packet; a RangeError if the message does not fit into one. */
  packet(payloadProtocol: number, message: Uint8Array): Uint8Array {
    const chunkLength = dataHeaderLength + message.length;
    const length = ipHeaderLength + commonHeaderLength + ((chunkLength + 3) & ~3);
    if (length > 0xffff) throw new RangeError(`${message.length} bytes do not fit into one IPv4 packet`);
    const packet = new Uint8Array(length);
    const view = new DataView(packet.buffer);
    const number = this.#sent++;
    writeIpHeader(packet, this.#from.address, this.#to.address, number);

    const sctp = ipHeaderLength;
    view.setUint16(sctp, this.#from.port);
    view.setUint16(sctp + 2, this.#to.port);
    view.setUint32(sctp + 4, this.#to.verificationTag);
    const chunk = sctp + commonHeaderLength;
    view.setUint8(chunk + 1, beginAndEnd);
    view.setUint16(chunk + 2, chunkLength);
    view.setUint32(chunk + 4, number);
    view.setUint16(chunk + 10, number & 0xffff);
    view.setUint32(chunk + 12, payloadProtocol);
    packet.set(message, chunk + dataHeaderLength);
    view.setUint32(sctp + 8, crc32c(packet.subarray(sctp)), true);
    return packet;
  }
}

function writeIpHeader(packet: Uint8Array, from: SctpEnd['address'], to: SctpEnd['address'], number: number): void {
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.length);
  view.setUint16(4, number & 0xffff);
  view.setUint8(8, 64);
  view.setUint8(9, sctpProtocol);
  packet.set(from, 12);
  packet.set(to, 16);
  let sum = 0;
  for (let i = 0; i < ipHeaderLength; i += 2) sum += view.getUint16(i);
  // The ones' complement sum of RFC 791: what is carried comes back in at the bottom.
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~(sum + (sum >>> 16)) & 0xffff);
}
