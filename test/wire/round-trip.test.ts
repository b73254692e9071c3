import test from 'ava';
import fc from 'fast-check';
import { decodeAsap, encodeAsap } from '../../lib/wire/asap.js';
import { decodeEnrp, encodeEnrp } from '../../lib/wire/enrp.js';
import { asapMessage, enrpMessage } from '../vectors/arbitrary.js';
import { hex } from '../vectors/hex.js';

const numRuns = 1000;

/** What the RFC asks of every message on the wire: a true length, and zeros up to a multiple of four. */
function isFramed(bytes: Uint8Array): boolean {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(2);
  return (
    bytes.length % 4 === 0 &&
    bytes.length - length >= 0 &&
    bytes.length - length < 4 &&
    bytes.slice(length).every((b) => b === 0)
  );
}

test('whatever ASAP message is encoded decodes to the same message, with nothing to report', (t) => {
  fc.assert(
    fc.property(asapMessage, (message) => {
      const bytes = encodeAsap(message);
      t.true(isFramed(bytes));
      t.deepEqual(decodeAsap(bytes), { type: 'message', message, report: [] });
    }),
    { numRuns },
  );
});

test('whatever ENRP message is encoded decodes to the same message, with nothing to report', (t) => {
  fc.assert(
    fc.property(enrpMessage, (message) => {
      const bytes = encodeEnrp(message);
      t.true(isFramed(bytes));
      t.deepEqual(decodeEnrp(bytes), { type: 'message', message, report: [] });
    }),
    { numRuns },
  );
});

test('a truncation of any message is a protocol error, wherever it is cut', (t) => {
  fc.assert(
    fc.property(asapMessage, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (message, where) => {
      const bytes = encodeAsap(message);
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(2);
      t.is(decodeAsap(bytes.subarray(0, Math.floor(where * length))).type, 'protocolError');
    }),
    { numRuns },
  );
});

test('parameters are read in any order', (t) => {
  const ab = '00090006 41420000';
  const element = '12345678 00000000 00000258';
  const transport = '00050010 00070000 00010008 c0000201';
  const asapTransport = '00050010 00080000 00010008 c0000201';
  const policy = '00080008 00000001';
  const inOrder = decodeAsap(hex(`01000044 ${ab} 000a0038 ${element} ${transport} ${policy} ${asapTransport}`));
  t.is(inOrder.type, 'message');
  for (const bytes of [
    `01000044 000a0038 ${element} ${transport} ${policy} ${asapTransport} ${ab}`,
    `01000044 ${ab} 000a0038 ${element} ${policy} ${transport} ${asapTransport}`,
    `01000044 ${ab} 000a0038 ${element} ${transport} ${asapTransport} ${policy}`,
  ]) {
    t.deepEqual(decodeAsap(hex(bytes)), inOrder);
  }
});

test('an element with one address for users and ASAP is read as one transport, for the memory of registrars', (t) => {
  const element = '12345678 00000000 00000258';
  const transport = '00050010 00070000 00010008 c0000201';
  const decoded = decodeAsap(hex(`0100003c 00090006 41420000 000a0030 ${element} ${transport} ${transport}`));
  if (decoded.type !== 'message' || decoded.message.type !== 'registration') return t.fail();
  const { userTransport, asapTransport } = decoded.message.poolElement;
  t.is(asapTransport, userTransport);
});
