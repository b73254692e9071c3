import test from 'ava';
import fc from 'fast-check';
import { ElementEncodings } from '../../lib/registrar/element-encodings.js';
import { encodeAnswer, encodeAsap } from '../../lib/wire/asap.js';
import { encodePoolElement } from '../../lib/wire/pool-element.js';
import { poolElement } from '../asap/world.js';
import { asapMessage } from '../vectors/arbitrary.js';

test('an answer of encoded elements is the same bytes as one of elements', (t) => {
  const encodings = new ElementEncodings();
  let answers = 0;
  fc.assert(
    fc.property(asapMessage, (message) => {
      if (message.type !== 'handleResolutionResponse') return;
      answers++;
      const { accepted, ...facts } = message;
      const poolElements = message.poolElements.map((element) => encodings.of(element));
      t.deepEqual(encodeAnswer({ ...facts, poolElements }, accepted), encodeAsap(message));
    }),
    { numRuns: 1000 },
  );
  t.true(answers > 10);
});

test('an element is encoded once as long as it is asked for, and its bytes hold on to no others', (t) => {
  const element = poolElement(1, '10.0.0.5');
  const encodings = new ElementEncodings(1_000);
  const first = encodings.of(element);
  t.deepEqual(first, encodePoolElement(element));
  t.is(first.buffer.byteLength, first.length);
  for (let other = 2; other < 100; other++) {
    encodings.of(poolElement(other, '10.0.0.5'));
    t.is(encodings.of(element), first);
  }
});

test('what is not asked for any more is forgotten', (t) => {
  const element = poolElement(1, '10.0.0.5');
  const encodings = new ElementEncodings(1_000);
  const first = encodings.of(element);
  for (let other = 2; other < 100; other++) encodings.of(poolElement(other, '10.0.0.5'));
  t.not(encodings.of(element), first);
  t.deepEqual(encodings.of(element), first);
});
