import test from 'ava';
import { causeCode } from '../../lib/wire/parameters.js';
import { hex, toHex } from '../vectors/hex.js';
import type { MalformedCase } from '../vectors/malformed.js';
import { decode } from '../vectors/vector.js';

const ab = '00090006 41420000';
const ipv4 = '00010008 c0000201';
const tcp = `00050010 00070000 ${ipv4}`;
const header = '12345678 00000000 00000258';

/** A registration in pool "AB" with an element that consists of these parameters. */
function registration(parts: string): string {
  const size = hex(parts).length;
  const u16 = (value: number): string => value.toString(16).padStart(4, '0');
  return `0100${u16(28 + size)} ${ab} 000a${u16(16 + size)} ${header} ${parts}`;
}

function faultInElement(
  name: string,
  parts: string,
  rest: Omit<MalformedCase, 'name' | 'protocol' | 'bytes'>,
): MalformedCase {
  return { name, protocol: 'asap', bytes: registration(parts), ...rest };
}

const elements: readonly MalformedCase[] = [
  {
    name: 'Pool Element below its fixed fields',
    protocol: 'asap',
    bytes: `01000018 ${ab} 000a000c 12345678 00000000`,
    offset: 12,
    section: 'RFC 5354 section 3.10',
    reason: /12 bytes, below 16/,
    tlv: '000a000c 12345678 00000000',
  },
  faultInElement('Pool Element without a User Transport', '00080008 00000001', {
    offset: 12,
    section: 'RFC 5354 section 3.10',
    reason: /no User Transport/,
    tlv: `000a0018 ${header} 00080008 00000001`,
  }),
  faultInElement('three transports', `${tcp} ${tcp} 00100004`, {
    offset: 60,
    section: 'RFC 5354 section 3',
    reason: /Opaque Transport has no place here/,
    tlv: '00100004',
  }),
  faultInElement('an ASAP Transport over UDP', `${tcp} 00060010 00070000 ${ipv4}`, {
    offset: 44,
    section: 'RFC 5354 section 3.10',
    reason: /UDP Transport is not allowed here/,
    tlv: `00060010 00070000 ${ipv4}`,
  }),
  faultInElement('two policies', `${tcp} 00080008 00000001 00080008 00000001`, {
    offset: 52,
    section: 'RFC 5354 section 3',
    reason: /Policy has no place here/,
    tlv: '00080008 00000001',
  }),
  faultInElement('a transport longer than its element', `00050014 00070000 ${ipv4}`, {
    offset: 28,
    section: 'RFC 5354 section 3',
    reason: /Parameter Length 20 exceeds the 16 bytes left/,
    tlv: `00050014 00070000 ${ipv4}`,
  }),
  faultInElement('SCTP without an address', '00040008 1e5b0000', {
    offset: 28,
    section: 'RFC 5354 section 3.4',
    reason: /no address/,
    tlv: '00040008 1e5b0000',
  }),
  faultInElement('SCTP with Transport Use 2', `00040010 1e5b0002 ${ipv4}`, {
    offset: 34,
    section: 'RFC 5354 section 3.4',
    reason: /Transport Use 2/,
    tlv: `00040010 1e5b0002 ${ipv4}`,
  }),
  faultInElement('SCTP of four bytes', '00040004', {
    offset: 28,
    section: 'RFC 5354 section 3.4',
    reason: /SCTP Transport of 4 bytes, below 8/,
    tlv: '00040004',
  }),
  faultInElement('TCP with two addresses', `00050018 00070000 ${ipv4} ${ipv4}`, {
    offset: 28,
    section: 'RFC 5354 section 3.5',
    reason: /more than one address/,
    tlv: `00050018 00070000 ${ipv4} ${ipv4}`,
  }),
  faultInElement('UDP without an address', '00060008 00070000', {
    offset: 28,
    section: 'RFC 5354 section 3.6',
    reason: /no address/,
    tlv: '00060008 00070000',
  }),
  faultInElement('UDP-Lite with a policy for an address', '00070010 00070000 00080008 00000001', {
    offset: 36,
    section: 'RFC 5354 section 3',
    reason: /Policy has no place here/,
    tlv: '00080008 00000001',
  }),
  faultInElement('DCCP without a service code', '00030008 00070000', {
    offset: 28,
    section: 'RFC 5354 section 3.3',
    reason: /DCCP Transport of 8 bytes, below 12/,
    tlv: '00030008 00070000',
  }),
  faultInElement('an IPv4 address of three bytes', '0005000f 00070000 00010007 c0000200', {
    offset: 36,
    section: 'RFC 5354 section 3.1',
    reason: /IPv4 Address of 7 bytes instead of 8/,
    tlv: '00010007 c00002',
  }),
  faultInElement('an IPv6 address of four bytes', '00050010 00070000 00020008 c0000201', {
    offset: 36,
    section: 'RFC 5354 section 3.2',
    reason: /IPv6 Address of 8 bytes instead of 20/,
    tlv: '00020008 c0000201',
  }),
  faultInElement('a policy without a type', `${tcp} 00080006 0000 0000`, {
    offset: 44,
    section: 'RFC 5354 section 3.8',
    reason: /6 bytes, below 8/,
    tlv: '00080006 0000',
  }),
  faultInElement('round robin with a weight', `${tcp} 0008000c 00000001 00000001`, {
    offset: 44,
    section: 'RFC 5356 section 4.1.4',
    reason: /12 bytes instead of 8/,
    tlv: '0008000c 00000001 00000001',
  }),
  faultInElement('least used without a load', `${tcp} 00080008 40000001`, {
    offset: 44,
    section: 'RFC 5356 section 5.1.4',
    reason: /8 bytes instead of 12/,
    tlv: '00080008 40000001',
  }),
];

