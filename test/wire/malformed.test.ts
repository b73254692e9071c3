import test from 'ava';
import { causeCode } from '../../lib/wire/parameters.js';
import { hex, toHex } from '../vectors/hex.js';
import type { MalformedCase } from '../vectors/malformed.js';
import { decode } from '../vectors/vector.js';

const ab = '00090006 41420000';
const ipv4 = '00010008 c0000201';
const tcp = `00050010 00070000 ${ipv4}`;
const header = '12345678 00000000 00000258';
const ids = '10000001 10000002';

const frame: readonly MalformedCase[] = [
  { name: 'no bytes', protocol: 'asap', bytes: '', offset: 0, section: 'RFC 5354 section 4', reason: /too few/ },
  {
    name: 'three bytes',
    protocol: 'enrp',
    bytes: '010000',
    offset: 0,
    section: 'RFC 5354 section 4',
    reason: /too few/,
  },
  {
    name: 'Message Length 3',
    protocol: 'asap',
    bytes: '05000003',
    offset: 2,
    section: 'RFC 5354 section 4',
    reason: /Message Length 3 is below 4/,
  },
  {
    name: 'Message Length beyond the bytes',
    protocol: 'asap',
    bytes: `05000010 ${ab}`,
    offset: 2,
    section: 'RFC 5354 section 4',
    reason: /Message Length 16 exceeds the 12 bytes/,
  },
  {
    name: 'bytes after the message and its padding',
    protocol: 'asap',
    bytes: `0500000a ${ab} 00`,
    offset: 12,
    section: 'RFC 5354 section 4',
    reason: /1 bytes after the message/,
  },
  {
    name: 'an unknown message type that is cut off',
    protocol: 'asap',
    bytes: '7f000008',
    offset: 2,
    section: 'RFC 5354 section 4',
    reason: /exceeds/,
  },
];

const parameters: readonly MalformedCase[] = [
  {
    name: 'a parameter header of three bytes',
    protocol: 'asap',
    bytes: `0500000f ${ab} 00090000`,
    offset: 12,
    section: 'RFC 5354 section 3',
    reason: /header is cut off/,
  },
  {
    name: 'Parameter Length 3',
    protocol: 'asap',
    bytes: '05000008 00090003',
    offset: 4,
    section: 'RFC 5354 section 3',
    reason: /Parameter Length 3 is below 4/,
    tlv: '00090003',
  },
  {
    name: 'Parameter Length beyond the message',
    protocol: 'asap',
    bytes: '0500000c 00090009 41424344',
    offset: 4,
    section: 'RFC 5354 section 3',
    reason: /Parameter Length 9 exceeds the 8 bytes left/,
    tlv: '00090009 41424344',
  },
  {
    name: 'a second Pool Handle',
    protocol: 'asap',
    bytes: `05000014 ${ab} ${ab}`,
    offset: 12,
    section: 'RFC 5352 section 2.2.5',
    reason: /a second Pool Handle/,
    tlv: '00090006 4142',
  },
  {
    name: 'a parameter of RFC 5354 out of place',
    protocol: 'asap',
    bytes: `05000014 ${ab} 000d0008 00000000`,
    offset: 12,
    section: 'RFC 5354 section 3',
    reason: /Cookie has no place here/,
    tlv: '000d0008 00000000',
  },
  {
    name: 'PE Identifier of 12 bytes',
    protocol: 'asap',
    bytes: `02000018 ${ab} 000e000c 00000001 00000002`,
    offset: 12,
    section: 'RFC 5354 section 3.14',
    reason: /12 bytes instead of 8/,
    tlv: '000e000c 00000001 00000002',
  },
  {
    name: 'Elements Wanted of 4 bytes',
    protocol: 'asap',
    bytes: `05000010 ${ab} 803f0004`,
    offset: 12,
    section: 'Handle Resolution option 0x803f',
    reason: /4 bytes instead of 8/,
    tlv: '803f0004',
  },
  {
    name: 'PE Checksum of 8 bytes',
    protocol: 'enrp',
    bytes: `01000014 ${ids} 000f0008 ffff0000`,
    offset: 12,
    section: 'RFC 5354 section 3.15',
    reason: /8 bytes instead of 6/,
    tlv: '000f0008 ffff0000',
  },
  {
    name: 'Operation Error without a cause',
    protocol: 'asap',
    bytes: '0e000008 000c0004',
    offset: 4,
    section: 'RFC 5354 section 3.12',
    reason: /no Error Cause/,
    tlv: '000c0004',
  },
  {
    name: 'Cause Length 3',
    protocol: 'asap',
    bytes: '0e00000c 000c0008 00010003',
    offset: 8,
    section: 'RFC 5354 section 3.12',
    reason: /Cause Length 3/,
    tlv: '000c0008 00010003',
  },
  {
    name: 'Cause Length beyond the Operation Error',
    protocol: 'asap',
    bytes: '0e00000c 000c0008 00010005',
    offset: 8,
    section: 'RFC 5354 section 3.12',
    reason: /Cause Length 5/,
    tlv: '000c0008 00010005',
  },
  {
    name: 'an Error Cause of two bytes',
    protocol: 'asap',
    bytes: '0e00000a 000c0006 00010000',
    offset: 8,
    section: 'RFC 5354 section 3.12',
    reason: /Error Cause is cut off/,
    tlv: '000c0006 0001',
  },
];

