/** `net.connect` and `net.createServer` with pools: every call form of net's, and ours beside them. */

import type net from 'node:net';
import type { PoolConnectOptions } from './options.js';
import { Server } from './server.js';
import { Socket } from './socket.js';

/**
 * Connects to a pool (`{ poolHandle }`, or 'pool:NAME' in the place of net's path), or to whatever net connects to.
 * The socket comes back at once; 'connect' or 'error' follows.
 */
export function connect(options: PoolConnectOptions & net.SocketConstructorOpts, onConnect?: () => void): Socket;
export function connect(pool: `pool:${string}`, onConnect?: () => void): Socket;
export function connect(options: net.NetConnectOpts, onConnect?: () => void): Socket;
export function connect(port: number, host?: string, onConnect?: () => void): Socket;
export function connect(port: number, onConnect?: () => void): Socket;
export function connect(path: string, onConnect?: () => void): Socket;
export function connect(...args: unknown[]): Socket {
  const [first] = args;
  const options = typeof first === 'object' && first !== null ? (first as net.SocketConstructorOpts) : undefined;
  const socket = new Socket(options);
  const timeout = (options as { timeout?: number } | undefined)?.timeout;
  if (timeout !== undefined) socket.setTimeout(timeout);
  return socket.connect(...args);
}

export const createConnection: typeof connect = connect;

/** A server that `listen`s on a port as net's does, or as an element of a pool. */
export function createServer(options?: net.ServerOpts, onConnection?: (socket: Socket) => void): Server;
export function createServer(onConnection?: (socket: Socket) => void): Server;
export function createServer(options?: unknown, onConnection?: unknown): Server {
  return new (Server as new (...all: unknown[]) => Server)(options, onConnection);
}
