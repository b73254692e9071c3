/**
 * The parameters of one message, read by its grammar: which of them it may hold, must hold, may repeat. Their order
 * is free, since no two of them could be taken for one another.
 */

import { readCookie } from './cookie.js';
import { readElementsWanted } from './elements-wanted.js';
import { readOperationError } from './operation-error.js';
import type { ParameterReader } from './parameter-reader.js';
import { parameterName, parameterType } from './parameter-type.js';
import type {
  ErrorCause,
  MemberSelectionPolicy,
  PoolElement,
  PoolHandle,
  ServerInformation,
  Transport,
} from './parameters.js';
import { readPeChecksum } from './pe-checksum.js';
import { readPeIdentifier } from './pe-identifier.js';
import { readPolicy } from './policy-parameter.js';
import { readPoolElement } from './pool-element.js';
import { readPoolHandle } from './pool-handle.js';
import { readSelectionHint } from './selection-hint.js';
import { readServerInformation } from './server-information.js';
import { readTransport } from './transport-parameter.js';

/** One bit a parameter type that may stand directly in a message. */
function bit(type: number): number {
  if (type <= parameterType.opaqueTransport) return 1 << type;
  if (type === parameterType.elementsWanted) return 1 << 17;
  return type === parameterType.selectionHint ? 1 << 18 : 0;
}

const transports = bit(parameterType.sctpTransport) | bit(parameterType.tcpTransport);

/** Parameters by their place in a message; sets of bits. */
export interface Grammar {
  /** The section of the RFC that defines the message. */
  readonly section: string;
  readonly required: number;
  readonly optional: number;
  readonly repeated: number;
}

type Place = keyof typeof parameterType | 'transports';

function bits(places: readonly Place[]): number {
  return places.reduce((set, place) => set | (place === 'transports' ? transports : bit(parameterType[place])), 0);
}

/** Makes a grammar; what is in `repeated` is optional too unless it is in `required`. */
export function grammar(
  section: string,
  required: readonly Place[],
  optional: readonly Place[] = [],
  repeated: readonly Place[] = [],
): Grammar {
  return { section, required: bits(required), optional: bits(optional), repeated: bits(repeated) };
}

const none: readonly never[] = Object.freeze([]);
const emptyCookie = new Uint8Array(0);

/** What a message held. A required parameter has been read; the value here of an absent one means nothing. */
export interface ParameterSet {
  poolHandle: PoolHandle;
  peIdentifier: number;
  hasPeIdentifier: boolean;
  poolElements: readonly PoolElement[];
  policy: MemberSelectionPolicy | undefined;
  transports: readonly Transport[];
  servers: readonly ServerInformation[];
  errors: readonly ErrorCause[];
  cookie: Uint8Array;
  peChecksum: number | undefined;
  elementsWanted: number | undefined;
  selectionHint: Uint8Array | undefined;
}

/** Reads the parameters from `start` to `end` by `grammar`. */
export function readParameters(reader: ParameterReader, start: number, end: number, grammar: Grammar): ParameterSet {
  const set: ParameterSet = {
    poolHandle: '',
    peIdentifier: 0,
    hasPeIdentifier: false,
    poolElements: none,
    policy: undefined,
    transports: none,
    servers: none,
    errors: none,
    cookie: emptyCookie,
    peChecksum: undefined,
    elementsWanted: undefined,
    selectionHint: undefined,
  };
  const allowed = grammar.required | grammar.optional | grammar.repeated;
  let seen = 0;
  let offset = start;
  while (offset < end) {
    const length = reader.parameterLength(offset, end);
    const type = reader.view.getUint16(offset);
    const one = bit(type);
    if ((one & allowed) === 0) {
      reader.unrecognized(offset, length);
    } else {
      if ((one & seen & ~grammar.repeated) !== 0) {
        const reason = `a second ${parameterName(type)}`;
        throw reader.invalid(offset, grammar.section, reason, offset, offset + length);
      }
      seen |= one;
      readInto(set, reader, offset, length, type, grammar.section);
    }
    offset = reader.next(offset, length, end);
  }
  const missing = grammar.required & ~seen;
  if (missing !== 0) {
    const type = 31 - Math.clz32(missing & -missing);
    throw reader.invalid(end, grammar.section, `no ${parameterName(type)}`);
  }
  return set;
}

function readInto(
  set: ParameterSet,
  reader: ParameterReader,
  offset: number,
  length: number,
  type: number,
  section: string,
): void {
  switch (type) {
    case parameterType.poolHandle:
      set.poolHandle = readPoolHandle(reader, offset, length);
      break;
    case parameterType.poolElement:
      set.poolElements = appended(set.poolElements, readPoolElement(reader, offset, length));
      break;
    case parameterType.peIdentifier:
      set.peIdentifier = readPeIdentifier(reader, offset, length);
      set.hasPeIdentifier = true;
      break;
    case parameterType.policy:
      set.policy = readPolicy(reader, offset, length);
      break;
    case parameterType.operationError:
      set.errors = readOperationError(reader, offset, length);
      break;
    case parameterType.serverInformation:
      set.servers = appended(set.servers, readServerInformation(reader, offset, length));
      break;
    case parameterType.cookie:
      set.cookie = readCookie(reader, offset, length);
      break;
    case parameterType.peChecksum:
      set.peChecksum = readPeChecksum(reader, offset, length);
      break;
    case parameterType.elementsWanted:
      set.elementsWanted = readElementsWanted(reader, offset, length);
      break;
    case parameterType.selectionHint:
      set.selectionHint = readSelectionHint(reader, offset, length);
      break;
    default: {
      const transport = readTransport(reader, offset, length, 'sctpOrTcp', section);
      if (transport !== undefined) set.transports = appended(set.transports, transport);
    }
  }
}

/** The list with one more: in place once it is ours, since most messages hold none. */
function appended<Item>(list: readonly Item[], item: Item): readonly Item[] {
  if (list === none) return [item];
  (list as Item[]).push(item);
  return list;
}
