/** Frames come out as they went in, wherever the chunks are cut: large payloads in pieces, and in few of them. */

import test from 'ava';
import fc from 'fast-check';
import { dataHeaderLength, frameType, headerLength } from '../../lib/mapping/tcp/frame.js';
import { FrameReader, joined } from '../../lib/mapping/tcp/reader.js';

const longest = 64 * 1024 + dataHeaderLength;

interface Read {
  readonly type: number;
  readonly body: Uint8Array;
  readonly pieces: number;
}

function frame(type: number, length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(headerLength + length);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(4, length);
  for (let i = headerLength; i < bytes.length; i++) bytes[i] = Math.imul(i + seed, 2654435761) >>> 24;
  return bytes;
}

function readAll(chunks: Iterable<Uint8Array>): Read[] {
  const read: Read[] = [];
  const reader = new FrameReader(
    longest,
    (type, _flags, _streamId, bytes, _view, body, length, pieces) => {
      const whole =
        pieces === undefined
          ? bytes.slice(body, body + length)
          : joined([bytes.subarray(body, body + dataHeaderLength), ...pieces]);
      read.push({ type, body: whole, pieces: pieces?.length ?? 1 });
      return true;
    },
    () => {},
  );
  for (const chunk of chunks) reader.push(chunk);
  return read;
}

test('any cut gives the same frames, and none in more than eight pieces', (t) => {
  const lengths = fc.array(
    fc.record({
      type: fc.constantFrom(frameType.data, frameType.heartbeat),
      length: fc.oneof(fc.integer({ min: 12, max: 40 }), fc.integer({ min: 8000, max: longest })),
    }),
    { minLength: 1, maxLength: 5 },
  );
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 70_000 })), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(lengths, cuts, (wanted, sizes) => {
      const frames = wanted.map(({ type, length }, seed) => frame(type, length, seed));
      const stream = joined(frames);
      const chunks: Uint8Array[] = [];
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const end = at + (sizes[cut % sizes.length] as number);
        chunks.push(stream.slice(at, end));
        at = end;
      }
      const read = readAll(chunks);
      return (
        read.length === frames.length &&
        read.every(({ type, body, pieces }, index) => {
          const sent = frames[index] as Uint8Array;
          return type === sent[0] && pieces <= 8 && Buffer.compare(body, sent.subarray(headerLength)) === 0;
        })
      );
    }),
    { numRuns: 60 },
  );
  t.pass();
});

test('a large payload that straddles two chunks is handed on where it lies', (t) => {
  const bytes = frame(frameType.data, longest, 0);
  const [first, second] = [bytes.slice(0, 40_000), bytes.slice(40_000)];
  const buffers: ArrayBufferLike[] = [];
  const reader = new FrameReader(
    longest,
    (_type, _flags, _streamId, _bytes, _view, _body, _length, pieces) => {
      buffers.push(...(pieces ?? []).map(({ buffer }) => buffer));
      return true;
    },
    () => {},
  );
  reader.push(first);
  reader.push(second);
  t.deepEqual(buffers, [first.buffer, second.buffer]);
});
