/**
 * Nameservice mode for users (draft-conrad-rserpool-service sections 3.2, 5.1 and 5.3): which server of a pool to talk
 * to, and which one after that failed. How to talk, and how to notice a failure, is the application's.
 */

import { checkBoolean, checkFunction, checkMilliseconds, checkObject } from '../arguments.js';
import type { Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import { aggregateError, RserpoolError } from '../errors.js';
import { defaultUserSessionOptions } from '../session/user-session-options.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { checkPoolHandle, checkScope } from './options.js';
import { poolView } from './pool-access.js';
import { type PoolServer, type SelectServer, selected, serversOf } from './select-server.js';

export interface NameserviceOptions {
  /** Default: the scope that all calls without this option share. */
  readonly scope?: OperationalScope;
  /** Default: the pool's member selection policy (RFC 5356). */
  readonly select?: SelectServer;
  /** Milliseconds for the registrar to answer. Default: 45,000 (T1-ENRPrequest, sent three times). */
  readonly timeout?: number;
}

export interface NextServerOptions {
  /**
   * Ask the registrar, whatever is known; while every registrar refuses connections, its last answer serves all the same,
   * for a minute. Default: false, an answer of the last second is good enough.
   */
  readonly refresh?: boolean;
}

/** One user's way through the servers of a pool. */
export interface Nameservice {
  readonly poolHandle: string;
  /**
   * IPAddressOfPrimaryServer: the server to begin with; what failed before is forgotten, except that servers that this
   * scope has just found unreachable come last. Rejects with ERR_RSERPOOL_UNKNOWN_POOL_HANDLE if there is no such pool,
   * ERR_RSERPOOL_NO_ENRP_SERVER or ERR_RSERPOOL_REQUEST_TIMEOUT without a registrar, and
   * ERR_RSERPOOL_MAPPING_NOT_AVAILABLE if no element has an IP address and a port.
   */
  primaryServer(): Promise<PoolServer>;
  /**
   * IPAddressOfNextServer: reports the server that was handed out last as unreachable (RFC 5352 section 6.9.2) and gives
   * another one, none that failed since `primaryServer`. Rejects as that does, and when none is left with an
   * AggregateError with the code ERR_RSERPOOL_FAILOVER_EXHAUSTED and one error for each server that failed.
   * Without `refresh`, what is known already serves if the registrar does not answer soon or knows the pool no more.
   */
  nextServer(options?: NextServerOptions): Promise<PoolServer>;
}

/** Nameservice mode for a pool; each user needs its own. Throws Node's argument errors; talks to nobody yet. */
export function nameservice(poolHandle: string, options: NameserviceOptions = {}): Nameservice {
  const name = checkPoolHandle(poolHandle);
  checkObject('options', options);
  if (options.select !== undefined) checkFunction('options.select', options.select);
  if (options.timeout !== undefined) checkMilliseconds('options.timeout', options.timeout);
  const located = checkScope(options.scope).locate(name);
  return new ServersOfPool(located.poolHandle, located.scope, options);
}

class ServersOfPool implements Nameservice {
  readonly poolHandle: string;
  readonly #scope: OperationalScope;
  readonly #select: SelectServer | undefined;
  readonly #timeout: number | undefined;
  /** The registrar's latest answer. */
  #known: Resolution | undefined;
  /** Handed out, and not reported since. */
  #handedOut: PoolServer | undefined;
  #failed = new Map<number, Error>();

  constructor(poolHandle: string, scope: OperationalScope, options: NameserviceOptions) {
    this.poolHandle = poolHandle;
    this.#scope = scope;
    this.#select = options.select;
    this.#timeout = options.timeout;
  }

  async primaryServer(): Promise<PoolServer> {
    this.#failed = new Map();
    this.#handedOut = undefined;
    this.#known = await this.#resolve(false);
    const suspected = suspectedElements(this.#scope, this.#known);
    return this.#handOut(this.#choose(this.#known, suspected) ?? this.#choose(this.#known, new Set()));
  }

  async nextServer(options: NextServerOptions = {}): Promise<PoolServer> {
    checkObject('options', options);
    if (options.refresh !== undefined) checkBoolean('options.refresh', options.refresh);
    this.#reportFailure();
    this.#known = options.refresh === true ? await this.#resolve(true) : await this.#mostCurrent();
    return this.#handOut(this.#choose(this.#known, new Set(this.#failed.keys())));
  }

  #reportFailure(): void {
    const server = this.#handedOut;
    if (server === undefined) return;
    this.#handedOut = undefined;
    const { poolHandle } = this;
    const detail = 'the application could not reach it';
    const facts = { poolHandle, element: server.identifier, origin: 'remote', detail } as const;
    this.#failed.set(server.identifier, new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', facts));
    this.#scope.endpoint.reportUnreachable(toPoolHandle(poolHandle), server.identifier);
  }

  /**
   * A registrar may fail together with a server, and one that has just started knows no pools yet: what was said before
   * is then the best that there is.
   */
  async #mostCurrent(): Promise<Resolution> {
    const known = this.#known;
    const spare = known?.elements.some((element) => !this.#failed.has(element.identifier)) ?? false;
    if (known === undefined || !spare) return this.#resolve(false);
    const patience = defaultUserSessionOptions.answerPatience;
    try {
      return await this.#resolve(false, Math.min(patience, this.#timeout ?? patience));
    } catch {
      return known;
    }
  }

  #resolve(fresh: boolean, timeout: number | undefined = this.#timeout): Promise<Resolution> {
    const limit = timeout === undefined ? {} : { timeout };
    return this.#scope.resolve(this.poolHandle, { fresh, hunt: 'once', ...limit });
  }

  #choose(resolution: Resolution, excluded: ReadonlySet<number>): PoolServer | undefined {
    const servers = serversOf(resolution.elements);
    if (servers.size === 0) throw noAddress(this.poolHandle, 'no element has an IP address and a port');
    if (this.#select !== undefined) return selected(this.#select, servers.values(), excluded);
    const passedOver = new Set(excluded);
    for (const { identifier } of resolution.elements) if (!servers.has(identifier)) passedOver.add(identifier);
    const { picker, state } = poolView(this.#scope, resolution);
    const element = picker.next(state, passedOver);
    return element === undefined ? undefined : servers.get(element.identifier);
  }

  #handOut(server: PoolServer | undefined): PoolServer {
    this.#handedOut = server;
    if (server !== undefined) return server;
    const { poolHandle } = this;
    const failures = [...this.#failed.values()];
    throw aggregateError('ERR_RSERPOOL_FAILOVER_EXHAUSTED', { poolHandle, origin: 'remote' }, failures);
  }
}

/** Those of the answer that failed lately, as far as this scope knows. */
export function suspectedElements(scope: OperationalScope, resolution: Resolution): ReadonlySet<number> {
  const suspected = new Set<number>();
  for (const { identifier } of resolution.elements)
    if (scope.endpoint.isSuspected(resolution.poolHandle, identifier)) suspected.add(identifier);
  return suspected;
}

/** The pool is there, but none of its elements can be reached in the way that was asked for. */
export function noAddress(poolHandle: string, detail: string): RserpoolError {
  return new RserpoolError('ERR_RSERPOOL_MAPPING_NOT_AVAILABLE', { poolHandle, detail, origin: 'remote' });
}
