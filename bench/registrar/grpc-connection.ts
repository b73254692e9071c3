/**
 * gRPC over HTTP/2 without TLS (RFC 9113), no more of it than unary calls need, and with as little work as possible:
 * etcd is to be what is measured, not its client. Flow control is opened as far as it goes, headers are not read.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const frameType = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const flag = { endStream: 0x1, acknowledge: 0x1, endHeaders: 0x4 } as const;
const greatestWindow = 0x7fffffff;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A header field that is not to be remembered (RFC 7541 section 6.2.2), its name by index or in full. */
function field(name: number | string, value: string): Buffer {
  const head =
    typeof name === 'string'
      ? Buffer.from([0, name.length, ...Buffer.from(name)])
      : Buffer.from(name < 15 ? [name] : [0x0f, name - 15]);
  return Buffer.concat([head, Buffer.from([value.length]), Buffer.from(value)]);
}

/** The header block of a call of `path`: POST, http, path, authority, content-type and te. */
export function callHeaders(path: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x83, 0x86]),
    field(4, path),
    field(1, '127.0.0.1'),
    field(31, 'application/grpc'),
    field('te', 'trailers'),
  ]);
}

/** Told of the message of each answer; throws what it throws when there is none. */
export type OnAnswer = (message: Uint8Array) => void;

export class GrpcConnection {
  readonly #socket: Socket;
  readonly #answered = new Map<number, { message: Uint8Array | undefined; readonly onAnswer: OnAnswer }>();
  #rest: Buffer = Buffer.alloc(0);
  #nextStream = 1;
  #received = 0;
  #batch: Buffer[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => {
      throw error;
    });
    // SETTINGS_INITIAL_WINDOW_SIZE, and as much for the connection.
    const settings = Buffer.concat([Buffer.from([0, 4]), word(greatestWindow)]);
    this.#batch.push(
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(frameType.settings, 0, 0, settings),
      frame(frameType.windowUpdate, 0, 0, word(greatestWindow - 0xffff)),
    );
    this.#flush();
  }

  static async open(port: number): Promise<GrpcConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new GrpcConnection(socket);
  }

  /** Calls made while an answer is looked at leave with the others of that turn; otherwise at once. */
  call(headers: Uint8Array, message: Uint8Array, onAnswer: OnAnswer): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#answered.set(stream, { message: undefined, onAnswer });
    const prefix = Buffer.concat([Buffer.from([0]), word(message.length), message]);
    this.#batch.push(
      frame(frameType.headers, flag.endHeaders, stream, headers),
      frame(frameType.data, flag.endStream, stream, prefix),
    );
    if (!this.#reading) this.#flush();
  }

  close(): void {
    this.#socket.destroy();
  }

  #reading = false;

  #flush(): void {
    if (this.#batch.length > 0) this.#socket.write(Buffer.concat(this.#batch));
    this.#batch = [];
  }

  #onData(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#reading = true;
    let offset = 0;
    while (bytes.length - offset >= 9) {
      const end = offset + 9 + bytes.readUIntBE(offset, 3);
      if (bytes.length < end) break;
      const type = bytes[offset + 3] as number;
      const flags = bytes[offset + 4] as number;
      const stream = bytes.readUInt32BE(offset + 5) & 0x7fffffff;
      this.#onFrame(type, flags, stream, bytes.subarray(offset + 9, end));
      offset = end;
    }
    this.#rest = bytes.subarray(offset);
    this.#reading = false;
    this.#flush();
  }

  #onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case frameType.data:
        this.#onMessage(stream, payload);
        break;
      case frameType.headers:
        if ((flags & flag.endStream) !== 0) this.#onEnd(stream);
        break;
      case frameType.settings:
        if ((flags & flag.acknowledge) === 0) {
          this.#batch.push(frame(frameType.settings, flag.acknowledge, 0, Buffer.alloc(0)));
        }
        break;
      case frameType.ping:
        if ((flags & flag.acknowledge) === 0) {
          this.#batch.push(frame(frameType.ping, flag.acknowledge, 0, payload));
        }
        break;
      case frameType.reset:
      case frameType.goAway:
        throw new Error(`the server ended a call: frame type ${type}, ${payload.toString('latin1')}`);
    }
  }

  /** An answer is small and comes in one frame. */
  #onMessage(stream: number, payload: Buffer): void {
    this.#received += payload.length;
    if (this.#received > 0x2000_0000) {
      this.#batch.push(frame(frameType.windowUpdate, 0, 0, word(this.#received)));
      this.#received = 0;
    }
    const call = this.#answered.get(stream);
    if (call !== undefined && payload.length >= 5) call.message = payload.subarray(5);
  }

  #onEnd(stream: number): void {
    const call = this.#answered.get(stream);
    this.#answered.delete(stream);
    if (call === undefined) return;
    if (call.message === undefined) throw new Error('a call without an answer');
    call.onAnswer(call.message);
  }
}
