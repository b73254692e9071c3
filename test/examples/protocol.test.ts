import test from 'ava';
import fc from 'fast-check';
import {
  decodeAnswer,
  decodeRequest,
  encodeRefusal,
  encodeRequest,
  pieceHeaderLength,
  writePieceHeader,
} from '../../examples/mirror/protocol.js';
import { hex } from '../vectors/hex.js';

test('a request is read back as it was written', (t) => {
  const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(fc.record({ name: fc.string(), offset }, { noNullPrototype: true }), (request) => {
      t.deepEqual(decodeRequest(encodeRequest(request)), request);
    }),
  );
});

for (const [what, text] of [
  ['nothing', ''],
  ['no JSON', '{'],
  ['null', 'null'],
  ['a number', '7'],
  ['no name', '{"offset":0}'],
  ['a name that is no text', '{"name":7,"offset":0}'],
  ['no offset', '{"name":"file"}'],
  ['a negative offset', '{"name":"file","offset":-1}'],
  ['half an offset', '{"name":"file","offset":0.5}'],
  ['an offset that a number cannot hold', '{"name":"file","offset":9007199254740992}'],
] as const) {
  test(`what is no request is not taken for one: ${what}`, (t) => {
    t.is(decodeRequest(Buffer.from(text)), undefined);
  });
}

test('a piece has its offset, the length of the file and then its bytes', (t) => {
  const buffer = Buffer.concat([Buffer.alloc(pieceHeaderLength), hex('aabb')]);
  writePieceHeader(buffer, 0x1_0000_0002, 0x2_0000_0000);
  t.deepEqual(new Uint8Array(buffer), hex('00000001 00000002 00000002 00000000 aabb'));
  const answer = decodeAnswer(buffer);
  if (answer?.type !== 'piece') return t.fail('not a piece');
  t.is(answer.offset, 0x1_0000_0002);
  t.is(answer.total, 0x2_0000_0000);
  t.deepEqual(new Uint8Array(answer.bytes), hex('aabb'));
});

test('the piece of an empty file has no bytes', (t) => {
  t.deepEqual(decodeAnswer(new Uint8Array(16)), { type: 'piece', offset: 0, total: 0, bytes: new Uint8Array(0) });
});

test('a refusal brings its reason', (t) => {
  t.deepEqual(decodeAnswer(encodeRefusal('no such file')), { type: 'refusal', reason: 'no such file' });
});

for (const [what, text] of [
  ['nothing', ''],
  ['half a header', '00000000 00000000 00000000 000000'],
  ['more bytes than the file has', '00000000 00000000 00000000 00000001 aabb'],
  ['an offset behind the end of the file', '00000000 00000002 00000000 00000001'],
  ['a length that a number cannot hold', '00000000 00000000 00200000 00000000'],
] as const) {
  test(`what is no answer is not taken for one: ${what}`, (t) => {
    t.is(decodeAnswer(hex(text)), undefined);
  });
}

test('reading never throws, whatever the bytes are', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      t.notThrows(() => decodeRequest(bytes));
      t.notThrows(() => decodeAnswer(bytes));
    }),
  );
});
