/** Net with a length in front of each message, corked: streams too, so that they keep boundaries as a session's do. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { corkedWriter, readFrames } from './frames.js';
import { type MessagePath, messageSide, requestsInOrder } from './message-side.js';
import type { Side } from './runs.js';
import { type Addresses, oneWayMessages } from './workloads.js';

/** Bytes in the socket's buffer from which we wait. */
const most = 128 * 1024;

async function framedPath(port: number): Promise<MessagePath> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let listener = (_bytes: Uint8Array): void => {};
  readFrames(socket, (bytes) => listener(bytes));
  const write = corkedWriter(socket);
  return {
    send(bytes) {
      write(bytes);
      return socket.writableLength < most;
    },
    onceDrained: (drained) => void socket.once('drain', drained),
    onMessage(next) {
      listener = next;
    },
  };
}

export async function framedSide({ ports }: Addresses): Promise<Side> {
  const { framed } = ports;
  const paths = {
    sink: await framedPath(framed.sink),
    echo: await framedPath(framed.echo),
    answer: await framedPath(framed.answer),
    count: await framedPath(framed.count),
  };
  return messageSide(paths, requestsInOrder(paths.answer), 1, oneWayMessages.framed);
}
