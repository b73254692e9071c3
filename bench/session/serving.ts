/** The serving process (`serving.js SIDES`): a registrar, and each service once for each side. */

import { once } from 'node:events';
import { createServer as createNetServer, type Socket as NetSocket } from 'node:net';
import { createRegistrar, createServer, type Message, OperationalScope, type Socket } from '../../lib/index.js';
import { corkedWriter, readFrames } from './frames.js';
import { type GrpcAnswer, type GrpcCall, grpcService, loadGrpc, loadWebSockets, type WebSocket } from './packages.js';
import { RollingSum } from './sum.js';
import { type Addresses, messageLength, oneWayMessages, type Service, services, sinkBytes } from './workloads.js';

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
  answer: (socket) => framed(socket, (bytes, write) => write(bytes)),
  count: (socket) => framed(socket, counting(oneWayMessages.net)),
};

const overFrames: Record<Service, (socket: NetSocket) => void> = {
  sink: (socket) => framed(socket, summed(sinkBytes)),
  echo: (socket) => framed(socket, (bytes, write) => write(bytes)),
  answer: (socket) => framed(socket, (bytes, write) => write(bytes)),
  count: (socket) => framed(socket, counting(oneWayMessages.framed)),
};

type Write = (bytes: Uint8Array) => void;

function framed(socket: NetSocket, onMessage: (bytes: Uint8Array, write: Write) => void): void {
  socket.setNoDelay(true);
  const write = corkedWriter(socket);
  readFrames(socket, (bytes) => onMessage(bytes, write));
}

/** Answers with length and sum each time that `total` bytes have come. */
function summed(total: number): (bytes: Uint8Array, write: Write) => void {
  let report: Write = ignore;
  const add = summing(total, (sum) => report(sum));
  return (bytes, write) => {
    report = write;
    add(bytes);
  };
}

function counting(messages: number): (bytes: Uint8Array, write: Write) => void {
  return summed(messages * messageLength);
}

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

function listenOverNet(serve: (socket: NetSocket) => void): Promise<number> {
  return new Promise((resolve) => {
    const server = createNetServer((socket) => serve(socket.on('error', ignore)));
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

/** What each message is answered with over the libraries. */
const perMessage: Readonly<Record<Service, (oneWay: number) => (bytes: Uint8Array, write: Write) => void>> = {
  sink: () => summed(sinkBytes),
  echo: () => (bytes, write) => write(bytes),
  answer: () => (bytes, write) => write(bytes),
  count: counting,
};

async function listenOverWebSockets(service: Service): Promise<number> {
  const { WebSocketServer } = loadWebSockets();
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket: WebSocket) => {
    const onMessage = perMessage[service](oneWayMessages.ws);
    const write: Write = (bytes) => socket.send(bytes, { binary: true }, ignore);
    socket.on('error', ignore).on('message', (bytes: Uint8Array) => onMessage(bytes, write));
  });
  await once(server, 'listening');
  return server.address().port;
}

function listenOverGrpc(): Promise<number> {
  const grpc = loadGrpc();
  const streaming =
    (service: Service) =>
    (call: GrpcCall): void => {
      const onMessage = perMessage[service](oneWayMessages.grpc);
      call.on('data', (bytes: Uint8Array) => onMessage(bytes, (answer) => void call.write(answer)));
      call.on('end', () => call.end()).on('error', ignore);
    };
  const server = new grpc.Server();
  server.addService(grpcService, {
    sink: streaming('sink'),
    echo: streaming('echo'),
    count: streaming('count'),
    answer: (call: { readonly request: Uint8Array }, answered: GrpcAnswer) => answered(null, call.request),
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
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
const sides = new Set((process.argv[2] ?? 'pool,net').split(','));
const none: Record<Service, number> = { sink: 0, echo: 0, answer: 0, count: 0 };
const ports = { net: { ...none }, framed: { ...none }, ws: { ...none } };
for (const service of services) {
  await listenOverPool(service, scope);
  ports.net[service] = await listenOverNet(overNet[service]);
  ports.framed[service] = await listenOverNet(overFrames[service]);
  if (sides.has('ws')) ports.ws[service] = await listenOverWebSockets(service);
}
const grpc = sides.has('grpc') ? await listenOverGrpc() : 0;
process.on('disconnect', () => process.exit());
process.send?.({ registrar, ports, grpc } satisfies Addresses);
