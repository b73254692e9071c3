/** Both sides of the comparison: the same work over a pool session and over bare net, on a connection made beforehand. */

import { once } from 'node:events';
import { connect as connectNet, type Socket as NetSocket } from 'node:net';
import { connect, type Message, OperationalScope, type Socket } from '../../lib/index.js';
import { corkedWriter, frame, readFrames } from './frames.js';
import { RollingSum } from './sum.js';
import {
  type Addresses,
  chunkLength,
  echoBytes,
  messageLength,
  oneWayMessages,
  outstanding,
  requestsOfRun,
  roundTripsOfRun,
  type Service,
  sinkBytes,
  type Workload,
} from './workloads.js';

/** One run: units (bytes or messages) acknowledged a second; latencies in ms, for round trips. */
export interface Run {
  readonly rate: number;
  readonly latencies?: readonly number[];
}

export type Side = Readonly<Record<Workload, () => Promise<Run>>>;

/** Different bytes in each of several buffers: a mixed-up order changes the sum. */
const chunks = Array.from({ length: 16 }, (_, index) =>
  Buffer.from(
    Uint8Array.from({ length: chunkLength }, (_, at) => (Math.imul(at + index * 7919, 2654435761) >>> 13) & 255),
  ),
);
const messages = chunks.flatMap((chunk) =>
  Array.from({ length: 64 }, (_, index) => chunk.subarray(index * messageLength, (index + 1) * messageLength)),
);

function check(got: RollingSum | Uint8Array, sources: readonly Uint8Array[], count: number): void {
  const expected = new RollingSum();
  for (let i = 0; i < count; i++) expected.add(sources[i % sources.length] as Uint8Array);
  const bytes = got instanceof RollingSum ? got.encode() : got;
  if (!expected.encode().equals(bytes)) throw new Error('what arrived is not what was sent');
}

function rateOf(units: number, begin: number): Run {
  return { rate: (units / (performance.now() - begin)) * 1000 };
}

/** The next so many bytes of a socket. */
function received(socket: NetSocket, length: number, each: (bytes: Buffer) => void): Promise<void> {
  let left = length;
  return new Promise((resolve) => {
    const onData = (bytes: Buffer): void => {
      each(bytes);
      left -= bytes.length;
      if (left > 0) return;
      socket.off('data', onData);
      resolve();
    };
    socket.on('data', onData);
  });
}

/** Writes chunks as fast as the socket takes them; resolves when the last was given back by its callback. */
function writeAll(socket: NetSocket, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let written = 0;
    let settled = 0;
    const done = (error?: Error | null): void => {
      if (error) reject(error);
      else if (++settled === count) resolve();
    };
    const write = (): void => {
      while (written < count) if (!socket.write(chunks[written++ % chunks.length] as Buffer, done)) break;
      if (written < count) socket.once('drain', write);
    };
    write();
  });
}

/** For a pool socket the callbacks mean acknowledged; for net the sink's report stands for that. */
async function stream(socket: NetSocket): Promise<Run> {
  const parts: Buffer[] = [];
  const begin = performance.now();
  await Promise.all([received(socket, 12, (bytes) => parts.push(bytes)), writeAll(socket, sinkBytes / chunkLength)]);
  const run = rateOf(sinkBytes, begin);
  check(Buffer.concat(parts), chunks, sinkBytes / chunkLength);
  return run;
}

async function echo(socket: NetSocket): Promise<Run> {
  const sum = new RollingSum();
  const begin = performance.now();
  await Promise.all([
    received(socket, echoBytes, (bytes) => sum.add(bytes)),
    writeAll(socket, echoBytes / chunkLength),
  ]);
  const run = rateOf(echoBytes, begin);
  check(sum, chunks, echoBytes / chunkLength);
  return run;
}

type Ask = (bytes: Uint8Array) => Promise<Uint8Array>;

