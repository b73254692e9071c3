/** What the http and the https agent have in common: their options, and the pools that they have connections to. */

import net from 'node:net';
import tls from 'node:tls';
import { checkFunction, checkInteger, checkMilliseconds, checkObject } from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import { defaultUserSessionOptions } from '../session/user-session-options.js';
import { AgentConnections } from './agent-connections.js';
import { AgentSocket, type AgentSocketOptions } from './agent-socket.js';
import { ElementChoice } from './element-choice.js';
import type { Dialled } from './element-dialling.js';
import { checkPoolHandle, checkScope } from './options.js';
import type { PoolServer } from './select-server.js';

/** What an agent takes beside Node's own options. Times in milliseconds, sizes in bytes. */
export interface PoolAgentOptions {
  /** All requests go to this pool. Default: those to hosts named `NAME.pool` go to the pool NAME, others where they say. */
  readonly poolHandle?: string;
  /** Default: the scope that all calls without this option share. */
  readonly scope?: OperationalScope;
  /** To reach an element: registrar, pool and element may come up meanwhile. Default: 30,000. */
  readonly connectTimeout?: number;
  /** For one element to accept a connection, with its TLS handshake. Default: 2,000. */
  readonly attemptTimeout?: number;
  /**
   * Silence after which an element that something is awaited from has failed, unless it answers `OPTIONS *` on another
   * connection: at half of it that is asked. At least 30. Default: 1,000.
   */
  readonly failureTimeout?: number;
  /** How long a connection is kept between requests. Default: 4,000, less than the 5,000 of Node's http servers. */
  readonly idleTimeout?: number;
  /** How much of a request is kept, so that it can be repeated at another element. Default: 1 MiB. */
  readonly replayLimit?: number;
  /** How often one request is repeated. Default: 16. */
  readonly maxRetries?: number;
  /** Whether a request may be sent twice. Default: GET, HEAD, PUT, DELETE, OPTIONS, TRACE, and any with an Idempotency-Key. */
  readonly isIdempotent?: (method: string) => boolean;
  /** Whether a response counts against its element. Default: 500 and above. */
  readonly isError?: (statusCode: number) => boolean;
  /** Such responses in a row after which an element is used only if no other is left; 0: never. Default: 5. */
  readonly errorsUntilSetAside?: number;
  /** For how long. Default: 10,000. */
  readonly setAsideTime?: number;
}

/** RFC 9110 section 9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

const times = ['connectTimeout', 'attemptTimeout', 'setAsideTime'] as const;

/** What is asked of a connection: the options of the request, with those of the agent. */
export interface WantedConnection extends tls.ConnectionOptions {
  readonly socketPath?: string | undefined;
}

/** The pools of one agent. */
export class AgentPools {
  readonly #given: PoolAgentOptions;
  readonly #secure: boolean;
  readonly #mostIdle: number;
  readonly #socketOptions: AgentSocketOptions;
  readonly #choices = new Map<string, ElementChoice>();
  readonly #connections = new Map<string, AgentConnections>();
  #scope: OperationalScope | undefined;

