/**
 * `npm run bench -- sctp [MESSAGES]`: messages one way and round trips over loopback, both ends in this process, in one run: the TCP
 * mapping, the SCTP mapping, our SCTP stack without a mapping, and the npm package `sctp` as it ships. Only the ratios mean anything.
 */

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { systemClock } from '../lib/clock.js';
import { type IncomingMessage, noMappingHandler, type OutgoingMessage } from '../lib/mapping/mapping.js';
import { sctpMappingAdaptation } from '../lib/mapping/sctp/frame-stream.js';
import { acceptFrames, mappingTransport } from '../lib/mapping/sctp/transport.js';
import { TcpMappingConnection } from '../lib/mapping/tcp/connection.js';
import type { TcpMappingSide } from '../lib/mapping/tcp/opening.js';
import { tcpMappingOptions } from '../lib/mapping/tcp/options.js';
import { PackageSctpStack } from '../lib/transport/sctp/package/package-stack.js';
import { noSctpHandler, type SctpAssociation } from '../lib/transport/sctp/sctp-stack.js';
import { tcpTransport } from '../lib/transport/tcp/tcp.js';
import type { ByteStream, ByteStreamHandler, TransportAddress } from '../lib/transport/transport.js';

const host = '127.0.0.1';
const options = tcpMappingOptions();
const userSide: TcpMappingSide = {
  role: 'user',
  sessionId: new Uint8Array(16),
  poolHandle: 'bench',
  peIdentifier: 1,
  failedOver: false,
  cookieFollows: false,
};
const elementSide: TcpMappingSide = { role: 'element', peIdentifier: 1, isMeant: () => true };

/** One way to carry messages from one end to another, and back. */
interface Way {
  readonly name: string;
  send(data: Uint8Array): void;
  /** The near end's message has arrived at the far one. */
  onArrival: (answer: (data: Uint8Array) => void) => void;
  onAnswer: () => void;
  close(): void;
}

function way(name: string, send: (data: Uint8Array) => void, close: () => void): Way {
  return { name, send, close, onArrival() {}, onAnswer() {} };
}

/** The two connections of a mapping over streams that `join` opens. */
async function mappingWay(
  name: string,
  join: (user: (stream: ByteStream) => ByteStreamHandler, element: (stream: ByteStream) => ByteStreamHandler) => void,
  close: () => void,
): Promise<Way> {
  let made: Way | undefined;
  const sequences = { user: 0, element: 0 };
  const outgoing = (side: keyof typeof sequences, data: Uint8Array): OutgoingMessage => ({
    ...{ type: 'message', sequence: ++sequences[side], data, streamId: 0, ppid: 0, inAnswerTo: 0 },
    ...{ lastAnswer: false, redelivered: false, unordered: false, left: false, position: 0 },
  });
  let user: TcpMappingConnection | undefined;
  await new Promise<void>((resolve) => {
    join(
      (stream) => {
        const connection = new TcpMappingConnection(stream, systemClock, options, userSide);
        user = connection;
        connection.handler = {
          ...noMappingHandler,
          onOpen: () => resolve(),
          onMessage(message: IncomingMessage) {
            connection.take(message);
            made?.onAnswer();
          },
        };
        return connection.streamHandler;
      },
      (stream) => {
        const connection = new TcpMappingConnection(stream, systemClock, options, elementSide);
        connection.handler = {
          ...noMappingHandler,
          onMessage(message: IncomingMessage) {
            connection.take(message);
            made?.onArrival((data) => connection.send(outgoing('element', data)));
          },
        };
        return connection.streamHandler;
      },
    );
  });
  made = way(name, (data) => void user?.send(outgoing('user', data)), close);
  return made;
}

function tcpWay(): Promise<Way> {
  let close = (): void => {};
  const join: Parameters<typeof mappingWay>[1] = (user, element) => {
    const listener = tcpTransport.listen(
      { host, port: 0 },
      {
        onListening: (at) => void tcpTransport.connect(at, { onOpen: user, onError: fail }),
        onConnection: element,
        onError: fail,
      },
    );
    close = () => listener.close();
  };
  return mappingWay('TCP mapping', join, () => close());
}

function stacks(): { near: PackageSctpStack; far: PackageSctpStack; close: () => void } {
  const near = new PackageSctpStack({ host, udpPort: 0 });
  const far = new PackageSctpStack({ host, udpPort: 0 });
  return {
    near,
    far,
    close() {
      near.close();
      far.close();
    },
  };
}

function sctpWay(): Promise<Way> {
  const { near, far, close } = stacks();
  const join: Parameters<typeof mappingWay>[1] = (user, element) => {
    const callbacks = {
      onListening: (at: TransportAddress) =>
        void mappingTransport(tcpTransport, near).connect(at, { onOpen: user, onError: fail }),
      onAssociation: (association: SctpAssociation) => acceptFrames(association, element) ?? noSctpHandler,
      onError: fail,
    };
    far.listen(0, callbacks, { adaptation: sctpMappingAdaptation });
  };
  return mappingWay('SCTP mapping', join, close);
}

