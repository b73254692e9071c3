import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { frameType, magic } from '../../lib/mapping/tcp/frame.js';
import { encodeHello, type Hello } from '../../lib/mapping/tcp/hello.js';
import { type TcpMappingOptions, tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { PeerProcesses } from '../../lib/mapping/tcp/peer-processes.js';
import { FrameReader } from '../../lib/mapping/tcp/reader.js';
import { seededRandom } from '../../lib/random.js';
import type { MemoryNetworkOptions } from '../../lib/transport/memory/network.js';
import type { ByteStream } from '../../lib/transport/transport.js';
import { elementSide, Owner, Scene, sessionId, userSide } from './pair.js';

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly body: Uint8Array;
}

/** Bytes of one frame. */
export function frame(type: number, body: Uint8Array | readonly number[] = [], flags = 0, streamId = 0): Uint8Array {
  const bytes = new Uint8Array(8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint8(1, flags);
  view.setUint16(2, streamId);
  view.setUint32(4, body.length);
  bytes.set(body, 8);
  return bytes;
}

/** 32-bit numbers, one after another. */
export function words(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setUint32(4 * i, number);
  return bytes;
}

export function data(
  flags: number,
  sequence: number,
  payload: string | Uint8Array,
  streamId = 0,
  ppid = 0,
  answer = 0,
): Uint8Array {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return frame(frameType.data, Buffer.concat([words(sequence, ppid, answer), bytes]), flags, streamId);
}

export const plainHello: Hello = {
  minVersion: 1,
  maxVersion: 1,
  features: 0,
  sessionId,
  longestPayload: 65536,
  longestMessage: 1 << 24,
  credit: 1 << 20,
  failureTimeout: 1000,
  heartbeatInterval: 1500,
  stamp: 0,
  peIdentifier: 0x1234,
};

export function helloFrame(hello: Partial<Hello> = {}, flags = 0): Uint8Array {
  return frame(frameType.hello, encodeHello({ ...plainHello, ...hello }), flags);
}

/** A connection under test, and at the other end of its stream somebody who writes bytes by hand. */
export class RawPeer extends Scene {
  readonly owner: Owner;
  readonly stream: ByteStream;
  readonly frames: RawFrame[] = [];
  readonly ends: string[] = [];
  #received: Uint8Array[] = [];

  /** `sharing`: the connection under test shares heartbeats, with others of its process if there are any. */
  constructor(
    role: 'user' | 'element',
    options: Partial<TcpMappingOptions> = {},
    network: MemoryNetworkOptions = {},
    sharing?: 'sharing',
  ) {
    super(network);
    let owner: Owner | undefined;
    let raw: ByteStream | undefined;
    const process = role === 'user' ? this.userProcess : this.elementProcess;
    const tested = (stream: ByteStream) => {
      const processes = sharing && new PeerProcesses(process.clock, seededRandom(5));
      const side = { ...(role === 'user' ? userSide : elementSide), ...(processes && { processes }) };
      const connection = new TcpMappingConnection(stream, process.clock, tcpMappingOptions(options), side);
      owner = new Owner(connection);
      return connection.streamHandler;
    };
    const byHand = (stream: ByteStream) => {
      raw = stream;
      return {
        onData: (chunk: Uint8Array) => void this.#received.push(chunk),
        onDrain() {},
        onEnd: () => void this.ends.push('end'),
        onClose: (error: Error | undefined) => void this.ends.push(error === undefined ? 'close' : 'reset'),
      };
    };
    this.streams(role === 'user' ? tested : byHand, role === 'user' ? byHand : tested);
    if (owner === undefined || raw === undefined) throw new Error('not connected');
    this.owner = owner;
    this.stream = raw;
  }

  /** The bytes that came from the connection under test. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Writes bytes and lets them arrive. */
  say(...chunks: Uint8Array[]): void {
    this.stream.write(chunks);
    this.run(5);
    this.#parse();
  }

  /** Says the magic and a hello, and promises to stay for an hour. */
  open(hello: Partial<Hello> = {}): void {
    this.say(magic, helloFrame({ poolHandle: 'echo', ...hello }));
    this.lease(3_600_000);
  }

  /** Promises to stay for `patience` ms from now: a heartbeat that echoes a stamp of this instant. */
  lease(patience: number): void {
    this.say(frame(frameType.heartbeat, words(0, Math.floor(this.network.time.now * 1000), 0, patience * 1000), 2));
  }

  /** Lets time go by. */
  wait(duration: number): void {
    this.run(duration);
    this.#parse();
  }

  of(type: number): RawFrame[] {
    return this.frames.filter((one) => one.type === type);
  }

  /** Code and reason of the abort that came, if one did. */
  get abort(): { code: number; reason: string } | undefined {
    const [last] = this.of(frameType.abort);
    if (last === undefined) return undefined;
    return { code: Buffer.from(last.body).readUInt32BE(), reason: Buffer.from(last.body.subarray(4)).toString() };
  }

  #parse(): void {
    this.frames.length = 0;
    const bytes = this.received;
    if (bytes.length < magic.length) return;
    const reader = new FrameReader(
      1 << 24,
      (type, flags, streamId, whole, _view, body, length) => {
        this.frames.push({ type, flags, streamId, body: whole.slice(body, body + length) });
        return true;
      },
      () => {},
    );
    reader.push(bytes.subarray(magic.length));
  }
}
