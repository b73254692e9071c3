/** The serving process: a registrar, and for each service a pool element and a bare net server. */

import { createServer as createNetServer, type Socket as NetSocket } from 'node:net';
import { createRegistrar, createServer, type Message, OperationalScope, type Socket } from '../../lib/index.js';
import { corkedWriter, frame, readFrames } from './frames.js';
import { RollingSum } from './sum.js';
import { type Addresses, messageLength, oneWayMessages, type Service, sinkBytes } from './workloads.js';

/** Reports length and sum each time that `total` bytes have come. */
function summing(total: number, report: (sum: Uint8Array) => void): (bytes: Uint8Array) => void {
  let sum = new RollingSum();
  return (bytes) => {
    sum.add(bytes);
    if (sum.length < total) return;
    report(sum.encode());
    sum = new RollingSum();
  };
}

const ignore = (): void => {};

const overNet: Record<Service, (socket: NetSocket) => void> = {
  sink: (socket) =>
    void socket.on(
      'data',
      summing(sinkBytes, (sum) => void socket.write(sum)),
    ),
  echo: (socket) => void socket.pipe(socket),
  answer: (socket) => {
    socket.setNoDelay(true);
    const write = corkedWriter(socket);
    readFrames(socket, write);
  },
  count: (socket) => {
    const report = (sum: Uint8Array): void => void socket.write(frame(sum));
    readFrames(socket, summing(oneWayMessages.net * messageLength, report));
  },
};

interface PoolService {
  onConnection?(socket: Socket): void;
  onMessage?(message: Message): void;
}

const overPool: Record<Service, PoolService> = {
  sink: {
    onConnection: (socket) =>
      void socket.on(
        'data',
        summing(sinkBytes, (sum) => void socket.write(sum)),
      ),
  },
  echo: { onConnection: (socket) => void socket.pipe(socket) },
  answer: { onMessage: (message) => void message.reply(message.data) },
  count: {
    onConnection: (socket) => {
      const add = summing(oneWayMessages.pool * messageLength, (sum) => void socket.send(sum));
      socket.on('message', (message: Message) => add(message.data));
    },
  },
};

function listenOverNet(service: Service): Promise<number> {
  return new Promise((resolve) => {
    const server = createNetServer((socket) => overNet[service](socket.on('error', ignore)));
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

function listenOverPool(service: Service, scope: OperationalScope): Promise<void> {
  return new Promise((resolve, reject) => {
    const { onConnection, onMessage } = overPool[service];
    const server = createServer((socket) => onConnection?.(socket));
    server.once('error', reject);
    server.once('registered', () => resolve());
    server.listen({ poolHandle: service, scope, host: '127.0.0.1', ...(onMessage && { onMessage }) });
  });
}

const registrar = await new Promise<string>((resolve, reject) => {
  createRegistrar({ port: 0 })
    .on('error', reject)
    .listen((address) => resolve(`${address.host}:${address.port}`));
});
const scope = new OperationalScope({ registrars: registrar });
const ports: Partial<Record<Service, number>> = {};
for (const service of ['sink', 'echo', 'answer', 'count'] as const) {
  await listenOverPool(service, scope);
  ports[service] = await listenOverNet(service);
}
process.on('disconnect', () => process.exit());
process.send?.({ registrar, ports: ports as Record<Service, number> } satisfies Addresses);
