/** The same work over `ws` and over `@grpc/grpc-js`. */

import { once } from 'node:events';
import { type MessagePath, messageSide, requestsInOrder } from './message-side.js';
import { type GrpcCall, grpcService, loadGrpc, loadWebSockets } from './packages.js';
import type { Ask, Side } from './runs.js';
import { type Addresses, oneWayMessages } from './workloads.js';

/** Bytes in a WebSocket's buffer from which we wait, and those at which we go on. */
const most = 256 * 1024;
const few = 128 * 1024;

async function webSocketPath(port: number): Promise<MessagePath> {
  const { WebSocket } = loadWebSockets();
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, 'open');
  let drained: (() => void) | undefined;
  const sent = (): void => {
    if (drained === undefined || socket.bufferedAmount > few) return;
    const go = drained;
    drained = undefined;
    go();
  };
  return {
    send(bytes) {
      socket.send(bytes, { binary: true }, sent);
      return socket.bufferedAmount < most;
    },
    onceDrained(listener) {
      drained = listener;
    },
    onMessage(listener) {
      socket.removeAllListeners('message').on('message', listener);
    },
  };
}

export async function wsSide({ ports: { ws } }: Addresses): Promise<Side> {
  const paths = {
    sink: await webSocketPath(ws.sink),
    echo: await webSocketPath(ws.echo),
    answer: await webSocketPath(ws.answer),
    count: await webSocketPath(ws.count),
  };
  return messageSide(paths, requestsInOrder(paths.answer), 1, oneWayMessages.ws);
}

function callPath(call: GrpcCall): MessagePath {
  return {
    send: (bytes) => call.write(bytes),
    onceDrained: (drained) => void call.once('drain', drained),
    onMessage: (listener) => void call.removeAllListeners('data').on('data', listener),
  };
}

export async function grpcSide({ grpc: port }: Addresses): Promise<Side> {
  const grpc = loadGrpc();
  const Client = grpc.makeGenericClientConstructor(grpcService, 'bench');
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const request: Ask = (bytes) =>
    new Promise((resolve, reject) => {
      client.answer(bytes, (error, answer) => (answer === undefined ? reject(error) : resolve(answer)));
    });
  const paths = {
    sink: callPath(client.sink()),
    echo: callPath(client.echo()),
    count: callPath(client.count()),
    answer: callPath(client.count()),
  };
  return messageSide(paths, request, 0.2, oneWayMessages.grpc);
}
