import test from 'ava';
import { FramedChannel } from '../../lib/transport/framing.js';
import { type ByteStream, noHandler } from '../../lib/transport/transport.js';
import { encodeAsap } from '../../lib/wire/asap.js';

/** A stream that keeps what is written to it, write by write. */
class RecordingStream implements ByteStream {
  readonly localAddress = { host: '10.0.0.1', port: 3863 };
  readonly remoteAddress = { host: '10.0.0.2', port: 5000 };
  handler = noHandler;
  readonly bufferedBytes = 0;
  readonly calls: string[] = [];

  write(chunks: readonly Uint8Array[]): boolean {
    this.calls.push(`write ${Buffer.concat(chunks).toString('latin1')}`);
    return true;
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
  }

  pause(): void {}
  resume(): void {}
  ref(): void {}
  unref(): void {}
}

const message = encodeAsap({ type: 'handleResolution', subscribe: false, poolHandle: 'echo' });
const three = Buffer.concat([message, message, message]);

function framed(onMessage: (channel: FramedChannel, count: number) => void): RecordingStream {
  const stream = new RecordingStream();
  const channel = new FramedChannel(stream, { ppid: 11 });
  let count = 0;
  channel.handler = { onMessage: () => onMessage(channel, ++count), onClose() {} };
  stream.handler.onData(three);
  return stream;
}

test('the answers to one chunk leave in one write, in order', (t) => {
  const stream = framed((channel, count) => channel.send(Buffer.from(`${count}`), 11));
  t.deepEqual(stream.calls, ['write 123']);
});

test('what is sent while nothing is read leaves at once', (t) => {
  const stream = new RecordingStream();
  const channel = new FramedChannel(stream, { ppid: 11 });
  channel.send(Buffer.from('a'), 11);
  channel.send(Buffer.from('b'), 11);
  t.deepEqual(stream.calls, ['write a', 'write b']);
});

test('what was sent before a close leaves before the end, and nothing after it', (t) => {
  const stream = framed((channel, count) => {
    channel.send(Buffer.from(`${count}`), 11);
    if (count === 2) channel.close();
  });
  t.deepEqual(stream.calls, ['write 12', 'end']);
});

test('an abort throws away what was not written yet', (t) => {
  const stream = framed((channel, count) => {
    channel.send(Buffer.from(`${count}`), 11);
    if (count === 2) channel.abort();
  });
  t.deepEqual(stream.calls, ['destroy']);
});

test('what waits for the end of a chunk counts as buffered, and is written at 64 KiB', (t) => {
  const buffered: number[] = [];
  const stream = framed((channel) => {
    channel.send(Buffer.alloc(40_000), 11);
    buffered.push(channel.bufferedBytes);
  });
  t.deepEqual(buffered, [40_000, 0, 40_000]);
  t.deepEqual(
    stream.calls.map(({ length }) => length - 'write '.length),
    [80_000, 40_000],
  );
});
