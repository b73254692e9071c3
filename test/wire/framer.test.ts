import test from 'ava';
import fc from 'fast-check';
import { MessageFramer } from '../../lib/wire/framer.js';
import { asapVectors } from '../vectors/asap.js';
import { hex, toHex } from '../vectors/hex.js';

/** A stream of all vectors: with the final padding counted, as the reference implementation sends, or not. */
function stream(counted: boolean): { bytes: Uint8Array; messages: readonly string[] } {
  const messages = asapVectors.map((vector) => {
    const bytes = vector.bytes.slice();
    if (counted) new DataView(bytes.buffer).setUint16(2, bytes.length);
    return bytes;
  });
  return { bytes: new Uint8Array(Buffer.concat(messages)), messages: messages.map(toHex) };
}

/** The messages that come out when `bytes` arrive in chunks that end at `cuts`. */
function frame(bytes: Uint8Array, cuts: readonly number[]): { messages: string[]; framer: MessageFramer } {
  const framer = new MessageFramer();
  const messages: string[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    const chunk = bytes.slice(start, end);
    framer.push(chunk, (message) => messages.push(toHex(message)));
    // The chunk is the caller's again: nothing of it may be needed later.
    chunk.fill(0xee);
    start = end;
  }
  return { messages, framer };
}

for (const counted of [true, false]) {
  const padding = counted ? 'counts' : 'does not count';
  const { bytes, messages } = stream(counted);

  test(`a sender that ${padding} the final padding: whole stream in one chunk`, (t) => {
    t.deepEqual(frame(bytes, []).messages, messages);
  });

  test(`a sender that ${padding} the final padding: byte by byte`, (t) => {
    const cuts = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
    const { messages: cut, framer } = frame(bytes, cuts);
    t.deepEqual(cut, messages);
    t.is(framer.pendingBytes, 0);
  });

  test(`a sender that ${padding} the final padding: cut anywhere`, (t) => {
    const anywhere = fc.array(fc.nat({ max: bytes.length }), { maxLength: 20 });
    fc.assert(
      fc.property(anywhere, (cuts) => {
        t.deepEqual(
          frame(
            bytes,
            cuts.toSorted((a, b) => a - b),
          ).messages,
          messages,
        );
      }),
    );
  });
}

test('a message waits for its padding', (t) => {
  const framer = new MessageFramer();
  const seen: string[] = [];
  framer.push(hex('0b000009 000d0005 ff'), (message) => seen.push(toHex(message)));
  t.deepEqual(seen, []);
  t.is(framer.pendingBytes, 9);
  framer.push(hex('0000'), (message) => seen.push(toHex(message)));
  t.deepEqual(seen, []);
  framer.push(hex('00 05'), (message) => seen.push(toHex(message)));
  t.deepEqual(seen, ['0b000009000d0005ff000000']);
  t.is(framer.pendingBytes, 1);
});

for (const cut of [0, 2, 4]) {
  test(`a Message Length below 4 is a fault for good, with ${cut} bytes come before`, (t) => {
    const framer = new MessageFramer();
    const seen: string[] = [];
    const onMessage = (message: Uint8Array): void => void seen.push(toHex(message));
    const bytes = hex('05000004 05000003 05000004');
    t.is(framer.push(bytes.subarray(0, 4 + (cut === 4 ? 0 : cut)), onMessage), undefined);
    const fault = framer.push(bytes.subarray(4 + (cut === 4 ? 0 : cut)), onMessage);
    t.like(fault, { section: 'RFC 5354 section 4', reason: 'Message Length 3 is below 4' });
    t.deepEqual(seen, ['05000004']);
    t.is(framer.push(hex('05000004'), onMessage), fault);
    t.deepEqual(seen, ['05000004']);
    t.is(framer.pendingBytes, 0);
  });
}

test('a message above the limit is a fault at its header, one at the limit is not', (t) => {
  const framer = new MessageFramer({ maxMessageSize: 12 });
  const seen: number[] = [];
  t.is(
    framer.push(hex('0b000009 000d0005 ff000000'), (message) => seen.push(message.length)),
    undefined,
  );
  const fault = framer.push(hex('0b00000d'), (message) => seen.push(message.length));
  t.like(fault, { reason: 'limit: message above 12 bytes', cause: { code: 6 } });
  t.deepEqual(seen, [12]);
});

test('the largest message there can be comes through', (t) => {
  const framer = new MessageFramer();
  const largest = new Uint8Array(65_536);
  largest.set(hex('0b00ffff 000dfffb'));
  const sizes: number[] = [];
  for (let at = 0; at < largest.length; at += 1000) {
    t.is(
      framer.push(largest.subarray(at, at + 1000), (message) => sizes.push(message.length)),
      undefined,
    );
  }
  t.deepEqual(sizes, [65_536]);
});

test('after stop nothing is handed on, not even from the chunk at hand', (t) => {
  const framer = new MessageFramer();
  let count = 0;
  const onMessage = (): void => {
    count++;
    framer.stop();
  };
  framer.push(hex('05000004 05000004 0500'), onMessage);
  framer.push(hex('0004'), onMessage);
  t.is(count, 1);
  t.is(framer.pendingBytes, 0);
});

test('stop within a message that came in pieces', (t) => {
  const framer = new MessageFramer();
  let count = 0;
  const onMessage = (): void => {
    count++;
    framer.stop();
  };
  framer.push(hex('0500'), onMessage);
  framer.push(hex('0004 05000004 05'), onMessage);
  t.is(count, 1);
  t.is(framer.pendingBytes, 0);
});

for (const maxMessageSize of [3, 4.5, Number.NaN]) {
  test(`maxMessageSize ${maxMessageSize} is the caller's mistake`, (t) => {
    t.throws(() => new MessageFramer({ maxMessageSize }), { instanceOf: RangeError });
  });
}
