import test from 'ava';
import { defaultWireLimits } from '../../lib/wire/limits.js';
import { causeCode } from '../../lib/wire/parameters.js';
import { hex, toHex } from '../vectors/hex.js';
import { decode, encode } from '../vectors/vector.js';

const ab = '00090006 41420000';
const ipv4 = '00010008 c0000201';
const tcp = `00050010 00070000 ${ipv4}`;
const resolution = { type: 'handleResolution', subscribe: false, poolHandle: 'AB' } as const;

test('unknown message types are dropped: 01 with the message reported, 00, 10 and 11 in silence', (t) => {
  for (const protocol of ['asap', 'enrp'] as const) {
    for (const type of ['00', '3f', 'bf', 'ff']) {
      t.deepEqual(decode(protocol, hex(`${type}000008 01020304`)), { type: 'discard', report: [] });
    }
    t.deepEqual(decode(protocol, hex('7f000007 01020300')), {
      type: 'discard',
      report: [{ code: causeCode.unrecognizedMessage, information: hex('7f000007 010203') }],
    });
  }
});

for (const [place, bytes] of [
  ['a message', (tlv: string) => `0500001c ${ab} ${tlv} 803f0008 00000001`],
  ['a pool element', (tlv: string) => `01000038 ${ab} 000a0028 12345678 00000000 00000258 ${tcp} ${tlv}`],
  ['a transport', (tlv: string) => `0a000020 10000001 00040018 00070000 ${tlv} ${ipv4}`],
] as const) {
  const tlv = (type: string): string => `${type}0007 010203ff`;
  const size = (text: string): Uint8Array => {
    const all = hex(text);
    new DataView(all.buffer).setUint16(2, all.length);
    return all;
  };

  test(`in ${place}, an unknown parameter with bits 00 drops the message in silence`, (t) => {
    t.deepEqual(decode('asap', size(bytes(tlv('0011')))), { type: 'discard', report: [] });
    t.deepEqual(decode('asap', size(bytes(tlv('0000')))), { type: 'discard', report: [] });
  });

  test(`in ${place}, an unknown parameter with bits 01 drops the message with a report`, (t) => {
    t.deepEqual(decode('asap', size(bytes(tlv('4011')))), {
      type: 'discard',
      report: [{ code: causeCode.unrecognizedParameter, information: hex('4011 0007 010203') }],
    });
  });

  test(`in ${place}, an unknown parameter with bits 10 is skipped in silence`, (t) => {
    const decoded = decode('asap', size(bytes(tlv('8011'))));
    if (decoded.type !== 'message') return t.fail(decoded.type);
    t.deepEqual(decoded.report, []);
  });

  test(`in ${place}, an unknown parameter with bits 11 is skipped with a report`, (t) => {
    const decoded = decode('asap', size(bytes(tlv('c011'))));
    if (decoded.type !== 'message') return t.fail(decoded.type);
    t.deepEqual(decoded.report, [{ code: causeCode.unrecognizedParameter, information: hex('c011 0007 010203') }]);
  });
}

test('the Mapping parameter and the option 0x803f are strangers where they do not belong, and skipped', (t) => {
  t.deepEqual(decode('asap', hex(`05000010 ${ab} 82530004`)), { type: 'message', message: resolution, report: [] });
  t.deepEqual(decode('asap', hex(`02000018 ${ab} 803f0004 000e0008 00000001`)), {
    type: 'message',
    message: { type: 'deregistration', poolHandle: 'AB', peIdentifier: 1 },
    report: [],
  });
});

test('unknown parameters of a pool element are kept with zeros for padding and written before the policy', (t) => {
  // One before the user transport, one after the policy, one at the end whose padding nothing counts.
  const sent = `01000046 ${ab} 000a003a 12345678 00000000 00000258
    80010005 01ffffff ${tcp} 00080008 00000001 c0020004 80030006 02030000`;
  const decoded = decode('asap', hex(sent));
  if (decoded.type !== 'message' || decoded.message.type !== 'registration') return t.fail(decoded.type);
  t.deepEqual(decoded.message.poolElement.extensions, [
    hex('80010005 01000000'),
    hex('c0020004'),
    hex('80030006 02030000'),
  ]);
  t.is(
    toHex(encode('asap', decoded.message)),
    toHex(
      hex(`01000048 ${ab} 000a003c 12345678 00000000 00000258
        ${tcp} 80010005 01000000 c0020004 80030006 02030000 00080008 00000001`),
    ),
  );
});

test('reports hold no more causes than the limit, and the message is read all the same', (t) => {
  const strangers = 'c0110004 '.repeat(20);
  const decoded = decode('asap', hex(`0500005c ${ab} ${strangers}`));
  if (decoded.type !== 'message') return t.fail(decoded.type);
  t.is(decoded.report.length, defaultWireLimits.maxReportedCauses);
  t.deepEqual(decoded.message, resolution);
});

test('reports echo no more bytes than the limit: what is too long is cut', (t) => {
  const limits = { ...defaultWireLimits, maxReportedBytes: 10 };
  const strangers = 'c0110008 01020304 c0120008 05060708 c0130004';
  const decoded = decode('asap', hex(`05000020 ${ab} ${strangers}`), limits);
  if (decoded.type !== 'message') return t.fail(decoded.type);
  t.deepEqual(
    decoded.report.map((cause) => toHex(cause.information)),
    ['c011000801020304', 'c012', ''],
  );
  const unknown = decode('asap', hex('7f000010 01020304 05060708 090a0b0c'), limits);
  t.deepEqual(unknown, { type: 'discard', report: [{ code: 2, information: hex('7f000010 01020304 0506') }] });
  const fault = decode('asap', hex('0e000010 000c000c 00010003 00000000'), limits);
  if (fault.type !== 'protocolError') return t.fail(fault.type);
  t.is(toHex(fault.fault.cause.information), '000c000c000100030000');
});
