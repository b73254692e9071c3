/**
 * The checksum of an SCTP packet: CRC32c (RFC 9260 section 6.8 and appendix A), the reflected Castagnoli polynomial.
 * Four bytes are taken at a time, each through a table of its own ("slicing by four").
 */

const polynomial = 0x82f63b78;

/** Where the Checksum field stands in the common header; it counts as zero while the sum is made. */
const checksumOffset = 8;
const checksumEnd = 12;
const zeros = new Uint8Array(checksumEnd - checksumOffset);

/** Table n (256 entries each, one after the other) moves a byte n further bytes through the register. */
const tables: Int32Array = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) === 0 ? 0 : polynomial);
    made[byte] = register;
  }
  for (let index = 256; index < made.length; index++) {
    const before = made[index - 256]!;
    made[index] = (before >>> 8) ^ made[before & 0xff]!;
  }
  return made;
}

/** Moves bytes [start, end) through the register. */
function update(register: number, bytes: Uint8Array, start: number, end: number): number {
  let crc = register;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      tables[768 + (crc & 0xff)]! ^
      tables[512 + ((crc >>> 8) & 0xff)]! ^
      tables[256 + ((crc >>> 16) & 0xff)]! ^
      tables[crc >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!;
  return crc;
}

/** The CRC32c of any bytes: an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  return ~update(-1, bytes, 0, bytes.length) >>> 0;
}

/** The checksum that the packet (12 bytes or more) should carry, whatever stands in its Checksum field. */
export function packetChecksum(packet: Uint8Array): number {
  const header = update(-1, packet, 0, checksumOffset);
  return ~update(update(header, zeros, 0, zeros.length), packet, checksumEnd, packet.length) >>> 0;
}

/** The checksum that the packet (12 bytes or more) carries. It travels with its lowest byte first, unlike all else. */
export function carriedChecksum(packet: Uint8Array): number {
  return (packet[8]! | (packet[9]! << 8) | (packet[10]! << 16) | (packet[11]! << 24)) >>> 0;
}

/** Puts the right checksum into the packet (12 bytes or more). */
export function writeChecksum(packet: Uint8Array): void {
  const checksum = packetChecksum(packet);
  for (let index = 0; index < 4; index++) packet[checksumOffset + index] = checksum >>> (8 * index);
}