const mappings: readonly MalformedCase[] = (
  [
    ['without an entry', '82530004', 44, /no entry/],
    ['with an entry of two bytes', '82530006 02010000', 48, /an entry is cut off/],
    ['with an entry that has no transport', '82530008 02010004', 48, /no transport/],
    ['with Entry Length 3', '82530008 02010003', 48, /Entry Length 3/],
    ['with Entry Length beyond the parameter', `82530018 02010018 ${tcp}`, 48, /Entry Length 24/],
    ['with an Entry Length that is no multiple of 4', '8253000d 02010009 00100005 aa000000', 48, /Entry Length 9/],
  ] as const
).map(([name, tlv, offset, reason]) =>
  faultInElement(`a Mapping ${name}`, `${tcp} ${tlv}`, {
    offset,
    section: 'docs/mappings.md, Mapping parameter',
    reason,
    tlv: toHex(hex(tlv).slice(0, Number.parseInt(tlv.slice(4, 8), 16))),
  }),
);

const twoMappings: MalformedCase = faultInElement(
  'two Mapping parameters',
  `${tcp} 8253000c 02010008 00100004 8253000c 02010008 00100004`,
  {
    offset: 56,
    section: 'RFC 5354 section 3.10',
    reason: /a second Mapping/,
    tlv: '8253000c 02010008 00100004',
  },
);

const cases = [...elements, ...mappings, twoMappings];

for (const { name, protocol, bytes, offset, section, reason, tlv } of cases) {
  test(`${name} is a protocol error`, (t) => {
    const decoded = decode(protocol, hex(bytes));
    if (decoded.type !== 'protocolError') return t.fail(`decoded as ${decoded.type}`);
    t.is(decoded.fault.offset, offset);
    t.is(decoded.fault.section, section);
    t.regex(decoded.fault.reason, reason);
    t.is(decoded.fault.cause.code, tlv === undefined ? causeCode.unspecified : causeCode.invalidValues);
    t.is(toHex(decoded.fault.cause.information), toHex(hex(tlv ?? '')));
  });
}