const missing: readonly MalformedCase[] = (
  [
    [
      'REGISTRATION without a Pool Handle',
      'asap',
      `01000024 000a0020 ${header} ${tcp}`,
      36,
      '5352 section 2.2.1',
      /no Pool Handle/,
    ],
    ['REGISTRATION without a Pool Element', 'asap', `0100000c ${ab}`, 12, '5352 section 2.2.1', /no Pool Element/],
    ['DEREGISTRATION without a PE Identifier', 'asap', `0200000c ${ab}`, 12, '5352 section 2.2.2', /no PE Identifier/],
    ['REGISTRATION_RESPONSE without a PE Identifier', 'asap', `0300000c ${ab}`, 12, '5352 section 2.2.3', /no PE Id/],
    ['DEREGISTRATION_RESPONSE without parameters', 'asap', '04000004', 4, '5352 section 2.2.4', /no Pool Handle/],
    ['HANDLE_RESOLUTION without parameters', 'asap', '05000004', 4, '5352 section 2.2.5', /no Pool Handle/],
    ['HANDLE_RESOLUTION_RESPONSE without parameters', 'asap', '06000004', 4, '5352 section 2.2.6', /no Pool Handle/],
    ['ENDPOINT_KEEP_ALIVE without a Server Identifier', 'asap', '07000004', 4, '5352 section 2.2.7', /no Server Id/],
    [
      'ENDPOINT_KEEP_ALIVE without a Pool Handle',
      'asap',
      '07000008 00000001',
      8,
      '5352 section 2.2.7',
      /no Pool Handle/,
    ],
    ['ENDPOINT_KEEP_ALIVE_ACK without parameters', 'asap', '08000004', 4, '5352 section 2.2.8', /no Pool Handle/],
    ['ENDPOINT_UNREACHABLE without parameters', 'asap', '09000004', 4, '5352 section 2.2.9', /no Pool Handle/],
    ['SERVER_ANNOUNCE without a Server Identifier', 'asap', '0a000004', 4, '5352 section 2.2.10', /no Server Id/],
    ['COOKIE without a cookie', 'asap', '0b000004', 4, '5352 section 2.2.11', /no Cookie/],
    ['COOKIE_ECHO without a cookie', 'asap', '0c000004', 4, '5352 section 2.2.12', /no Cookie/],
    ['BUSINESS_CARD without a Pool Element', 'asap', `0d00000c ${ab}`, 12, '5352 section 2.2.13', /no Pool Element/],
    ['ASAP ERROR without an Operation Error', 'asap', '0e000004', 4, '5352 section 2.2.14', /no Operation Error/],
    ['PRESENCE without identifiers', 'enrp', '01000008 00000001', 4, '5353 section 2', /identifiers are missing/],
    [
      'HANDLE_TABLE_RESPONSE with an empty entry at its end',
      'enrp',
      `03000014 ${ids} ${ab}`,
      20,
      '5353 section 2.3',
      /without a Pool El/,
    ],
    [
      'HANDLE_TABLE_RESPONSE with an empty entry',
      'enrp',
      `0300001c ${ids} ${ab} ${ab}`,
      20,
      '5353 section 2.3',
      /without a Pool El/,
    ],
    ['HANDLE_UPDATE without an Update Action', 'enrp', `0400000c ${ids}`, 12, '5353 section 2.4', /no Update Action/],
    [
      'HANDLE_UPDATE with Update Action 2',
      'enrp',
      `04000010 ${ids} 00020000`,
      12,
      '5353 section 2.4',
      /Update Action 2/,
    ],
    [
      'HANDLE_UPDATE without a Pool Element',
      'enrp',
      `04000018 ${ids} 00000000 ${ab}`,
      24,
      '5353 section 2.4',
      /no Pool Element/,
    ],
    ['INIT_TAKEOVER without a target', 'enrp', `0700000c ${ids}`, 12, '5353 section 2.7', /no Targeting/],
    ['INIT_TAKEOVER_ACK without a target', 'enrp', `0800000c ${ids}`, 12, '5353 section 2.8', /no Targeting/],
    ['TAKEOVER_SERVER without a target', 'enrp', `0900000c ${ids}`, 12, '5353 section 2.9', /no Targeting/],
    ['ENRP ERROR without an Operation Error', 'enrp', `0a00000c ${ids}`, 12, '5353 section 2.10', /no Operation Error/],
  ] as const
).map(([name, protocol, bytes, offset, section, reason]) => ({
  name,
  protocol,
  bytes,
  offset,
  section: `RFC ${section}`,
  reason,
}));

const misplaced: readonly MalformedCase[] = [
  {
    name: 'HANDLE_TABLE_RESPONSE that begins with a Pool Element',
    protocol: 'enrp',
    bytes: `0300002c ${ids} 000a0020 ${header} ${tcp}`,
    offset: 12,
    section: 'RFC 5353 section 2.3',
    reason: /before any Pool Handle/,
    tlv: `000a0020 ${header} ${tcp}`,
  },
  {
    name: 'SERVER_ANNOUNCE with UDP',
    protocol: 'asap',
    bytes: `0a000018 10000001 00060010 00070000 ${ipv4}`,
    offset: 8,
    section: 'RFC 5354 section 3',
    reason: /UDP Transport has no place here/,
    tlv: `00060010 00070000 ${ipv4}`,
  },
  {
    name: 'Server Information without a transport',
    protocol: 'enrp',
    bytes: `06000014 ${ids} 000b0008 10000001`,
    offset: 12,
    section: 'RFC 5354 section 3.11',
    reason: /no Server Transport/,
    tlv: '000b0008 10000001',
  },
  {
    name: 'Server Information over UDP',
    protocol: 'enrp',
    bytes: `06000024 ${ids} 000b0018 10000001 00060010 00070000 ${ipv4}`,
    offset: 20,
    section: 'RFC 5354 section 3.11',
    reason: /UDP Transport is not allowed here/,
    tlv: `00060010 00070000 ${ipv4}`,
  },
];

const cases = [...frame, ...parameters, ...missing, ...misplaced];

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