  /** Throws Node's argument errors. `mostIdle`: connections without a request for each element. */
  constructor(given: PoolAgentOptions, secure: boolean, mostIdle: number) {
    checkPoolAgentOptions(given);
    this.#given = given;
    this.#secure = secure;
    this.#mostIdle = mostIdle;
    this.#scope = given.scope;
    const isIdempotent = given.isIdempotent ?? ((method: string): boolean => idempotentMethods.has(method));
    const always = given.isIdempotent === undefined;
    this.#socketOptions = {
      replayLimit: given.replayLimit ?? 2 ** 20,
      maxRetries: given.maxRetries ?? 16,
      encrypted: secure,
      isError: given.isError ?? ((statusCode) => statusCode >= 500),
      mayRepeat: (head) =>
        isIdempotent(head.slice(0, head.indexOf(' '))) || (always && /\r\nidempotency-key:/i.test(head)),
    };
  }

  /** A socket for a request, or undefined if it goes to no pool. `key`: what makes TLS connections differ. */
  socket(wanted: WantedConnection, key: string): AgentSocket | undefined {
    const poolHandle = wanted.socketPath ? undefined : (this.#given.poolHandle ?? poolOfHost(wanted.host));
    if (poolHandle === undefined) return undefined;
    return new AgentSocket(this.#connectionsTo(poolHandle, wanted, key), this.#socketOptions);
  }

  /** Closes idle connections, and hears of no pool until the next request. */
  close(): void {
    for (const connections of this.#connections.values()) connections.close();
    for (const choice of this.#choices.values()) choice.close();
    this.#connections.clear();
    this.#choices.clear();
  }

  #connectionsTo(poolHandle: string, wanted: WantedConnection, key: string): AgentConnections {
    const name = `${poolHandle}\n${key}`;
    let connections = this.#connections.get(name);
    if (connections === undefined) {
      const given = this.#given;
      const dial = this.#secure ? secureDial(poolHandle, wanted) : plainDial;
      connections = new AgentConnections(this.#choiceOf(poolHandle), dial, {
        connectTimeout: given.connectTimeout ?? defaultUserSessionOptions.connectTimeout,
        attemptTimeout: given.attemptTimeout ?? 2_000,
        failureTimeout: given.failureTimeout ?? 1_000,
        idleTimeout: given.idleTimeout ?? 4_000,
        mostIdle: this.#mostIdle,
      });
      this.#connections.set(name, connections);
    }
    return connections;
  }

  #choiceOf(poolHandle: string): ElementChoice {
    let choice = this.#choices.get(poolHandle);
    if (choice === undefined) {
      this.#scope ??= checkScope(undefined);
      choice = new ElementChoice(this.#scope, poolHandle, {
        exclusion: defaultUserSessionOptions.exclusion,
        errorsUntilSetAside: this.#given.errorsUntilSetAside ?? 5,
        setAsideTime: this.#given.setAsideTime ?? 10_000,
      });
      this.#choices.set(poolHandle, choice);
    }
    return choice;
  }
}

/** Throws Node's argument errors. */
export function checkPoolAgentOptions(given: PoolAgentOptions): void {
  checkObject('options', given);
  if (given.poolHandle !== undefined) checkPoolHandle(given.poolHandle);
  if (given.scope !== undefined) checkScope(given.scope);
  for (const name of times) if (given[name] !== undefined) checkMilliseconds(`options.${name}`, given[name]);
  if (given.failureTimeout !== undefined)
    checkMilliseconds('options.failureTimeout', given.failureTimeout, 'finite', 30);
  if (given.idleTimeout !== undefined) checkMilliseconds('options.idleTimeout', given.idleTimeout, 'finite', 1);
  for (const name of ['replayLimit', 'maxRetries', 'errorsUntilSetAside'] as const)
    if (given[name] !== undefined) checkInteger(`options.${name}`, given[name], 0);
  for (const name of ['isIdempotent', 'isError'] as const)
    if (given[name] !== undefined) checkFunction(`options.${name}`, given[name]);
}

const poolSuffix = '.pool';

/** The pool that a host name such as `web.pool` stands for. */
export function poolOfHost(host: string | undefined): string | undefined {
  if (host === undefined || host.length <= poolSuffix.length) return undefined;
  return host.toLowerCase().endsWith(poolSuffix) ? host.slice(0, -poolSuffix.length) : undefined;
}

/** A TCP connection to an element. */
export function plainDial({ address, port }: PoolServer): Dialled {
  return { socket: net.connect({ host: address, port, noDelay: true }), readyEvent: 'connect' };
}

/**
 * TLS to the elements of a pool. The certificate is checked against `servername`, or else the host name of the request;
 * for `NAME.pool` that is the pool handle. Each element's last TLS session is resumed.
 */
export function secureDial(poolHandle: string, wanted: tls.ConnectionOptions): (server: PoolServer) => Dialled {
  const sessions = new Map<number, Buffer>();
  const named = wanted.servername;
  const servername = named === undefined || poolOfHost(named) !== undefined ? poolHandle : named;
  return ({ identifier, address, port }) => {
    const session = sessions.get(identifier);
    const { path: _, socket: __, lookup: ___, ...options } = wanted;
    const socket = tls.connect({
      ...options,
      ...(session === undefined ? {} : { session }),
      ...(servername === '' ? {} : { servername }),
      host: address,
      port,
    });
    socket.setNoDelay(true);
    socket.on('session', (ticket) => sessions.set(identifier, ticket));
    socket.on('error', () => sessions.delete(identifier));
    return { socket, readyEvent: 'secureConnect' };
  };
}
