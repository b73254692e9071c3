/**
 * Parameters of INIT and INIT ACK (RFC 9260 sections 3.3.2.1 and 3.3.3.1) and of the extensions announced there.
 * Unknown ones pass: their two high bits tell the stack what to do, whichever stack it is.
 *
 * ```
 * +-------------------------------+-------------------------------+
 * |        Parameter Type         |       Parameter Length        |
 * +-------------------------------+-------------------------------+
 * /      5: IPv4 Address, 6: IPv6 Address, 7: State Cookie,       /
 * /  8: Unrecognized Parameter, 9: Cookie Life-Span Increment ... /
 * +---------------------------------------------------------------+
 * ```
 */

import type { PacketReader } from './packet-reader.js';
import { anyParameter, checkParameters } from './parameter-list.js';

/** The State Cookie's parameter type; mandatory in INIT ACK. */
export const stateCookieType = 7;

interface ParameterRule {
  readonly type: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The value is a list of 16-bit numbers. */
  readonly pairs?: true;
  /** May stand there more than once (RFC 9260 section 3.3.2, note 1). */
  readonly repeats?: true;
  readonly section: string;
}

const most = 65_535;

const rules: readonly ParameterRule[] = [
  { type: 5, minimum: 8, maximum: 8, repeats: true, section: 'RFC 9260 section 3.3.2.1.1' },
  { type: 6, minimum: 20, maximum: 20, repeats: true, section: 'RFC 9260 section 3.3.2.1.2' },
  { type: 7, minimum: 5, maximum: most, section: 'RFC 9260 section 3.3.3.1.1' },
  { type: 8, minimum: 8, maximum: most, repeats: true, section: 'RFC 9260 section 3.3.3.1.2' },
  { type: 9, minimum: 8, maximum: 8, section: 'RFC 9260 section 3.3.2.1.3' },
  { type: 12, minimum: 6, maximum: most, pairs: true, section: 'RFC 9260 section 3.3.2.1.5' },
  { type: 0x8000, minimum: 4, maximum: 4, section: 'RFC 9260 section 3.3.2' },
  { type: 0x8002, minimum: 5, maximum: most, section: 'RFC 4895 section 3.1' },
  { type: 0x8003, minimum: 4, maximum: most, section: 'RFC 4895 section 3.2' },
  { type: 0x8004, minimum: 6, maximum: most, pairs: true, section: 'RFC 4895 section 3.3' },
  { type: 0x8008, minimum: 4, maximum: most, section: 'RFC 5061 section 4.2.7' },
  { type: 0xc000, minimum: 4, maximum: 4, section: 'RFC 3758 section 3.1' },
  { type: 0xc006, minimum: 8, maximum: 8, section: 'RFC 5061 section 4.2.6' },
];

/** Which rule a type has: its index; -1 for unknown types. A switch costs no hash of a number the sender chose. */
function ruleOf(type: number): number {
  if (type <= 12) return type <= 9 ? type - 5 : type === 12 ? 5 : -1;
  switch (type) {
    case 0x8000:
      return 6;
    case 0x8002:
      return 7;
    case 0x8003:
      return 8;
    case 0x8004:
      return 9;
    case 0x8008:
      return 10;
    case 0xc000:
      return 11;
    case 0xc006:
      return 12;
    default:
      return -1;
  }
}

const hostNameAddressType = 11;

/** Checks the parameters in [start, end) of an INIT or INIT ACK chunk. */
export function checkInitParameters(reader: PacketReader, start: number, end: number, acknowledges: boolean): boolean {
  /** One bit for each rule whose parameter has been seen. */
  let seen = 0;
  const sound = checkParameters(reader, start, end, (_, type, at, length) => {
    if (type === hostNameAddressType) return reader.fail('parameterNotAllowed', at, 'RFC 9260 section 3.3.2.1.4');
    const index = ruleOf(type);
    const rule = rules[index];
    if (rule === undefined) return true;
    if (!acknowledges && (type === stateCookieType || type === 8)) {
      return reader.fail('parameterNotAllowed', at, 'RFC 9260 section 3.3.2');
    }
    if (length < rule.minimum || length > rule.maximum || (rule.pairs === true && length % 2 !== 0)) {
      return reader.fail('parameterLengthWrong', at, rule.section);
    }
    if (rule.repeats !== true && (seen & (1 << index)) !== 0) {
      return reader.fail('parameterRepeated', at, 'RFC 9260 section 3.3.2');
    }
    seen |= 1 << index;
    // A copy of a parameter of our INIT: read once more, but never deeper.
    return type !== 8 || checkParameters(reader, at + 4, at + length, anyParameter);
  });
  if (!sound) return false;
  // State Cookie is the third rule.
  if (acknowledges && (seen & (1 << 2)) === 0) {
    return reader.fail('stateCookieMissing', start, 'RFC 9260 section 3.3.3');
  }
  return true;
}
