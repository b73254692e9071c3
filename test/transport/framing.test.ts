import test from 'ava';
import { seededRandom } from '../../lib/random.js';
import { FramedChannel, type FramedChannelOptions } from '../../lib/transport/framing.js';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';
import type { ByteStream, MessageChannelHandler } from '../../lib/transport/transport.js';
import { asapVectors } from '../vectors/asap.js';
import { hex, toHex } from '../vectors/hex.js';

interface Framed {
  readonly channel: FramedChannel;
  readonly messages: string[];
  readonly ends: (Error | undefined)[];
  readonly faults: string[];
  /** The other end of the stream. */
  readonly raw: ByteStream;
  readonly rawEvents: string[];
  readonly rawBytes: () => Buffer;
  run(duration: number): void;
}

function framed(extra: Partial<FramedChannelOptions> = {}): Framed {
  const network = new MemoryNetwork({ fragment: true, random: seededRandom(4) });
  const server = network.spawn('10.0.0.2');
  const client = network.spawn('10.0.0.1');
  const run = (duration: number): void => {
    const until = network.time.now + duration;
    while (network.time.step(until));
    network.time.advanceTo(until);
  };
  const messages: string[] = [];
  const ends: (Error | undefined)[] = [];
  const faults: string[] = [];
  const rawEvents: string[] = [];
  const chunks: Uint8Array[] = [];
  let channel: FramedChannel | undefined;
  let raw: ByteStream | undefined;
  const handler: MessageChannelHandler = {
    onMessage: (message, ppid) => messages.push(`${ppid} ${toHex(message)}`),
    onClose: (error) => ends.push(error),
  };
  server.transport.listen(
    { host: '10.0.0.2', port: 7 },
    {
      onListening() {},
      onError() {},
      onConnection(stream) {
        channel = new FramedChannel(stream, { ppid: 11, onFault: (fault) => faults.push(fault.reason), ...extra });
        channel.handler = handler;
        return stream.handler;
      },
    },
  );
  run(1);
  client.transport.connect(
    { host: '10.0.0.2', port: 7 },
    {
      onError() {},
      onOpen(stream) {
        raw = stream;
        return {
          onData: (chunk) => chunks.push(chunk),
          onDrain() {},
          onEnd: () => rawEvents.push('end'),
          onClose: () => rawEvents.push('close'),
        };
      },
    },
  );
  run(5);
  if (channel === undefined || raw === undefined) throw new Error('not connected');
  return { channel, messages, ends, faults, raw, rawEvents, rawBytes: () => Buffer.concat(chunks), run };
}

const all = asapVectors.map((vector) => vector.bytes);

test('a framed channel gives back the messages of a byte stream that is cut anywhere', (t) => {
  const f = framed();
  f.raw.write([Buffer.concat(all)]);
  f.run(10);
  t.deepEqual(
    f.messages,
    all.map((bytes) => `11 ${toHex(bytes)}`),
  );
});

test('what a framed channel sends arrives in order, and close ends it after that', (t) => {
  const f = framed();
  for (const bytes of all) f.channel.send(bytes, 11);
  f.channel.close();
  f.channel.send(hex('01000004'), 11);
  f.run(10);
  t.is(Buffer.compare(f.rawBytes(), Buffer.concat(all)), 0);
  t.deepEqual(f.rawEvents, ['end']);
  f.raw.end();
  f.run(10);
  t.deepEqual(f.ends, [undefined]);
});

test('an end between messages is orderly, one within a message is a broken connection', (t) => {
  for (const [bytes, code] of [
    [all[0]!, undefined],
    [all[0]!.subarray(0, 3), 'ERR_RSERPOOL_CONNECTION_BROKEN'],
  ] as const) {
    const f = framed();
    f.raw.write([bytes]);
    f.raw.end();
    f.run(10);
    t.is(f.ends.length, 1);
    t.is((f.ends[0] as NodeJS.ErrnoException | undefined)?.code, code);
  }
});

test('an unreadable stream is told to the owner, ended, and read no further', (t) => {
  const f = framed({ maxMessageSize: 100 });
  f.raw.write([Buffer.concat([hex('01000003'), all[0]!])]);
  f.run(10);
  t.is(f.faults.length, 1);
  t.deepEqual(f.messages, []);
  t.deepEqual(f.rawEvents, ['end']);
  f.raw.end();
  f.run(10);
  t.is((f.ends[0] as NodeJS.ErrnoException | undefined)?.code, 'ERR_RSERPOOL_PROTOCOL');
  const long = framed({ maxMessageSize: 100 });
  long.raw.write([hex('01000068')]);
  long.run(10);
  t.is(long.faults.length, 1);
});

test('abort ends a framed channel at once, without error', (t) => {
  const f = framed();
  f.channel.abort();
  t.deepEqual(f.ends, []);
  f.raw.write(all);
  f.run(10);
  t.deepEqual(f.ends, [undefined]);
  t.deepEqual(f.messages, []);
});

test('a reset is the error of the operating system', (t) => {
  const f = framed();
  f.raw.destroy('reset');
  f.run(10);
  t.is((f.ends[0] as NodeJS.ErrnoException | undefined)?.code, 'ECONNRESET');
});
