/**
 * ASAP over TCP with as little work as possible on this side, so that the registrar is what is measured: requests are
 * encoded beforehand, answers are cut by their lengths and looked at in two bytes.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { asapMessageType, encodeAsap } from '../../lib/wire/asap.js';
import { connections, elementAddress, elementsOfPool, type Load, outstanding, poolName, pools } from './load.js';

/** Writes the next request into a connection's buffer. */
interface Requests {
  /** The type that answers have. */
  readonly answerType: number;
  /** Bytes that an answer has at least: an error report is shorter. */
  readonly leastAnswer: number;
  next(): Uint8Array;
}

/** Seconds: as long as the lease that etcd is asked for. */
const leaseLife = 60;

function registration(pool: number, identifier: number, address: string, registrationLife: number): Uint8Array {
  return encodeAsap({
    type: 'registration',
    poolHandle: poolName(pool),
    poolElement: {
      identifier,
      homeServerId: 0,
      registrationLife,
      userTransport: { type: 'tcp', port: 4000, address },
      policy: { type: 'roundRobin' },
    },
  });
}

/** Resolutions of one pool after the other, three elements wanted. */
export function resolutions(): Requests {
  const encoded = Array.from({ length: pools }, (_, pool) =>
    encodeAsap({
      type: 'handleResolution',
      subscribe: false,
      poolHandle: poolName(pool),
      elementsWanted: elementsOfPool,
    }),
  );
  let next = 0;
  return {
    answerType: asapMessageType.handleResolutionResponse,
    leastAnswer: 4 + 12 + elementsOfPool * 32,
    next() {
      const request = encoded[next] as Uint8Array;
      next = (next + 1) % pools;
      return request;
    },
  };
}

/** Registrations of ever new elements; each after `from` in 500 pools of their own kind. */
export function registrations(from: number): Requests {
  const encoded = Array.from({ length: pools }, (_, pool) => registration(pool, 0, '127.0.0.1', leaseLife));
  const offset = Buffer.from(encoded[0] as Uint8Array).indexOf(Buffer.from([0, 10])) + 4;
  let identifier = from;
  return {
    answerType: asapMessageType.registrationResponse,
    leastAnswer: 0,
    next() {
      const request = encoded[identifier % pools] as Uint8Array;
      identifier++;
      request[offset] = identifier >>> 24;
      request[offset + 1] = identifier >>> 16;
      request[offset + 2] = identifier >>> 8;
      request[offset + 3] = identifier;
      return request;
    },
  };
}

class Connection {
  readonly socket: Socket;
  readonly #requests: Requests;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #rest: Uint8Array = new Uint8Array(0);
  answers = 0;
  #waiting = 0;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(socket: Socket, requests: Requests, count: number) {
    this.socket = socket;
    this.#requests = requests;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => {
      throw error;
    });
    this.#send(count);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#waiting > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    this.socket.destroy();
  }

  #send(count: number): void {
    let length = 0;
    for (let i = 0; i < count; i++) {
      const request = this.#requests.next();
      this.#buffer.set(request, length);
      length += request.length;
    }
    this.#waiting += count;
    this.socket.write(Buffer.from(this.#buffer.subarray(0, length)));
  }

  #onData(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let offset = 0;
    let count = 0;
    while (bytes.length - offset >= 4) {
      const size = ((((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number)) + 3) & ~3;
      if (bytes.length - offset < size) break;
      const rejected = bytes[offset + 1] !== 0;
      if (bytes[offset] !== this.#requests.answerType || rejected || size < this.#requests.leastAnswer) {
        throw new Error(`not an answer: ${Buffer.from(bytes.subarray(offset, offset + size)).toString('hex')}`);
      }
      offset += size;
      count++;
    }
    this.#rest = bytes.subarray(offset);
    this.answers += count;
    this.#waiting -= count;
    if (!this.#stopped) this.#send(count);
    else if (this.#waiting === 0) this.#onIdle?.();
  }
}

/** Opens the connections and begins. */
export async function asapLoad(port: number, requests: Requests, all: number = outstanding): Promise<Load> {
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const open = sockets.map((socket) => new Connection(socket, requests, all / connections));
  return {
    get answers() {
      return open.reduce((sum, { answers }) => sum + answers, 0);
    },
    async stop() {
      await Promise.all(open.map((connection) => connection.stop()));
    },
  };
}

/** Registers the pools that are resolved; their connection stays open until `close` is called. */
export async function registerPools(port: number): Promise<() => void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const count = pools * elementsOfPool;
  for (let i = 0; i < count; i++) {
    const pool = i % pools;
    const element = Math.floor(i / pools);
    socket.write(registration(pool, 0xf000_0000 + i, elementAddress(pool, element), 3_600));
  }
  let bytes = 0;
  const size = registrationResponseSize();
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes >= count * size) break;
  }
  return () => void socket.destroy();
}

function registrationResponseSize(): number {
  return encodeAsap({
    type: 'registrationResponse',
    rejected: false,
    poolHandle: poolName(0),
    peIdentifier: 1,
    errors: [],
  }).length;
}
