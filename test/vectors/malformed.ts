/** Bytes that are no message, with what is wrong with them and where. */

import type { Protocol } from './vector.js';

export interface MalformedCase {
  readonly name: string;
  readonly protocol: Protocol;
  readonly bytes: string;
  readonly offset: number;
  readonly section: string;
  readonly reason: RegExp;
  /** The TLV that Invalid Values carries; without it the cause is Unspecified Error. */
  readonly tlv?: string;
}
