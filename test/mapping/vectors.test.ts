import test from 'ava';
import fc from 'fast-check';
import { writeAbort } from '../../lib/mapping/tcp/abort.js';
import { Controls } from '../../lib/mapping/tcp/controls.js';
import { expand, expandSequence, frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { decodeHello, encodeHello, type Hello } from '../../lib/mapping/tcp/hello.js';
import { writeCredit } from '../../lib/mapping/tcp/inbound.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { Outbound } from '../../lib/mapping/tcp/outbound.js';
import { FrameReader } from '../../lib/mapping/tcp/reader.js';
import { FrameWriter } from '../../lib/mapping/tcp/writer.js';
import { hex, toHex } from '../vectors/hex.js';
import { open, sessionId } from './pair.js';
import { RawPeer } from './raw-peer.js';

const hello: Hello = {
  minVersion: 1,
  maxVersion: 3,
  features: 0,
  sessionId,
  longestPayload: 65536,
  longestMessage: 0x1000000,
  credit: 0x100000,
  failureTimeout: 1000,
  heartbeatInterval: 1500,
  stamp: 0xfedcba98,
  poolHandle: 'Echo',
  peIdentifier: 0x12345678,
};

const helloBody =
  '01030000 00000000 0102030405060708090a0b0c0d0e0f10 00010000 01000000 00100000 000003e8 000005dc fedcba98' +
  '00090008 4563686f 000e0008 12345678';

function writerBytes(write: (writer: FrameWriter) => void): string {
  const writer = new FrameWriter();
  write(writer);
  return toHex(Buffer.concat(writer.take()));
}

function outbound(write: (outbound: Outbound) => void): string {
  return writerBytes((writer) => {
    const half = new Outbound();
    half.open(
      writer,
      { ...hello, longestPayload: 1024, longestMessage: 1 << 20, credit: 1 << 20 },
      tcpMappingOptions(),
      0,
    );
    write(half);
    half.write(1 << 20);
  });
}

const message = {
  type: 'message',
  sequence: 7,
  data: Buffer.from('hi'),
  streamId: 3,
  ppid: 39,
  inAnswerTo: 0,
  lastAnswer: false,
  redelivered: false,
  unordered: false,
  left: false,
  position: 0,
} as const;

const vectors: readonly [string, string, string][] = [
  ['magic', 'f252536572500d0a', toHex(magic)],
  ['hello body', helloBody.replaceAll(' ', ''), toHex(encodeHello(hello))],
  [
    'a message in one frame',
    '02030003 0000000e 00000007 00000027 00000000 6869',
    outbound((half) => half.push({ ...message })),
  ],
  [
    'a redelivered last answer',
    '021f0003 0000000e 00000007 00000027 00000005 6869',
    outbound((half) => half.push({ ...message, inAnswerTo: 5, lastAnswer: true, redelivered: true })),
  ],
  [
    'an empty message',
    '02030003 0000000c 00000007 00000027 00000000',
    outbound((half) => half.push({ ...message, data: new Uint8Array(0) })),
  ],
  [
    'a shutdown',
    '06000000 00000004 00000009',
    outbound((half) => half.push({ ...message, type: 'end', data: new Uint8Array(0), streamId: 0, sequence: 9 })),
  ],
  ['an acknowledgement', '03000000 00000004 0000002a', outbound((half) => half.acknowledge(42))],
  [
    'a credit beyond 32 bits',
    '04000000 00000008 00000002 00000005',
    writerBytes((writer) => writeCredit(writer, 0x2_0000_0005)),
  ],
  [
    'a control message',
    '02030000 00000010 00000000 0000000b 00000000 0b000004',
    writerBytes((writer) => {
      const controls = new Controls();
      controls.send(hex('0b000004'));
      controls.open(writer, 0);
      controls.write();
    }),
  ],
  ['an abort', '07000000 00000006 00000004 6e6f', writerBytes((writer) => writeAbort(writer, 4, 'no'))],
];

for (const [name, expected, actual] of vectors) {
  test(`on the wire: ${name}`, (t) => {
    t.is(actual, expected.replaceAll(' ', ''));
  });
}

test('on the wire: a heartbeat that asks, with stamp, echo, age and patience', (t) => {
  const peer = new RawPeer('user');
  peer.say(
    magic,
    Buffer.concat([
      hex('01000000 00000040'),
      encodeHello({ ...hello, sessionId: new Uint8Array(16), peIdentifier: 0x1234 }),
    ]),
  );
  peer.wait(3600);
  const [heartbeat] = peer.of(frameType.heartbeat);
  t.is(heartbeat?.flags, 3);
  const body = Buffer.from(heartbeat?.body ?? []);
  t.is(body.length, 16);
  t.is(body.readUInt32BE(4), 0xfedcba98);
  t.is(body.readUInt32BE(8), 3_500_000);
  t.is(body.readUInt32BE(12), 1_000_000);
});

test('a goElsewhere frame is a header alone', (t) => {
  const pair = open();
  pair.element.connection.goElsewhere();
  pair.run(10);
  t.true(pair.user.events.includes('goElsewhere'));
});

test('a hello comes back as it was, whatever is in it', (t) => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(
      fc.record({
        minVersion: fc.integer({ min: 1, max: 9 }),
        maxVersion: fc.integer({ min: 9, max: 255 }),
        features: u32,
        sessionId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
        longestPayload: fc.integer({ min: 1024, max: 0xffffffff }),
        longestMessage: u32,
        credit: u32,
        failureTimeout: u32,
        heartbeatInterval: u32,
        stamp: u32,
        poolHandle: fc.uint8Array({ maxLength: 300 }).map((bytes) => String.fromCharCode(...bytes)),
        peIdentifier: u32,
      }),
      fc.integer({ min: 0, max: 9 }),
      (wanted, shift) => {
        const body = encodeHello(wanted);
        const bytes = Buffer.concat([new Uint8Array(shift), body, new Uint8Array(shift)]);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const decoded = decodeHello(bytes, view, shift, body.length);
        t.deepEqual(decoded, wanted);
      },
    ),
    { numRuns: 200 },
  );
});