async function stackWay(): Promise<Way> {
  const { near, far, close } = stacks();
  const info = { streamId: 0, ppid: 0 };
  let made: Way | undefined;
  const association = await new Promise<SctpAssociation>((resolve, reject) => {
    far.listen(0, {
      onListening: (at) =>
        void near.connect(at, {
          onOpen(opened) {
            resolve(opened);
            return { ...noSctpHandler, onMessage: () => made?.onAnswer() };
          },
          onError: reject,
        }),
      onAssociation: (accepted) => ({
        ...noSctpHandler,
        onMessage: () => made?.onArrival((data) => accepted.send(data, info)),
      }),
      onError: reject,
    });
  });
  made = way('our stack', (data) => association.send(data, info), close);
  return made;
}

interface PackageSocket {
  write(data: Uint8Array, done?: () => void): boolean;
  on(event: string, listener: (data: Uint8Array) => void): void;
  destroy(): void;
}

/** As its documentation has it: write, and wait for the callback. */
async function packageWay(): Promise<Way> {
  const { connect } = createRequire(import.meta.url)('sctp') as { connect(facts: object): PackageSocket };
  const bound = async (): Promise<DatagramSocket> => {
    const socket = createSocket('udp4').bind(0, host);
    await once(socket, 'listening');
    return socket;
  };
  const [near, far] = [await bound(), await bound()];
  const facts = { MIS: 2, OS: 2, ppid: 0, highWaterMark: 1 << 20, readableHighWaterMark: 1 << 20 };
  const end = (udpTransport: DatagramSocket, peer: DatagramSocket, passive: boolean): PackageSocket =>
    connect({
      ...facts,
      udpTransport,
      udpPeer: { address: host, port: peer.address().port },
      localPort: 5000,
      port: 5000,
      passive,
    });
  const element = end(far, near, true);
  const user = end(near, far, false);
  await new Promise<void>((resolve) => user.on('connect', () => resolve()));
  const close = (): void => {
    user.destroy();
    element.destroy();
    near.close();
    far.close();
  };
  const made = way('package as it ships', (data) => void user.write(data), close);
  element.on('data', () => made.onArrival((data) => void element.write(data)));
  user.on('data', () => made.onAnswer());
  return made;
}

function fail(error: Error): never {
  throw error;
}

/** Messages a second, one way, no more than `under` at a time. */
async function throughput(one: Way, size: number, count: number, under: number): Promise<number> {
  const data = new Uint8Array(size).fill(1);
  let sent = 0;
  let arrived = 0;
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const more = (): void => {
      while (sent < count && sent - arrived < under) {
        sent++;
        one.send(data);
      }
    };
    one.onArrival = () => {
      if (++arrived === count) resolve();
      else if (sent - arrived <= under / 2) more();
    };
    more();
  });
  return (count / (performance.now() - start)) * 1000;
}

async function roundTrips(one: Way, count: number): Promise<number> {
  const data = new Uint8Array(64).fill(1);
  one.onArrival = (answer) => answer(data);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => {
      one.onAnswer = resolve;
      one.send(data);
    });
  }
  return (count / (performance.now() - start)) * 1000;
}

const messages = Number(process.argv[2] ?? 20_000);
const ways = [tcpWay, sctpWay, stackWay, packageWay];
const rows = new Map<string, Record<string, number>>();
for (const open of ways) {
  const one = await open();
  const own = one.name === 'package as it ships';
  // The package is two orders slower, and one message at a time is what it survives.
  const scale = own ? 20 : 1;
  const small = await throughput(one, 1024, messages / scale, own ? 1 : 256);
  const large = await throughput(one, 64 * 1024, messages / 20 / scale, own ? 1 : 16);
  const trips = await roundTrips(one, messages / 10 / scale);
  rows.set(one.name, {
    '1 KiB msg/s': Math.round(small),
    '64 KiB MB/s': Math.round((large * 64) / 1024),
    'round trips/s': Math.round(trips),
  });
  one.close();
}
console.table(Object.fromEntries(rows));
const [sctp, bare] = [rows.get('SCTP mapping'), rows.get('package as it ships')];
const ratio = (name: string): number => (sctp?.[name] ?? 0) / (bare?.[name] ?? 1);
const goals = ['1 KiB msg/s', '64 KiB MB/s', 'round trips/s'].map((name) => `${name} x ${ratio(name).toFixed(1)}`);
console.log(`SCTP mapping against the package as it ships: ${goals.join(', ')}`);
process.exit(goals.every((_, i) => ratio(['1 KiB msg/s', '64 KiB MB/s', 'round trips/s'][i] ?? '') >= 1) ? 0 : 1);
