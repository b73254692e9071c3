/** `Socket` and `Server` as net exports them: classes that may be called without `new`. */

import type net from 'node:net';
import { callable } from './callable.js';
import { Server as PoolServer } from './server.js';
import { Socket as PoolSocket, type SocketOptions } from './socket.js';

/** A `net.Socket` that can also be with a pool. */
export type Socket = PoolSocket;

/** A `net.Server` that can also be a pool element. */
export type Server = PoolServer;

export const Socket: typeof PoolSocket & ((options?: SocketOptions) => PoolSocket) = callable(PoolSocket);

export const Server: typeof PoolServer &
  ((options?: net.ServerOpts, onConnection?: (socket: PoolSocket) => void) => PoolServer) &
  ((onConnection?: (socket: PoolSocket) => void) => PoolServer) = callable(PoolServer);
