import test from 'ava';
import type { Decoded } from '../../lib/wire/decoded.js';
import type { AsapMessage, EnrpMessage } from '../../lib/wire/messages.js';
import { readCaptures } from '../vectors/captures.js';
import { hex, toHex } from '../vectors/hex.js';
import { decode, encode } from '../vectors/vector.js';

const captures = readCaptures();

type Outcome = Decoded<AsapMessage | EnrpMessage>;

/** What was sent wrong on purpose (capture node_asap_odd), and how each is refused. */
const odd: ReadonlyMap<string, Outcome | RegExp> = new Map<string, Outcome | RegExp>([
  // Types 3f, 7f, bf, ff: only bits 01 are reported.
  ['node_asap_odd 5', { type: 'discard', report: [] }],
  ['node_asap_odd 7', { type: 'discard', report: [{ code: 2, information: hex('7f000004') }] }],
  ['node_asap_odd 9', { type: 'discard', report: [] }],
  ['node_asap_odd 11', { type: 'discard', report: [] }],
  // Parameter 7fff: dropped with a report.
  ['node_asap_odd 13', { type: 'discard', report: [{ code: 1, information: hex('7fff0008 00000000') }] }],
  ['node_asap_odd 25', /^RFC 5354 section 4: Message Length 16 exceeds the 12 bytes there are: cause 0$/],
  ['node_asap_odd 29', /^RFC 5352 section 2.2.5: no Pool Handle: cause 0$/],
]);

/** Parameter ffff before and after the pool handle: read, with a report. It is not written back. */
const reported: ReadonlySet<string> = new Set(['node_asap_odd 17', 'node_asap_odd 21']);

for (const { name, protocol, bytes } of captures) {
  const expected = odd.get(name);
  if (expected !== undefined) {
    test(`${name}: what was sent wrong on purpose is refused as it should be`, (t) => {
      const outcome = decode(protocol, bytes);
      if (!(expected instanceof RegExp)) return t.deepEqual(outcome, expected);
      if (outcome.type !== 'protocolError') return t.fail(outcome.type);
      const { section, reason, cause } = outcome.fault;
      return t.regex(`${section}: ${reason}: cause ${cause.code}`, expected);
    });
  } else if (reported.has(name)) {
    test(`${name}: a parameter of type ffff is skipped and reported`, (t) => {
      t.deepEqual(decode(protocol, bytes), {
        type: 'message',
        message: { type: 'handleResolution', subscribe: false, poolHandle: 'EchoPool' },
        report: [{ code: 1, information: hex('ffff0008 00000000') }],
      });
    });
  } else {
    test(`${name}: a captured message decodes and encodes to the same bytes`, (t) => {
      const outcome = decode(protocol, bytes);
      if (outcome.type !== 'message') return t.fail(JSON.stringify(outcome));
      t.deepEqual(outcome.report, []);
      return t.is(toHex(encode(protocol, outcome.message)), toHex(bytes));
    });
  }
}

test('each message that is listed by name was captured', (t) => {
  const names = new Set(captures.map((captured) => captured.name));
  for (const name of [...odd.keys(), ...reported]) t.true(names.has(name), name);
});

test('the captures hold these message types', (t) => {
  const types = (protocol: string): string[] =>
    [
      ...new Set(captures.filter((one) => one.protocol === protocol).map((one) => toHex(one.bytes.subarray(0, 1)))),
    ].sort();
  t.deepEqual(types('asap'), '01 02 03 04 05 06 07 08 09 0a 0b 0c 0e 3f 7f bf ff'.split(' '));
  t.deepEqual(types('enrp'), '01 02 03 04 05 06'.split(' '));
});

test('asap_errors: Inconsistent Pool Policy without the policy that the RFC asks for is read', (t) => {
  const rejections = captures.filter((one) => one.name === 'asap_errors 15' || one.name === 'asap_errors 47');
  t.is(rejections.length, 2);
  for (const { bytes } of rejections) {
    const outcome = decode('asap', bytes);
    if (outcome.type !== 'message' || outcome.message.type !== 'registrationResponse') return t.fail(outcome.type);
    t.true(outcome.message.rejected);
    t.deepEqual(outcome.message.errors, [{ code: 5, information: hex('') }]);
  }
});

test('node_asap_odd: an error with a private cause code of the reference implementation is read', (t) => {
  const captured = captures.find((one) => one.name === 'node_asap_odd 27');
  t.deepEqual(decode('asap', captured?.bytes ?? hex('')), {
    type: 'message',
    message: { type: 'asapError', errors: [{ code: 0x10, information: hex('') }] },
    report: [],
  });
});

test('a keep-alive of the reference implementation names its element', (t) => {
  const captured = captures.find((one) => one.name === 'asap_basic 29');
  t.deepEqual(decode('asap', captured?.bytes ?? hex('')), {
    type: 'message',
    message: {
      type: 'endpointKeepAlive',
      home: false,
      serverId: 0x10000001,
      poolHandle: 'EchoPool',
      peIdentifier: 0x20000001,
    },
    report: [],
  });
});

test('the reference implementation counts the final padding in its Message Length, we do not', (t) => {
  // No capture ends with padding; this is how its bare resolution of a six-byte handle stands on the wire.
  const theirs = hex('05000010 0009000a 4563686f 506f0000');
  const outcome = decode('asap', theirs);
  if (outcome.type !== 'message') return t.fail(outcome.type);
  return t.is(toHex(encode('asap', outcome.message)), toHex(hex('0500000e 0009000a 4563686f 506f0000')));
});
