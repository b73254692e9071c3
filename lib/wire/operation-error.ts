/**
 * Operation Error (RFC 5354 section 3.12): one or more Error Causes.
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0xc                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    | Cause Code                    | Cause Length                  |
 *    +-------------------------------+-------------------------------+
 *    : Cause-Specific Information                  | padding         :
 *    +---------------------------------------------+-----------------+
 *    : further causes                                                :
 *    +---------------------------------------------------------------+
 *
 * The information is kept as bytes and never taken for a TLV: the reference implementation leaves it out where the
 * RFC asks for it, and adds codes of its own.
 */

import { type ParameterReader, padded } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import { compose, type ParameterWriter } from './parameter-writer.js';
import { causeCode, type ErrorCause, type MemberSelectionPolicy, type Transport } from './parameters.js';
import { writePolicy } from './policy-parameter.js';
import { writeTransport } from './transport-parameter.js';

const section = 'RFC 5354 section 3.12';
const nothing = new Uint8Array(0);

/** Reads the Operation Error parameter at `offset`: one cause at least. */
export function readOperationError(reader: ParameterReader, offset: number, length: number): ErrorCause[] {
  const end = offset + length;
  const causes: ErrorCause[] = [];
  let at = offset + 4;
  while (at < end) {
    if (end - at < 4) throw reader.invalid(at, section, 'an Error Cause is cut off', offset, end);
    const causeLength = reader.view.getUint16(at + 2);
    if (causeLength < 4 || causeLength > end - at) {
      throw reader.invalid(at, section, `Cause Length ${causeLength} is not possible`, offset, end);
    }
    reader.countParameter(at);
    causes.push({ code: reader.view.getUint16(at), information: reader.copyValue(at, causeLength) });
    at = Math.min(at + padded(causeLength), end);
  }
  // Its mere presence says "rejected" in some messages, so an empty one must not pass for an absent one.
  if (causes.length === 0) throw reader.invalid(offset, section, 'no Error Cause', offset, end);
  return causes;
}

/** Writes an Operation Error parameter; a RangeError if there is no cause or a code is not unsigned 16 bits. */
export function writeOperationError(writer: ParameterWriter, causes: readonly ErrorCause[]): void {
  if (causes.length === 0) throw new RangeError('an Operation Error needs a cause');
  const mark = writer.open(parameterType.operationError);
  for (const cause of causes) {
    writer.align();
    const start = writer.length;
    writer.u16('cause code', cause.code);
    writer.u16('cause length', 0);
    writer.raw(cause.information);
    writer.close(start);
  }
  writer.close(mark);
}

const causeNames: ReadonlyMap<number, string> = new Map([
  [causeCode.unspecified, 'Unspecified Error'],
  [causeCode.unrecognizedParameter, 'Unrecognized Parameter'],
  [causeCode.unrecognizedMessage, 'Unrecognized Message'],
  [causeCode.invalidValues, 'Invalid Values'],
  [causeCode.nonUniquePeIdentifier, 'Non-Unique PE Identifier'],
  [causeCode.inconsistentPoolPolicy, 'Inconsistent Pool Policy'],
  [causeCode.lackOfResources, 'Lack of Resources'],
  [causeCode.inconsistentTransportType, 'Inconsistent Transport Type'],
  [causeCode.inconsistentDataControlConfiguration, 'Inconsistent Data/Control Configuration'],
  [causeCode.unknownPoolHandle, 'Unknown Pool Handle'],
  [causeCode.rejectedDueToSecurity, 'Rejected Due to Security Considerations'],
]);

/** The name that RFC 5354 gives to a cause code, or its number. For messages to people. */
export function causeName(code: number): string {
  return causeNames.get(code) ?? `cause 0x${code.toString(16).padStart(4, '0')}`;
}

/** An Error Cause without cause-specific information. */
export function errorCause(code: number): ErrorCause {
  return { code, information: nothing };
}

/** Inconsistent Pool Policy (RFC 5354 section 3.12.6): tells the pool's overall policy. */
export function inconsistentPoolPolicy(poolPolicy: MemberSelectionPolicy): ErrorCause {
  const information = compose((writer) => writePolicy(writer, poolPolicy));
  return { code: causeCode.inconsistentPoolPolicy, information };
}

/** Inconsistent Transport Type (RFC 5354 section 3.12.8): tells a transport of the pool's type. */
export function inconsistentTransportType(poolTransport: Transport): ErrorCause {
  const information = compose((writer) => writeTransport(writer, poolTransport, 'any'));
  return { code: causeCode.inconsistentTransportType, information };
}