test('every truncation of a hello is a fault or lacks a parameter, and never throws', (t) => {
  const body = hex(helloBody);
  for (let length = 0; length < body.length; length++) {
    const bytes = body.slice(0, length);
    const decoded = decodeHello(bytes, new DataView(bytes.buffer), 0, length);
    if ('reason' in decoded) continue;
    t.true(length === 48 || length === 56, `${length} bytes`);
    t.is(decoded.peIdentifier, undefined);
  }
});

test('a session identifier does not hold on to the chunk that it came in', (t) => {
  const chunk = Buffer.alloc(65536);
  chunk.set(hex(helloBody));
  const decoded = decodeHello(chunk, new DataView(chunk.buffer, chunk.byteOffset), 0, 64);
  t.false('reason' in decoded);
  if (!('reason' in decoded)) t.is(decoded.sessionId.buffer.byteLength, 16);
});

/** What a reader makes of `bytes` cut at `cuts`. */
function read(bytes: Uint8Array, cuts: readonly number[]): string[] {
  const frames: string[] = [];
  const reader = new FrameReader(
    100,
    (type, flags, streamId, whole, view, body, length) => {
      t_view(view, whole);
      frames.push(`${type} ${flags} ${streamId} ${toHex(whole.subarray(body, body + length))}`);
      return type !== 0x63;
    },
    (type, length) => frames.push(`too long: ${type} ${length}`),
  );
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    reader.push(bytes.slice(from, to));
    from = to;
  }
  return frames;
}

function t_view(view: DataView, whole: Uint8Array): void {
  if (view.byteLength !== whole.length || view.getUint8(0) !== whole[0]) throw new Error('the view is of other bytes');
}

const stream = hex('01020003 00000000 02ff0000 00000003 aabbcc 80000001 00000005 0102030405 03000000 00000001 ff');
const inOne = ['1 2 3 ', '2 255 0 aabbcc', '128 0 1 0102030405', '3 0 0 ff'];

test('frames come out the same, byte by byte or in any cuts', (t) => {
  t.deepEqual(read(stream, []), inOne);
  t.deepEqual(
    read(
      stream,
      Array.from(stream, (_, i) => i),
    ),
    inOne,
  );
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      t.deepEqual(
        read(
          stream,
          cuts.sort((a, b) => a - b),
        ),
        inOne,
      );
    }),
  );
});

test('every truncation gives the frames that are whole, and no more', (t) => {
  const ends = [8, 19, 32, 41];
  for (let length = 0; length <= stream.length; length++) {
    t.deepEqual(read(stream.subarray(0, length), []), inOne.slice(0, ends.filter((end) => end <= length).length));
  }
});

test('a reader stops for good when its owner says so, or at a frame that is too long', (t) => {
  const stopping = Buffer.concat([hex('63000000 00000000'), stream]);
  t.deepEqual(read(stopping, []), ['99 0 0 ']);
  t.deepEqual(read(stopping, [3, 9]), ['99 0 0 ']);
  const long = Buffer.concat([hex('02000000 00000065'), stream]);
  for (const cuts of [[], [3], [8]]) t.deepEqual(read(long, cuts), ['too long: 2 101']);
});

test('counts of 32 bits stand for the nearest full number', (t) => {
  const table: readonly [number, number, number][] = [
    [0, 0, 0],
    [5, 0, 5],
    [0xffffffff, 0, -1],
    [0, 0xffffffff, 0x1_0000_0000],
    [0xffffffff, 0x1_0000_0000, 0xffffffff],
    [3, 0x5_ffff_fff0, 0x6_0000_0003],
    [0x7fffffff, 0, 0x7fffffff],
  ];
  for (const [low, reference, full] of table) t.is(expand(low, reference), full);
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: -0x7fffffff, max: 0x7fffffff }), (reference, by) => {
      fc.pre(reference + by >= 0 && Number.isSafeInteger(reference + by));
      t.is(expand((reference + by) % 0x1_0000_0000, reference), reference + by);
    }),
  );
});

test('a sequence is positive, whatever the first one on a connection is', (t) => {
  t.is(expandSequence(0x80000001, 0), 0x80000001);
  t.is(expandSequence(0xfffffffb, 3), 0xfffffffb);
  t.is(expandSequence(0, 0), 0x1_0000_0000);
  t.is(expandSequence(1, 0xffffffff), 0x1_0000_0001);
});
