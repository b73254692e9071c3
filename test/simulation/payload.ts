/**
 * What simulated messages say. The length and the number at the end show pieces that were put together wrongly.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |     Kind      |     Part      |       Session                 |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                            Number                             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                  PE identifier of the sender, or 0            |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                            Length                             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  :                    Filling, then the number again             :
 */

import type { Dice } from './dice.js';

export const payloadKind = { request: 1, threefold: 2, oneWay: 3, answer: 4, push: 5 } as const;

/** What a user's message asks for. */
export function drawKind(dice: Dice): number {
  if (dice.chance(0.2)) return payloadKind.oneWay;
  return dice.chance(0.125) ? payloadKind.threefold : payloadKind.request;
}

export interface Payload {
  readonly kind: number;
  /** Which of several answers to one request, from 0. */
  readonly part: number;
  readonly session: number;
  /** The message's own sequence; of an answer, the sequence that it answers. */
  readonly number: number;
  readonly element: number;
}

const shortest = 20;

export function encodePayload(payload: Payload, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(shortest, size));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, payload.kind);
  view.setUint8(1, payload.part);
  view.setUint16(2, payload.session);
  view.setUint32(4, payload.number);
  view.setUint32(8, payload.element);
  view.setUint32(12, bytes.length);
  view.setUint32(bytes.length - 4, payload.number);
  return bytes;
}

/** Undefined if it was put together wrongly. */
export function decodePayload(bytes: Uint8Array): Payload | undefined {
  if (bytes.length < shortest) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = view.getUint32(4);
  if (view.getUint32(12) !== bytes.length || view.getUint32(bytes.length - 4) !== number) return undefined;
  return {
    kind: view.getUint8(0),
    part: view.getUint8(1),
    session: view.getUint16(2),
    number,
    element: view.getUint32(8),
  };
}
