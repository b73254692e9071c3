/**
 * Pool Member Selection Policy (RFC 5354 section 3.8, RFC 5356 sections 4 and 5):
 *
 *    +-------------------------------+-------------------------------+
 *    | Type = 0x8                    | Length                        |
 *    +-------------------------------+-------------------------------+
 *    | Policy Type                                                   |
 *    +---------------------------------------------------------------+
 *    : up to two 32-bit numbers; any bytes for types not in RFC 5356 :
 *    +---------------------------------------------------------------+
 */

import type { ParameterReader } from './parameter-reader.js';
import { parameterType } from './parameter-type.js';
import { checkRange, type ParameterWriter } from './parameter-writer.js';
import type { MemberSelectionPolicy } from './parameters.js';

/** Policy types of RFC 5356 section 7.1. Bit 0x80000000: not standardised; bit 0x40000000: adaptive. */
export const policyType = {
  roundRobin: 0x00000001,
  weightedRoundRobin: 0x00000002,
  random: 0x00000003,
  weightedRandom: 0x00000004,
  priority: 0x00000005,
  leastUsed: 0x40000001,
  leastUsedDegradation: 0x40000002,
  priorityLeastUsed: 0x40000003,
  randomizedLeastUsed: 0x40000004,
} as const;

const definedTypes: ReadonlySet<number> = new Set(Object.values(policyType));

/** The 32-bit policy type by which the wire names a policy. */
export function policyTypeOf(policy: MemberSelectionPolicy): number {
  return policy.type === 'other' ? policy.policyType : policyType[policy.type];
}

/** Reads the Pool Member Selection Policy parameter at `offset`. */
export function readPolicy(reader: ParameterReader, offset: number, length: number): MemberSelectionPolicy {
  reader.expectRoom(offset, length, 8, 'RFC 5354 section 3.8');
  const type = reader.view.getUint32(offset + 4);
  switch (type) {
    case policyType.roundRobin:
      reader.expectLength(offset, length, 8, 'RFC 5356 section 4.1.4');
      return { type: 'roundRobin' };
    case policyType.weightedRoundRobin:
      reader.expectLength(offset, length, 12, 'RFC 5356 section 4.2.4');
      return { type: 'weightedRoundRobin', weight: reader.view.getUint32(offset + 8) };
    case policyType.random:
      reader.expectLength(offset, length, 8, 'RFC 5356 section 4.3.4');
      return { type: 'random' };
    case policyType.weightedRandom:
      reader.expectLength(offset, length, 12, 'RFC 5356 section 4.4.4');
      return { type: 'weightedRandom', weight: reader.view.getUint32(offset + 8) };
    case policyType.priority:
      reader.expectLength(offset, length, 12, 'RFC 5356 section 4.5.4');
      return { type: 'priority', priority: reader.view.getUint32(offset + 8) };
    case policyType.leastUsed:
      reader.expectLength(offset, length, 12, 'RFC 5356 section 5.1.4');
      return { type: 'leastUsed', load: reader.view.getUint32(offset + 8) };
    case policyType.leastUsedDegradation:
      reader.expectLength(offset, length, 16, 'RFC 5356 section 5.2.4');
      return { type: 'leastUsedDegradation', ...readLoads(reader, offset) };
    case policyType.priorityLeastUsed:
      reader.expectLength(offset, length, 16, 'RFC 5356 section 5.3.4');
      return { type: 'priorityLeastUsed', ...readLoads(reader, offset) };
    case policyType.randomizedLeastUsed:
      reader.expectLength(offset, length, 12, 'RFC 5356 section 5.4.4');
      return { type: 'randomizedLeastUsed', load: reader.view.getUint32(offset + 8) };
    default:
      return { type: 'other', policyType: type, data: reader.copyValue(offset, length, 8) };
  }
}

function readLoads(reader: ParameterReader, offset: number): { load: number; loadDegradation: number } {
  return { load: reader.view.getUint32(offset + 8), loadDegradation: reader.view.getUint32(offset + 12) };
}

/** Writes a Pool Member Selection Policy parameter; a RangeError for numbers that are not unsigned 32 bits. */
export function writePolicy(writer: ParameterWriter, policy: MemberSelectionPolicy): void {
  const mark = writer.open(parameterType.policy);
  writer.u32('policy type', policyTypeOf(policy));
  switch (policy.type) {
    case 'roundRobin':
    case 'random':
      break;
    case 'weightedRoundRobin':
    case 'weightedRandom':
      writer.u32('weight', policy.weight);
      break;
    case 'priority':
      writer.u32('priority', policy.priority);
      break;
    case 'leastUsed':
    case 'randomizedLeastUsed':
      writer.u32('load', policy.load);
      break;
    case 'leastUsedDegradation':
    case 'priorityLeastUsed':
      writer.u32('load', policy.load);
      writer.u32('loadDegradation', policy.loadDegradation);
      break;
    case 'other':
      checkOther(policy.policyType);
      writer.raw(policy.data);
      break;
  }
  writer.close(mark);
}

/** A policy of RFC 5356 in the guise of 'other' would read back as another value, or not at all. */
function checkOther(type: number): void {
  checkRange('policyType', type, 0, 0xffffffff);
  if (definedTypes.has(type)) throw new RangeError(`policy type 0x${type.toString(16)} is defined by RFC 5356`);
}
