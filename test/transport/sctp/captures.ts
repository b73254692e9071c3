/**
 * Packets between programs of the reference implementation over Linux and usrsctp stacks
 * (test/vectors/sctp-packets.tsv: capture, frame, packet; up to two of each sequence of chunk types and lengths).
 * Where the capture had no checksum, because the network card was to fill it in, it has been filled in.
 */

import { readFileSync } from 'node:fs';
import { hex } from '../../vectors/hex.js';

export interface CapturedPacket {
  /** Capture and frame, like 'asap_basic 1'. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** All captured packets. Tests run in the package's folder. */
export function readPackets(): CapturedPacket[] {
  const lines = readFileSync('test/vectors/sctp-packets.tsv', 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [capture, frame, text] = line.split('\t');
    if (text === undefined) throw new Error(`not a packet: ${line}`);
    return { name: `${capture} ${frame}`, bytes: hex(text) };
  });
}
