import test from 'ava';
import { ReadBuffer } from '../../lib/transport/tcp/read-buffer.js';

/** Reads of these lengths one after another, each filled with its number; what was got, and the buffers that were read into. */
function read(lengths: readonly number[]): { got: Buffer[]; buffers: Buffer[] } {
  const reads = new ReadBuffer();
  const got: Buffer[] = [];
  const buffers: Buffer[] = [];
  for (const [i, wished] of lengths.entries()) {
    const { buffer } = reads;
    const length = Math.min(wished, buffer.length);
    buffers.push(buffer);
    buffer.fill(i, 0, length);
    got.push(reads.take(length));
  }
  return { got, buffers };
}

test('what was read stays as it was, whatever is read later', (t) => {
  const lengths = [1, 100, 2048, 1, 65_536, 40_000, 32_768, 32_769, 3000, 2048, 2047, 2048, 65_536, 5];
  const { got, buffers } = read(lengths);
  for (const [i, bytes] of got.entries()) {
    t.is(bytes.length, Math.min(lengths[i] ?? 0, buffers[i]?.length ?? 0));
    t.true(
      bytes.every((byte) => byte === i),
      `read ${i}`,
    );
  }
});

test('short reads share one small buffer; one that fills it is followed by a large one, until reads are short again', (t) => {
  const { buffers } = read([1, 100, 2048, 40_000, 10_000, 4000, 100, 100]);
  t.deepEqual(
    buffers.map(({ length }) => length),
    [2048, 2048, 2048, 65_536, 65_536, 65_536, 65_536, 2048],
  );
  t.is(buffers[0], buffers[2]);
  t.not(buffers[3], buffers[4], 'what is long keeps its buffer');
  t.is(buffers[4], buffers[6], 'what is not is copied out of it');
});
