import test from 'ava';
import fc from 'fast-check';
import { bytesToPoolHandle, poolHandleBytes, poolHandleText, toPoolHandle } from '../../lib/wire/pool-handle.js';
import { hex } from '../vectors/hex.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const control = /[\x00-\x1f\x7f-\x9f]/;

for (const [text, handle] of [
  ['', ''],
  ['EchoPool', 'EchoPool'],
  ['Zürich', 'Z\xc3\xbcrich'],
  ['池', '\xe6\xb1\xa0'],
  ['🏊', '\xf0\x9f\x8f\x8a'],
  ['\ufeffpool', '\xef\xbb\xbfpool'],
] as const) {
  test(`'${text}' as a pool handle is its UTF-8 bytes, and shows as itself`, (t) => {
    t.is(toPoolHandle(text), handle);
    t.is(poolHandleText(handle), text);
  });
}

for (const [handle, text] of [
  ['a\xffb', 'a\\xffb'],
  ['Z\xc3\xbcrich\xc3', 'Z\\xc3\\xbcrich\\xc3'],
  ['a\nb', 'a\\x0ab'],
  ['\x1b[2J', '\\x1b[2J'],
  ['\x7f', '\\x7f'],
  ['\xc2\x9b', '\\x9b'],
  ['\x00', '\\x00'],
] as const) {
  test(`bytes that are no text for people show escaped: ${text}`, (t) => {
    t.is(poolHandleText(handle), text);
  });
}

test('a lone surrogate becomes the replacement character', (t) => {
  t.is(poolHandleText(toPoolHandle('a\ud800')), 'a\ufffd');
});

test('any bytes survive as a pool handle, and show as text without control characters', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const handle = bytesToPoolHandle(bytes);
      t.is(handle.length, bytes.length);
      t.deepEqual(poolHandleBytes(handle), bytes);
      t.notRegex(poolHandleText(handle), control);
    }),
  );
});

test('any text without control characters survives as a pool handle', (t) => {
  const character = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(
      character.filter((text) => !control.test(text)),
      (text) => {
        t.is(poolHandleText(toPoolHandle(text)), text);
      },
    ),
  );
});

test('a string with characters above 255 is no pool handle', (t) => {
  t.throws(() => poolHandleBytes('池'), { instanceOf: RangeError, message: /character 0 is above 255/ });
  t.is(poolHandleText('a'), 'a');
  t.deepEqual(poolHandleBytes('\xff'), hex('ff'));
});