/** Keeps `window` requests outstanding; an answer is the request's own bytes. */
async function ask(request: Ask, count: number, window: number, latencies?: number[]): Promise<Run> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const bytes = messages[next++ % messages.length] as Buffer;
      const asked = latencies === undefined ? 0 : performance.now();
      const answer = await request(bytes);
      latencies?.push(performance.now() - asked);
      if (answer.length !== bytes.length || answer[0] !== bytes[0] || answer[99] !== bytes[99])
        throw new Error('not the answer to the request');
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: window }, one));
  return latencies === undefined ? rateOf(count, begin) : { ...rateOf(count, begin), latencies };
}

async function connectPool(service: Service, scope: OperationalScope): Promise<Socket> {
  const socket = connect({ poolHandle: service, scope });
  await once(socket, 'connect');
  return socket;
}

/** Connected to all services, as an element of each pool serves them. */
export async function poolSide(addresses: Addresses): Promise<Side> {
  const scope = new OperationalScope({ registrars: addresses.registrar });
  const [sink, echoing, answering, counting] = (await Promise.all(
    (['sink', 'echo', 'answer', 'count'] as const).map((service) => connectPool(service, scope)),
  )) as [Socket, Socket, Socket, Socket];
  const request: Ask = async (bytes) => (await answering.request(bytes)).data;
  return {
    stream: () => stream(sink),
    echo: () => echo(echoing),
    requests: () => ask(request, requestsOfRun, outstanding),
    roundTrips: () => ask(request, roundTripsOfRun, 1, []),
    oneWay: async () => {
      const count = oneWayMessages.pool;
      const begin = performance.now();
      const report = once(counting, 'message') as Promise<[Message]>;
      await new Promise<void>((resolve, reject) => {
        let sent = 0;
        const last = (error?: Error | null): void => (error ? reject(error) : resolve());
        const send = (): void => {
          while (sent < count) {
            const bytes = messages[sent++ % messages.length] as Buffer;
            // Acknowledgements are cumulative: the last one's callback is for all.
            if (!counting.send(bytes, {}, sent === count ? last : undefined)) break;
          }
          if (sent < count) counting.once('drain', send);
        };
        send();
      });
      const [message] = await report;
      const run = rateOf(count, begin);
      check(message.data, messages, count);
      return run;
    },
  };
}

async function connectBare(port: number): Promise<NetSocket> {
  const socket = connectNet(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

export async function netSide({ ports }: Addresses): Promise<Side> {
  const [sink, echoing, answering, counting] = (await Promise.all(
    (['sink', 'echo', 'answer', 'count'] as const).map((service) => connectBare(ports[service])),
  )) as [NetSocket, NetSocket, NetSocket, NetSocket];
  answering.setNoDelay(true);
  // Answers come in the order of the requests.
  let waiting: ((answer: Uint8Array) => void)[] = [];
  let head = 0;
  readFrames(answering, (bytes) => {
    waiting[head++]?.(bytes);
    if (head < 1024) return;
    waiting = waiting.slice(head);
    head = 0;
  });
  const write = corkedWriter(answering);
  const request: Ask = (bytes) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      write(bytes);
    });
  let onReport = (_sum: Uint8Array): void => {};
  readFrames(counting, (bytes) => onReport(bytes));
  return {
    stream: () => stream(sink),
    echo: () => echo(echoing),
    requests: () => ask(request, requestsOfRun, outstanding),
    roundTrips: () => ask(request, roundTripsOfRun, 1, []),
    oneWay: async () => {
      const count = oneWayMessages.net;
      const begin = performance.now();
      const report = new Promise<Uint8Array>((resolve) => {
        onReport = resolve;
      });
      let sent = 0;
      const send = (): void => {
        while (sent < count) if (!counting.write(frame(messages[sent++ % messages.length] as Buffer))) break;
        if (sent < count) counting.once('drain', send);
      };
      send();
      const sum = await report;
      const run = rateOf(count, begin);
      check(sum, messages, count);
      return run;
    },
  };
}
