/**
 * A connector for undici (`new Agent({ connect: connector({ poolHandle }) })`), and with it for `fetch`: connections go to
 * the pool's elements in the policy's order. What becomes of requests on a connection that breaks is undici's business: its
 * RetryAgent repeats them.
 */

import type { Socket } from 'node:net';
import type tls from 'node:tls';
import { checkBoolean } from '../arguments.js';
import { defaultUserSessionOptions } from '../session/user-session-options.js';
import { checkPoolAgentOptions, type PoolAgentOptions, plainDial, poolOfHost, secureDial } from './agent-pools.js';
import { ElementChoice } from './element-choice.js';
import { type Dialled, ElementDialling } from './element-dialling.js';
import { ElementWatch, type WatchedConnection } from './element-watch.js';
import { httpProbe } from './http-probe.js';
import { checkScope } from './options.js';
import type { PoolServer } from './select-server.js';

/** What connections are made with; of PoolAgentOptions that which concerns connections, and tls.connect's for https. */
export interface ConnectorOptions
  extends Pick<PoolAgentOptions, 'poolHandle' | 'scope' | 'connectTimeout' | 'attemptTimeout' | 'failureTimeout'>,
    Omit<tls.ConnectionOptions, 'host' | 'port' | 'path' | 'socket'> {
  /** Offer HTTP/2 over TLS. Default: false, as undici's. */
  readonly allowH2?: boolean;
}

/** Where undici wants to connect to. */
export interface ConnectorTarget {
  readonly hostname: string;
  readonly host?: string | undefined;
  readonly protocol: string;
  readonly port?: string | undefined;
  readonly servername?: string | null | undefined;
  readonly localAddress?: string | null | undefined;
}

export type ConnectorCallback = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;
export type Connector = (target: ConnectorTarget, callback: ConnectorCallback) => void;

/**
 * Connections to the pool `poolHandle`, or without one to the pool that a host `NAME.pool` names. An element that was frozen
 * or cut off while undici waits for it is noticed within `failureTimeout`: its connections are destroyed, and undici
 * fails their requests with UND_ERR_SOCKET. Throws Node's argument errors.
 */
export function connector(options: ConnectorOptions = {}): Connector {
  checkPoolAgentOptions(options);
  if (options.allowH2 !== undefined) checkBoolean('options.allowH2', options.allowH2);
  const { poolHandle, scope, connectTimeout, attemptTimeout = 2_000, failureTimeout = 1_000, ...rest } = options;
  const { allowH2 = false, ...tlsOptions } = rest;
  const times = { connectTimeout: connectTimeout ?? defaultUserSessionOptions.connectTimeout, attemptTimeout };
  const pools = new Map<string, UndiciPool>();

  return (target, callback) => {
    const pool = poolHandle ?? poolOfHost(target.hostname);
    if (pool === undefined) {
      const error = new TypeError(`no pool: the host name '${target.hostname}' does not end in .pool`);
      callback(error, null);
      return;
    }
    const secure = target.protocol === 'https:';
    const servername = target.servername ?? tlsOptions.servername ?? target.hostname;
    const key = secure ? `${pool}\n${servername}` : pool;
    let found = pools.get(key);
    if (found === undefined) {
      const ALPNProtocols = allowH2 ? ['h2', 'http/1.1'] : ['http/1.1'];
      const dial = secure ? secureDial(pool, { ALPNProtocols, ...tlsOptions, servername }) : plainDial;
      const choice = new ElementChoice(checkScope(scope), pool, {
        exclusion: defaultUserSessionOptions.exclusion,
        errorsUntilSetAside: 0,
        setAsideTime: 0,
      });
      found = new UndiciPool(choice, dial, { ...times, failureTimeout });
      pools.set(key, found);
    }
    found.connect(callback);
  };
}

interface Times {
  readonly connectTimeout: number;
  readonly attemptTimeout: number;
  readonly failureTimeout: number;
}

class UndiciPool {
  readonly #choice: ElementChoice;
  readonly #dial: (server: PoolServer) => Dialled;
  readonly #times: Times;
  readonly #watch: ElementWatch;

  constructor(choice: ElementChoice, dial: (server: PoolServer) => Dialled, times: Times) {
    const { clock } = choice.scope;
    const { failureTimeout } = times;
    this.#choice = choice;
    this.#dial = dial;
    this.#times = times;
    const probe = httpProbe(clock, failureTimeout / 2, (server) => dial(server).socket);
    this.#watch = new ElementWatch(clock, failureTimeout, (server, callback) =>
      probe(server, (alive) => {
        if (!alive) choice.failed(server.identifier, 'silent');
        callback(alive);
      }),
    );
  }

  connect(callback: ConnectorCallback): void {
    new ElementDialling(this.#choice, this.#dial, this.#times, (error, socket, server) => {
      if (socket === undefined || server === undefined) callback(error as Error, null);
      else {
        this.#keepWatch(socket, server);
        callback(null, socket);
      }
    });
  }

  /** undici lets a connection hold the process while, and only while, it waits for something on it. */
  #keepWatch(socket: Socket, server: PoolServer): void {
    const connection: WatchedConnection = {
      server,
      get bytesRead() {
        return socket.bytesRead;
      },
      onElementSilent: () => void socket.destroy(),
    };
    const { ref, unref } = socket;
    socket.ref = () => {
      this.#watch.add(connection);
      return ref.call(socket);
    };
    socket.unref = () => {
      this.#watch.remove(connection);
      return unref.call(socket);
    };
    socket.once('close', () => this.#watch.remove(connection));
    this.#watch.add(connection);
  }
}
