/** The elements of a pool that speak TCP, one after another in the order of its policy, each once. */

import { isIP } from 'node:net';
import type { Cancellable, Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import type { PoolElement } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { noAddress, suspectedElements } from './nameservice.js';
import { poolView } from './pool-access.js';

/** Where an element's service is. */
export interface ElementAddress {
  /** PE identifier. */
  readonly identifier: number;
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
}

export interface ElementsInTurnOptions {
  readonly scope: OperationalScope;
  readonly poolHandle: string;
  /** Milliseconds for the pool to appear, and for the registrar to answer. */
  readonly timeout: number;
  /** Only elements with addresses of this family. */
  readonly family: 4 | 6 | undefined;
}

export class ElementsInTurn {
  readonly #options: ElementsInTurnOptions;
  #resolution: Resolution | undefined;
  #refreshed = false;
  readonly #handedOut = new Set<number>();
  #pending: Cancellable | undefined;

  constructor(options: ElementsInTurnOptions) {
    this.#options = options;
  }

  /**
   * Calls back with the next element, never from within this call; with neither if there is none left, even after the
   * registrar was asked again; with an error if there is no telling, or if no element speaks TCP.
   */
  next(callback: (error: Error | undefined, element: ElementAddress | undefined) => void): void {
    const { scope, poolHandle, timeout } = this.#options;
    const handle = toPoolHandle(poolHandle);
    const choose = (resolution: Resolution): void => {
      this.#resolution = resolution;
      const addresses = this.#addresses(resolution);
      if (addresses.size === 0) callback(noAddress(poolHandle, 'no element speaks TCP'), undefined);
      else {
        const element = this.#choose(resolution, addresses);
        if (element !== undefined) this.#handedOut.add(element.identifier);
        if (element === undefined && !this.#refreshed) refresh();
        else callback(undefined, element);
      }
    };
    const answered = (error: Error | undefined, resolution: Resolution | undefined): void => {
      this.#pending = undefined;
      if (resolution !== undefined) choose(resolution);
      else callback(error, undefined);
    };
    // What is known may be old: those that came since are worth a try before the pool is given up.
    const refresh = (): void => {
      this.#refreshed = true;
      this.#pending = scope.endpoint.resolve(handle, { fresh: true, timeout, hunt: 'once' }, (_error, resolution) => {
        this.#pending = undefined;
        if (resolution !== undefined) choose(resolution);
        else callback(undefined, undefined);
      });
    };
    if (this.#resolution === undefined) this.#pending = scope.endpoint.awaitPool(handle, { timeout }, answered);
    else {
      const known = this.#resolution;
      scope.clock.defer(() => choose(known));
    }
  }

  /** It was tried, and could not be reached (RFC 5352 section 3.5). */
  reportUnreachable(element: ElementAddress): void {
    this.#options.scope.endpoint.reportUnreachable(toPoolHandle(this.#options.poolHandle), element.identifier);
  }

  stop(): void {
    this.#pending?.cancel();
  }

  #choose(resolution: Resolution, addresses: ReadonlyMap<number, ElementAddress>): ElementAddress | undefined {
    const { scope } = this.#options;
    const excluded = new Set(this.#handedOut);
    for (const { identifier } of resolution.elements) if (!addresses.has(identifier)) excluded.add(identifier);
    const { picker, state } = poolView(scope, resolution);
    // Those that have just failed come last.
    const unsuspected = new Set([...excluded, ...suspectedElements(scope, resolution)]);
    const element: PoolElement | undefined = picker.next(state, unsuspected) ?? picker.next(state, excluded);
    return element === undefined ? undefined : addresses.get(element.identifier);
  }

  #addresses(resolution: Resolution): ReadonlyMap<number, ElementAddress> {
    const addresses = new Map<number, ElementAddress>();
    for (const { identifier, userTransport } of resolution.elements) {
      if (userTransport.type !== 'tcp') continue;
      const { address, port } = userTransport;
      const family = isIP(address) as 4 | 6;
      if (this.#options.family !== undefined && this.#options.family !== family) continue;
      addresses.set(identifier, { identifier, address, family, port });
    }
    return addresses;
  }
}
