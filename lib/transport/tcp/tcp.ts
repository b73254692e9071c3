/** Byte streams over TCP: Node's own sockets behind our callback interface. */

import { createConnection, createServer, type Socket } from 'node:net';
import { systemClock } from '../../clock.js';
import {
  type Attempt,
  type ByteStream,
  type ByteStreamHandler,
  type ByteStreamTransport,
  type ConnectCallbacks,
  type ListenCallbacks,
  type Listener,
  noHandler,
  socketTarget,
  type TransportAddress,
} from '../transport.js';
import { ReadBuffer } from './read-buffer.js';

/**
 * Closes a socket so that its far side hears of no orderly end. Node cannot reset while an end waits to be sent: it would neither
 * close nor tell, and keep the descriptor.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed || (socket.writableEnded && !socket.writableFinished)) socket.destroy();
  else socket.resetAndDestroy();
}

/** A connected `net.Socket` as a byte stream. */
export class TcpStream implements ByteStream {
  readonly socket: Socket;
  readonly localAddress: TransportAddress;
  readonly remoteAddress: TransportAddress;
  handler: ByteStreamHandler = noHandler;
  #error: Error | undefined;
  readonly #listeners = {
    data: (chunk: Uint8Array): void => this.handler.onData(chunk),
    drain: (): void => this.handler.onDrain(),
    end: (): void => this.handler.onEnd(),
    error: (error: Error): void => {
      this.#error = error;
    },
    close: (): void => this.handler.onClose(this.#error),
  };

  /** `bare`: the TCP connection under the socket, if that is another one. */
  constructor(socket: Socket, bare: Socket = socket) {
    this.socket = socket;
    this.localAddress = { host: bare.localAddress ?? '', port: bare.localPort ?? 0 };
    this.remoteAddress = { host: bare.remoteAddress ?? '', port: bare.remotePort ?? 0 };
    socket.setNoDelay(true);
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  /**
   * Gives the socket to another owner, as new: `unread` is what was read of it. Nothing here has to do with it from then on;
   * it may be used from the end of this tick.
   */
  release(unread: Uint8Array): Socket {
    const { socket } = this;
    for (const [event, listener] of Object.entries(this.#listeners)) socket.off(event, listener);
    socket.setNoDelay(false);
    // A stream that had listeners of 'readable' and has none any more is as one that nobody has read yet.
    const nobody = (): void => {};
    socket.on('readable', nobody);
    socket.off('readable', nobody);
    if (unread.length > 0) socket.unshift(unread);
    return socket;
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const { socket } = this;
    if (!socket.writable) return true;
    if (chunks.length === 1) return socket.write(chunks[0] as Uint8Array);
    // One writev for all of them.
    socket.cork();
    let accepted = true;
    for (const chunk of chunks) accepted = socket.write(chunk);
    socket.uncork();
    return accepted;
  }

  end(): void {
    this.socket.end();
  }

  destroy(how?: 'reset'): void {
    if (how === undefined) this.socket.destroy();
    else reset(this.socket);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  ref(): void {
    this.socket.ref();
  }

  unref(): void {
    this.socket.unref();
  }
}

function connect(target: TransportAddress, callbacks: ConnectCallbacks): Attempt {
  const reads = new ReadBuffer();
  let stream: TcpStream | undefined;
  const socket = createConnection({
    ...socketTarget(target),
    allowHalfOpen: true,
    onread: {
      buffer: () => reads.buffer,
      callback(length) {
        stream?.handler.onData(reads.take(length));
        return true;
      },
    },
  });
  let wanted = true;
  const fail = (error: Error): void => {
    if (wanted) callbacks.onError(error);
  };
  // An error that is on its way when the attempt is cancelled must not escape either: the listener stays.
  socket.on('error', fail);
  socket.once('connect', () => {
    socket.off('error', fail);
    wanted = false;
    stream = new TcpStream(socket);
    stream.handler = callbacks.onOpen(stream);
  });
  return {
    cancel() {
      if (!wanted) return;
      wanted = false;
      socket.removeAllListeners('connect');
      socket.destroy();
    },
  };
}

/**
 * Connections that may wait to be accepted, as far as the system allows (net's own default is 511): what a broken network
 * has cut comes back all at once, and who finds no room tries again only after a second.
 */
export const backlog = 4096;

function listen(at: TransportAddress, callbacks: ListenCallbacks): Listener {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // A connection that was reset before it was accepted has no far address and is of no use to anyone.
    if (socket.remoteAddress === undefined) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const stream = new TcpStream(socket);
    stream.handler = callbacks.onConnection(stream);
  });
  let open = true;
  server.on('error', (error) => {
    if (open) callbacks.onError(error);
  });
  // Workers of node:cluster would share the port, and a user would reach another element than the one it means.
  server.listen({ host: at.host, port: at.port, exclusive: true, backlog }, () => {
    // The name was still being looked up when it was closed.
    if (!open) {
      server.close();
      return;
    }
    const address = server.address();
    if (address !== null && typeof address === 'object')
      callbacks.onListening({ host: address.address, port: address.port });
  });
  return {
    close(onClosed) {
      open = false;
      // Node's own callback would wait until the last connection has closed; the port is free before that.
      server.close();
      if (onClosed !== undefined) systemClock.nextTurn(onClosed);
    },
    ref() {
      server.ref();
    },
    unref() {
      server.unref();
    },
  };
}

/** TCP by the operating system. `host` of a target may be a DNS name; Node tries its addresses in turn. */
export const tcpTransport: ByteStreamTransport = { connect, listen };
