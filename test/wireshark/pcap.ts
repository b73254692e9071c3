/**
 * A capture file (classic pcap, big-endian, microseconds): a header, and then each packet after a header of its own.
 *
 *    +---------------------------------------------------------------+
 *    | Magic = 0xa1b2c3d4                                            |
 *    +-------------------------------+-------------------------------+
 *    | Major Version = 2             | Minor Version = 4             |
 *    +-------------------------------+-------------------------------+
 *    | 0, 0, Snapshot Length, Link Type (32 bits each)               |
 *    +---------------------------------------------------------------+
 *
 *    +---------------------------------------------------------------+
 *    | Seconds, Microseconds, Captured Length, Original Length       |
 *    +---------------------------------------------------------------+
 */

/** The packets begin with their IP header. */
const rawIp = 101;
const fileHeaderLength = 24;
const packetHeaderLength = 16;

/** A capture of these IP packets, one each millisecond. */
export function pcap(packets: readonly Uint8Array[]): Uint8Array {
  const bytes = packets.reduce((sum, packet) => sum + packetHeaderLength + packet.length, fileHeaderLength);
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b2c3d4);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, 0xffff);
  view.setUint32(20, rawIp);
  let offset = fileHeaderLength;
  for (const [i, packet] of packets.entries()) {
    view.setUint32(offset, Math.floor(i / 1000));
    view.setUint32(offset + 4, (i % 1000) * 1000);
    view.setUint32(offset + 8, packet.length);
    view.setUint32(offset + 12, packet.length);
    file.set(packet, offset + packetHeaderLength);
    offset += packetHeaderLength + packet.length;
  }
  return file;
}
