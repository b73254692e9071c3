/**
 * Messages that programs of the reference implementation sent to each other (captures.tsv: capture, frame, protocol,
 * bytes; a message sent again within a capture stands there once).
 */

import { readFileSync } from 'node:fs';
import { hex } from './hex.js';
import type { Protocol } from './vector.js';

export interface CapturedMessage {
  /** Capture and frame, like 'asap_basic 5'. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly bytes: Uint8Array;
}

/** All captured messages. Tests run in the package's folder. */
export function readCaptures(): CapturedMessage[] {
  const lines = readFileSync('test/vectors/captures.tsv', 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [capture, frame, protocol, text] = line.split('\t');
    if ((protocol !== 'asap' && protocol !== 'enrp') || text === undefined) throw new Error(`not a capture: ${line}`);
    return { name: `${capture} ${frame}`, protocol, bytes: hex(text) };
  });
}
