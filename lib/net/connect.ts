/** `net.connect` and `net.createServer` with pools: every call form of net's, and ours beside them. */

import type net from 'node:net';
import tls from 'node:tls';
import type { TlsTransportOptions } from '../transport/tls/tls.js';
import type { ServerOptions } from './listen-options.js';
import { checkTlsOf, type PoolConnectOptions, poolTarget } from './options.js';
import { Server } from './server.js';
import { Socket } from './socket.js';

/** Nameservice mode over TLS: the connection is one of Node's `tls`. */
export interface PlainTlsOptions {
  readonly mode: 'nameservice';
  readonly tls: TlsTransportOptions | true;
}

/**
 * Connects to a pool (`{ poolHandle }`, or 'pool:NAME' in the place of net's path), or to whatever net connects to.
 * The socket comes back at once; 'connect' or 'error' follows.
 */
export function connect(
  options: PoolConnectOptions & net.SocketConstructorOpts & PlainTlsOptions,
  onSecureConnect?: () => void,
): tls.TLSSocket;
export function connect(options: PoolConnectOptions & net.SocketConstructorOpts, onConnect?: () => void): Socket;
export function connect(pool: `pool:${string}`, onConnect?: () => void): Socket;
export function connect(options: net.NetConnectOpts, onConnect?: () => void): Socket;
export function connect(port: number, host?: string, onConnect?: () => void): Socket;
export function connect(port: number, onConnect?: () => void): Socket;
export function connect(path: string, onConnect?: () => void): Socket;
export function connect(...args: unknown[]): Socket | tls.TLSSocket {
  const [first] = args;
  const options = typeof first === 'object' && first !== null ? (first as net.SocketConstructorOpts) : undefined;
  const target = poolTarget(first);
  const secure = target?.mode === 'nameservice' ? checkTlsOf(target.tls, target.poolHandle) : undefined;
  if (target !== undefined && secure !== undefined) return connectTls(target, secure, args);
  const socket = new Socket(options);
  const timeout = (options as { timeout?: number } | undefined)?.timeout;
  if (timeout !== undefined) socket.setTimeout(timeout);
  return socket.connect(...args);
}

/** The name in the certificate is that of the pool, whichever element it is. */
function connectTls(target: PoolConnectOptions, options: TlsTransportOptions, args: readonly unknown[]): tls.TLSSocket {
  // TLS has a last word to say after the far side's, whoever ended first.
  const socket = connect({ ...target, tls: false, allowHalfOpen: true });
  const { pskCallback: _, pskIdentityHint: __, pskClientCallback, ...context } = options;
  const shared = pskClientCallback === undefined ? {} : { pskCallback: pskClientCallback };
  const secured = tls.connect({ ...context, ...(shared as Pick<tls.ConnectionOptions, 'pskCallback'>), socket });
  secured.allowHalfOpen = (target as net.SocketConstructorOpts).allowHalfOpen ?? false;
  const onSecureConnect = args.find((arg) => typeof arg === 'function') as (() => void) | undefined;
  if (onSecureConnect !== undefined) secured.once('secureConnect', onSecureConnect);
  return secured;
}

export const createConnection: typeof connect = connect;

/** A server that `listen`s on a port as net's does, or as an element of a pool. */
export function createServer(options?: ServerOptions, onConnection?: (socket: Socket) => void): Server;
export function createServer(onConnection?: (socket: Socket) => void): Server;
export function createServer(options?: unknown, onConnection?: unknown): Server {
  return new (Server as new (...all: unknown[]) => Server)(options, onConnection);
}
