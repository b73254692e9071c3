/**
 * Reading of parameters (RFC 5354 section 3):
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-------------------------------+-------------------------------+
 *    | Parameter Type                | Parameter Length              |
 *    +-------------------------------+-------------------------------+
 *    : Parameter Value                               | 0 to 3 padding:
 *    +-----------------------------------------------+---------------+
 *
 * Codecs walk a message by offsets, so that no object is made for a parameter. Every read stands behind a check of
 * `parameterLength`, `expectLength` or `expectRoom`; what fails a check is thrown as a Refusal, which never leaves
 * `decodeMessage`.
 */

import type { Decoded } from './decoded.js';
import type { WireLimits } from './limits.js';
import { isDefinedType, parameterName } from './parameter-type.js';
import { causeCode, type ErrorCause } from './parameters.js';

/** Thrown inside the decoders only: why the bytes do not become a message. Not an Error: it needs no stack. */
export class Refusal {
  readonly outcome: Decoded<never>;
  constructor(outcome: Decoded<never>) {
    this.outcome = outcome;
  }
}

/** A length with its padding: the next multiple of four. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

const nothing = new Uint8Array(0);

export class ParameterReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly limits: WireLimits;
  readonly #report: ErrorCause[] = [];
  #reportedBytes = 0;
  #parameters = 0;
  #poolElements = 0;

  /** `bytes` must not be a Buffer: their `slice` must copy. */
  constructor(bytes: Uint8Array, limits: WireLimits) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limits = limits;
  }

  /** The causes collected so far, for the sender. */
  get report(): readonly ErrorCause[] {
    return this.#report;
  }

  /** Checks the header of the parameter at `offset` and gives its Parameter Length: 4 up to what `end` leaves. */
  parameterLength(offset: number, end: number): number {
    if (end - offset < 4) throw this.invalid(offset, 'RFC 5354 section 3', 'a parameter header is cut off');
    const length = this.view.getUint16(offset + 2);
    if (length < 4) {
      throw this.invalid(offset, 'RFC 5354 section 3', `Parameter Length ${length} is below 4`, offset, offset + 4);
    }
    if (length > end - offset) {
      const reason = `Parameter Length ${length} exceeds the ${end - offset} bytes left`;
      throw this.invalid(offset, 'RFC 5354 section 3', reason, offset, end);
    }
    this.countParameter(offset);
    return length;
  }

  /** Counts a parameter, or what costs as much, against the limit. */
  countParameter(offset: number): void {
    if (++this.#parameters > this.limits.maxParameters) {
      throw this.overLimit(offset, `more than ${this.limits.maxParameters} parameters`);
    }
  }

  /**
   * Where the next parameter begins. The padding of the last one may be counted by what surrounds it, as the
   * reference implementation does, or not, as RFC 5354 section 2 says: the walk ends at `end` either way.
   */
  next(offset: number, length: number, end: number): number {
    return Math.min(offset + padded(length), end);
  }

  /** Checks that the parameter at `offset`, whose Parameter Length is `length`, is exactly `expected` bytes long. */
  expectLength(offset: number, length: number, expected: number, section: string): void {
    if (length === expected) return;
    const name = parameterName(this.view.getUint16(offset));
    throw this.invalid(offset, section, `${name} of ${length} bytes instead of ${expected}`, offset, offset + length);
  }

  /** Checks that the parameter at `offset` has room for its `least` bytes of fixed fields. */
  expectRoom(offset: number, length: number, least: number, section: string): void {
    if (length >= least) return;
    const name = parameterName(this.view.getUint16(offset));
    throw this.invalid(offset, section, `${name} of ${length} bytes, below ${least}`, offset, offset + length);
  }

  /** Counts a pool element against the limit. */
  countPoolElement(offset: number): void {
    if (++this.#poolElements > this.limits.maxPoolElements) {
      throw this.overLimit(offset, `more than ${this.limits.maxPoolElements} pool elements`);
    }
  }

  /** A copy of the value of the parameter at `offset`: what is kept must not hold on to the sender's buffer. */
  copyValue(offset: number, length: number, skip = 4): Uint8Array {
    return this.bytes.slice(offset + skip, offset + length);
  }

  /**
   * Does with a parameter that has no place here what its type asks for (RFC 5354 section 3): returns if it is to be
   * skipped, and throws the Refusal otherwise. A type that RFC 5354 defines is no stranger: out of place, it is a
   * protocol error.
   */
  unrecognized(offset: number, length: number): void {
    const type = this.view.getUint16(offset);
    if (isDefinedType(type)) {
      const reason = `${parameterName(type)} has no place here`;
      throw this.invalid(offset, 'RFC 5354 section 3', reason, offset, offset + length);
    }
    if ((type & 0x4000) !== 0) this.#addCause(causeCode.unrecognizedParameter, offset, offset + length);
    if ((type & 0x8000) === 0) throw this.discard();
  }

  /** The Refusal that drops the message, with what there is to report. */
  discard(): Refusal {
    return new Refusal({ type: 'discard', report: this.#report });
  }

  /** The Refusal for a message type that is not known (RFC 5354 section 4). */
  unrecognizedMessage(type: number, end: number): Refusal {
    // 10 and 11 are reserved without a meaning: silence is the one answer that cannot be wrong.
    if (type >> 6 === 0b01) this.#addCause(causeCode.unrecognizedMessage, 0, end);
    return this.discard();
  }

  /**
   * The Refusal for bytes that break the protocol. With the offending TLV (from `tlvStart` to `tlvEnd`) its cause is
   * Invalid Values (RFC 5354 section 3.12.4); where there is none, Unspecified Error.
   */
  invalid(offset: number, section: string, reason: string, tlvStart = 0, tlvEnd = 0): Refusal {
    const cause =
      tlvEnd > tlvStart
        ? { code: causeCode.invalidValues, information: this.#echo(tlvStart, tlvEnd, this.limits.maxReportedBytes) }
        : { code: causeCode.unspecified, information: nothing };
    return new Refusal({ type: 'protocolError', fault: { offset, section, reason, cause } });
  }

  /** The Refusal for a well-formed message that asks for more than a limit allows. */
  overLimit(offset: number, reason: string): Refusal {
    const cause = { code: causeCode.lackOfResources, information: nothing };
    return new Refusal({
      type: 'protocolError',
      fault: { offset, section: 'RFC 5354 section 3.12.7', reason: `limit: ${reason}`, cause },
    });
  }

  #addCause(code: number, start: number, end: number): void {
    if (this.#report.length >= this.limits.maxReportedCauses) return;
    const information = this.#echo(start, end, this.limits.maxReportedBytes - this.#reportedBytes);
    this.#reportedBytes += information.length;
    this.#report.push({ code, information });
  }

  #echo(start: number, end: number, most: number): Uint8Array {
    return this.bytes.slice(start, Math.min(end, start + most));
  }
}
