import test from 'ava';
import { defaultWireLimits, wireLimits } from '../../lib/wire/limits.js';
import { hex } from '../vectors/hex.js';
import { decode } from '../vectors/vector.js';

const ab = '00090006 41420000';
const ipv4 = '00010008 c0000201';
const element = '000a0018 12345678 00000000 00000258 00100008 00000000';
/** A registration whose element holds an empty opaque transport and these parameters. */
function registration(parts: string): string {
  const size = hex(parts).length;
  const u16 = (value: number): string => value.toString(16).padStart(4, '0');
  return `0100${u16(32 + size)} ${ab} 000a${u16(20 + size)} 12345678 00000000 00000258 00100004 ${parts}`;
}

const lackOfResources = { code: 6, information: hex('') };

for (const [limit, value, allowed, excessive] of [
  ['maxPoolHandleLength', 2, `0500000a ${ab}`, '0500000b 00090007 41424300'],
  ['maxParameters', 2, '05000014 00090006 41420000 803f0008 00000001', `05000018 ${ab} 803f0008 00000001 80000004`],
  ['maxPoolElements', 1, `0d000024 ${ab} ${element}`, `0d00003c ${ab} ${element} ${element}`],
  [
    'maxAddresses',
    1,
    `0a000018 10000001 00040010 00070000 ${ipv4}`,
    `0a000020 10000001 00040018 00070000 ${ipv4} ${ipv4}`,
  ],
  ['maxExtensions', 1, registration('80000004'), registration('80000004 c0000004')],
  [
    'maxMappings',
    1,
    registration('8253000c 02010008 00100004'),
    registration('82530014 02010008 00100004 00000008 00100004'),
  ],
  ['maxMappings', 1, registration('8253000c 02010008 00100004'), registration('82530010 0201000c 00100004 00100004')],
  ['maxParameters', 2, '0e00000c 000c0008 00010004', '0e000010 000c000c 00010004 00020004'],
] as const) {
  test(`${limit} ${value}, not ${excessive}: what is at the limit passes, one more is Lack of Resources`, (t) => {
    const limits = wireLimits({ [limit]: value });
    t.is(decode('asap', hex(allowed), limits).type, 'message');
    t.is(decode('asap', hex(excessive)).type, 'message');
    const decoded = decode('asap', hex(excessive), limits);
    if (decoded.type !== 'protocolError') return t.fail(decoded.type);
    t.regex(decoded.fault.reason, /^limit: /);
    return t.deepEqual(decoded.fault.cause, lackOfResources);
  });
}

test('nested parameters count too', (t) => {
  const announce = hex(`0a000018 10000001 00040010 00070000 ${ipv4}`);
  t.is(decode('asap', announce, wireLimits({ maxParameters: 2 })).type, 'message');
  t.is(decode('asap', announce, wireLimits({ maxParameters: 1 })).type, 'protocolError');
});

test('no report at all is a limit, too', (t) => {
  const limits = wireLimits({ maxReportedCauses: 0 });
  t.deepEqual(decode('asap', hex('7f000004'), limits), { type: 'discard', report: [] });
});

test('limits that are not given are the defaults', (t) => {
  t.deepEqual(wireLimits(), defaultWireLimits);
  t.deepEqual(wireLimits({ maxAddresses: 3 }), { ...defaultWireLimits, maxAddresses: 3 });
});

for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`a limit of ${value} is the caller's mistake`, (t) => {
    t.throws(() => wireLimits({ maxParameters: value }), { instanceOf: RangeError, message: /^maxParameters must be/ });
  });
}
