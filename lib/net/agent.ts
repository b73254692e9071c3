/**
 * `http.Agent` and `https.Agent` for pools: requests go to the pool's elements in the policy's order, over connections that
 * are kept alive for each element; what failed is tried elsewhere as far as that is safe (docs/clients.md).
 */

import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { AgentPools, type PoolAgentOptions, type WantedConnection } from './agent-pools.js';
import { AgentSocket } from './agent-socket.js';

/** Node's options for agents, with `keepAlive: true` as the default, and what pools take. */
export interface AgentOptions extends http.AgentOptions, PoolAgentOptions {}
export interface HttpsAgentOptions extends https.AgentOptions, PoolAgentOptions {}

type ConnectionCallback = (error: Error | null, stream: Duplex) => void;
type CreateConnection = (options: WantedConnection, callback?: ConnectionCallback) => Duplex | undefined;

/** The hooks of Node's agents that are documented for subclasses, as far as its types leave them out. */
interface AgentHooks {
  readonly createConnection: CreateConnection;
  keepSocketAlive(socket: Duplex): boolean;
  readonly options: { readonly timeout?: number };
}

const plain = http.Agent.prototype as unknown as AgentHooks;
const secure = https.Agent.prototype as unknown as AgentHooks;

/** Whether http may give the socket to another request: ours always can take one. */
function keepAlive(agent: http.Agent, socket: AgentSocket): boolean {
  const timeout = (agent as unknown as AgentHooks).options.timeout ?? 0;
  if ((socket.timeout ?? 0) !== timeout) socket.setTimeout(timeout);
  socket.unref();
  return true;
}

/** An agent for `http.request` and all that stand on it. Throws Node's argument errors. */
export class Agent extends http.Agent {
  readonly #pools: AgentPools;

  constructor(options: AgentOptions = {}) {
    super({ keepAlive: true, ...nodeOptions(options) });
    this.#pools = new AgentPools(options, false, this.maxFreeSockets);
  }

  /** Node calls it for each new connection. */
  override createConnection(options: WantedConnection, callback?: ConnectionCallback): Duplex | undefined {
    return this.#pools.socket(options, '') ?? plain.createConnection.call(this, options, callback);
  }

  /** Node calls it when a response has been read. */
  override keepSocketAlive(socket: Duplex): boolean {
    return socket instanceof AgentSocket ? keepAlive(this, socket) : plain.keepSocketAlive.call(this, socket);
  }

  /** As Node's; also closes the connections that wait for requests. The agent may be used again. */
  override destroy(): void {
    super.destroy();
    this.#pools.close();
  }
}

/** The same for `https.request`. See `secureDial` for the name that certificates are checked against. */
export class HttpsAgent extends https.Agent {
  readonly #pools: AgentPools;

  constructor(options: HttpsAgentOptions = {}) {
    super({ keepAlive: true, ...nodeOptions(options) });
    this.#pools = new AgentPools(options, true, this.maxFreeSockets);
  }

  override createConnection(options: WantedConnection, callback?: ConnectionCallback): Duplex | undefined {
    // Everything that makes TLS connections differ, but not where they go to.
    const key = this.getName({ ...options, host: '', port: 0 } as https.RequestOptions);
    return this.#pools.socket(options, key) ?? secure.createConnection.call(this, options, callback);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return socket instanceof AgentSocket ? keepAlive(this, socket) : secure.keepSocketAlive.call(this, socket);
  }

  override destroy(): void {
    super.destroy();
    this.#pools.close();
  }
}

/** Node's agents add all their options to each request's: ours are none of http's business. */
function nodeOptions<Options extends PoolAgentOptions>(options: Options): Omit<Options, keyof PoolAgentOptions> {
  const {
    poolHandle: _poolHandle,
    scope: _scope,
    connectTimeout: _connectTimeout,
    attemptTimeout: _attemptTimeout,
    failureTimeout: _failureTimeout,
    idleTimeout: _idleTimeout,
    replayLimit: _replayLimit,
    maxRetries: _maxRetries,
    isIdempotent: _isIdempotent,
    isError: _isError,
    errorsUntilSetAside: _errorsUntilSetAside,
    setAsideTime: _setAsideTime,
    ...rest
  } = options;
  return rest;
}
