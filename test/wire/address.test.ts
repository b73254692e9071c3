import { isIPv6 } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../lib/wire/address.js';
import { hex, toHex } from '../vectors/hex.js';

/** RFC 5952 sections 4 and 5, and its examples. */
const canonical: readonly (readonly [bytes: string, text: string])[] = [
  ['00000000 00000000 00000000 00000000', '::'],
  ['00000000 00000000 00000000 00000001', '::1'],
  ['20010db8 00000000 00000000 00000001', '2001:db8::1'],
  ['20010db8 00000000 00010000 00000001', '2001:db8::1:0:0:1'],
  ['20010db8 00000001 00010001 00010001', '2001:db8:0:1:1:1:1:1'],
  ['20010000 00000001 00000000 00000001', '2001:0:0:1::1'],
  ['20010db8 aaaabbbb ccccdddd eeee0aaa', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaa'],
  ['fe800000 00000000 00000000 00000000', 'fe80::'],
  ['00000000 00000000 0000ffff c0000201', '::ffff:192.0.2.1'],
  ['00000000 00000000 00000000 c0000201', '::c000:201'],
  ['0064ff9b 00000000 00000000 c0000201', '64:ff9b::c000:201'],
];

for (const [bytes, text] of canonical) {
  test(`${text} is the canonical text of its bytes`, (t) => {
    t.is(formatIpv6(hex(bytes), 0), text);
    t.is(toHex(parseIpv6(text) ?? hex('')), toHex(hex(bytes)));
  });
}

for (const text of ['2001:DB8:0:0:0:0:0:1', '2001:db8::0:1', '2001:0db8:0000:0000:0000:0000:0.0.0.1']) {
  test(`${text} means 2001:db8::1`, (t) => {
    t.is(formatIpv6(parseIpv6(text) ?? hex(''), 0), '2001:db8::1');
  });
}

for (const text of [
  '',
  ':',
  ':::',
  '1',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '::1:2:3:4:5:6:7:8',
  ':1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:',
  '12345::',
  'g::',
  'fe80::1%eth0',
  '::1.2.3',
  '::1.2.3.256',
  '1.2.3.4::',
  '::1.2.3.4:5',
  '1:2:3:4:5:6:7:1.2.3.4',
]) {
  test(`'${text}' is no IPv6 address`, (t) => {
    t.is(parseIpv6(text), undefined);
    t.false(isIPv6(text.replace(/%.*/, '%')));
  });
}

for (const text of [
  '',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.',
  '.1.2.3',
  '1..2.3',
  '256.0.0.0',
  '01.2.3.4',
  '1.2.3.-4',
  ' 1.2.3.4',
  '1.2.3.4 ',
  '0x1.2.3.4',
  '1.2.3.00',
]) {
  test(`'${text}' is no IPv4 address`, (t) => {
    t.is(parseIpv4(text), undefined);
  });
}

test('IPv4 text and bits mean each other', (t) => {
  t.is(parseIpv4('0.0.0.0'), 0);
  t.is(parseIpv4('192.0.2.1'), 0xc0000201);
  t.is(parseIpv4('255.255.255.255'), 0xffffffff);
  t.is(formatIpv4(hex('ffff c0000201'), 2), '192.0.2.1');
});

test('any IPv6 bytes become text that Node knows and that means the same bytes', (t) => {
  // Groups of zero are made likely: they are what the text abbreviates.
  const groups = fc.array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(groups, (words) => {
      const bytes = Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
      const text = formatIpv6(bytes, 0);
      t.true(isIPv6(text));
      t.deepEqual(parseIpv6(text), bytes);
      t.is(text, text.toLowerCase());
    }),
  );
});

test('any IPv4 bits survive as text', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
      t.is(parseIpv4(formatIpv4(bytes, 0)), new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
    }),
  );
});
