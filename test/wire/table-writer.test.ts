import test from 'ava';
import fc from 'fast-check';
import { decodeEnrp, encodeEnrp } from '../../lib/wire/enrp.js';
import { TableWriter } from '../../lib/wire/table-writer.js';
import { poolElement } from '../asap/world.js';
import { enrpMessage } from '../vectors/arbitrary.js';

test('a part written element by element is the same bytes as one message of all', (t) => {
  let tables = 0;
  fc.assert(
    fc.property(enrpMessage, (message) => {
      if (message.type !== 'handleTableResponse' || message.rejected) return;
      const { senderId, receiverId, moreToSend, poolEntries } = message;
      // Pools of one name that follow each other become one.
      if (new Set(poolEntries.map(({ poolHandle }) => poolHandle)).size < poolEntries.length) return;
      tables++;
      const writer = new TableWriter(senderId, 65_535);
      for (let times = 0; times < 2; times++) {
        writer.begin(receiverId);
        for (const { poolHandle, poolElements } of poolEntries) {
          for (const element of poolElements) t.true(writer.add(poolHandle, element));
        }
        t.deepEqual(writer.end(moreToSend), encodeEnrp(message));
      }
    }),
    { numRuns: 1000 },
  );
  t.true(tables > 10);
});

test('a part ends before the element that would make it larger than it may be', (t) => {
  const writer = new TableWriter(1, 200);
  let next = 1;
  let parts = 0;
  while (next <= 20) {
    const first = next;
    writer.begin(2);
    while (next <= 20 && writer.add(next % 2 === 0 ? 'even' : 'odd', poolElement(next, '10.0.0.5'))) next++;
    const bytes = writer.end(next <= 20);
    const decoded = decodeEnrp(bytes);
    if (decoded.type !== 'message' || decoded.message.type !== 'handleTableResponse') throw new Error('not a table');
    t.true(next > first && bytes.length <= 200);
    t.is(decoded.message.moreToSend, next <= 20);
    t.deepEqual(
      decoded.message.poolEntries.flatMap(({ poolElements }) => poolElements.map(({ identifier }) => identifier)),
      Array.from({ length: next - first }, (_, i) => first + i),
    );
    parts++;
  }
  t.true(parts > 3);
});

test('an element larger than a part gets one of its own, and one message is never overfilled', (t) => {
  const large = { ...poolElement(1, '10.0.0.5'), extensions: [extension(30_000)] };
  const writer = new TableWriter(1, 200);
  writer.begin(2);
  t.true(writer.add('pool', large));
  t.false(writer.add('pool', poolElement(2, '10.0.0.5')));
  t.is(decodeEnrp(writer.end(true)).type, 'message');

  const generous = new TableWriter(1, 1_000_000);
  generous.begin(2);
  t.true(generous.add('pool', large));
  t.true(generous.add('pool', large));
  t.false(generous.add('pool', large));
  t.true(generous.add('pool', poolElement(2, '10.0.0.5')));
  t.is(decodeEnrp(generous.end(false)).type, 'message');
});

function extension(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, 0xc0010000 | length);
  return bytes;
}
