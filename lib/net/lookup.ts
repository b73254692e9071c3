/**
 * `dns.lookup` with pools: a host name such as `echo.pool` stands for the elements of the pool `echo`, so that anything
 * that takes a `lookup` function (net, tls, http, dgram) reaches pools.
 *
 * dns.lookup gives no port: the elements of such a pool must all have the port that the caller connects to. Where they
 * have ports of their own, `nameservice()` is the way.
 */

import dns from 'node:dns';
import { isIP } from 'node:net';
import {
  checkFunction,
  checkMilliseconds,
  checkObject,
  checkString,
  invalidArgumentType,
  invalidArgumentValue,
} from '../arguments.js';
import type { Resolution } from '../asap/resolution.js';
import type { OperationalScope } from '../asap/scope.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { guard } from './guarded.js';
import { noAddress, suspectedElements } from './nameservice.js';
import { checkScope } from './options.js';
import { poolView } from './pool-access.js';
import { serversOf } from './select-server.js';

type LookupError = NodeJS.ErrnoException | null;
type OneAddress = (error: LookupError, address: string, family: number) => void;
type AllAddresses = (error: LookupError, addresses: dns.LookupAddress[]) => void;
type AnyAddresses = (error: LookupError, address: string | dns.LookupAddress[], family?: number) => void;

/** The call forms of `dns.lookup`. `family` and `all` are honoured; the order is always the pool's policy's. */
export interface Lookup {
  (hostname: string, callback: OneAddress): void;
  (hostname: string, options: dns.LookupOneOptions | number, callback: OneAddress): void;
  (hostname: string, options: dns.LookupAllOptions, callback: AllAddresses): void;
  (hostname: string, options: dns.LookupOptions, callback: AnyAddresses): void;
}

export interface CreateLookupOptions {
  /** Default: the scope that all calls without this option share. */
  readonly scope?: OperationalScope;
  /** What host names end in that mean a pool; the rest is the pool handle. '': none does. Default: '.pool'. */
  readonly suffix?: string;
  /** Pool handles that are host names as they are, without a suffix. Default: none. */
  readonly pools?: readonly string[];
  /** Milliseconds for the registrar to answer. Default: 45,000 (T1-ENRPrequest, sent three times). */
  readonly timeout?: number;
}

/**
 * Makes a `lookup` function. A host name that means no pool is looked up by `dns.lookup`. One that does, and whose pool
 * is not known, fails with ERR_RSERPOOL_UNKNOWN_POOL_HANDLE and is not asked of the DNS; a pool without an address of the
 * family asked for with ERR_RSERPOOL_MAPPING_NOT_AVAILABLE; without a registrar as `scope.resolve` does.
 * Throws Node's argument errors.
 */
export function createLookup(options: CreateLookupOptions = {}): Lookup {
  checkObject('options', options);
  const { suffix = '.pool', pools = [], timeout } = options;
  checkString('options.suffix', suffix);
  if (!Array.isArray(pools)) throw invalidArgumentType('options.pools', 'an instance of Array', pools);
  for (const pool of pools) checkString('options.pools', pool);
  if (timeout !== undefined) checkMilliseconds('options.timeout', timeout);
  const limit = timeout === undefined ? {} : { timeout };
  const named = new Set(pools);
  // The shared scope is made when it is needed: it reads the environment.
  const given = options.scope === undefined ? undefined : checkScope(options.scope);

  const lookup = (hostname: string, second: unknown, third?: unknown): void => {
    const poolHandle = poolOf(hostname, suffix, named);
    if (poolHandle === undefined) {
      (dns.lookup as (...all: unknown[]) => void)(
        ...(third === undefined ? [hostname, second] : [hostname, second, third]),
      );
      return;
    }
    const callback = third ?? second;
    checkFunction('callback', callback);
    const { family, all } = wanted(third === undefined ? undefined : second);
    const { scope, poolHandle: located } = (given ?? checkScope(undefined)).locate(poolHandle);
    const answer = (...args: unknown[]): void =>
      void guard(scope.clock, () => (callback as (...every: unknown[]) => void)(...args));
    scope.endpoint.resolve(toPoolHandle(located), { hunt: 'once', ...limit }, (error, resolution) => {
      if (resolution === undefined) {
        answer(error);
        return;
      }
      const addresses = addressesByPolicy(scope, resolution, family);
      const [first] = addresses;
      if (first === undefined)
        answer(noAddress(poolHandle, family === 0 ? 'no element has one' : `none has IPv${family}`));
      else if (all) answer(null, addresses);
      else answer(null, first.address, first.family);
    });
  };
  return lookup as Lookup;
}

/** `dns.lookup` in whose eyes host names ending in `.pool` are pools of the scope that all calls share. */
export const lookup: Lookup = createLookup();

function poolOf(hostname: unknown, suffix: string, named: ReadonlySet<string>): string | undefined {
  if (typeof hostname !== 'string') return undefined;
  if (named.has(hostname)) return hostname;
  const at = hostname.length - suffix.length;
  // Host names have no case; what is before the suffix is the pool handle as it was given.
  if (suffix === '' || at <= 0 || hostname.slice(at).toLowerCase() !== suffix.toLowerCase()) return undefined;
  return hostname.slice(0, at);
}

function wanted(options: unknown): { readonly family: number; readonly all: boolean } {
  const given = typeof options === 'number' ? { family: options } : ((options ?? {}) as dns.LookupOptions);
  const { family = 0, all = false } = given;
  if (family === 'IPv4' || family === 'IPv6') return { family: family === 'IPv4' ? 4 : 6, all };
  if (family === 0 || family === 4 || family === 6) return { family, all };
  throw invalidArgumentValue('options.family', family, 'must be one of: 0, 4, 6');
}

/** Every address of that family (0: any) once, in the order in which the policy has the elements tried. */
function addressesByPolicy(scope: OperationalScope, resolution: Resolution, family: number): dns.LookupAddress[] {
  const servers = serversOf(resolution.elements);
  const found = new Map<string, dns.LookupAddress>();
  const passedOver = new Set<number>();
  const addressesOf = (identifier: number): dns.LookupAddress[] =>
    (servers.get(identifier)?.addresses ?? [])
      .map((address) => ({ address, family: isIP(address) }))
      .filter((address) => family === 0 || address.family === family);
  for (const { identifier } of resolution.elements)
    if (addressesOf(identifier).length === 0) passedOver.add(identifier);
  const { picker, state } = poolView(scope, resolution);
  let turn = state;
  const takeAll = (excluded: Set<number>): void => {
    for (;;) {
      const element = picker.next(turn, excluded);
      if (element === undefined) return;
      // A look-up takes one turn, however many addresses it tells: the rest are for when the first fails.
      if (turn === state) turn = { ...state };
      excluded.add(element.identifier);
      passedOver.add(element.identifier);
      for (const address of addressesOf(element.identifier)) found.set(address.address, address);
    }
  };
  takeAll(new Set([...passedOver, ...suspectedElements(scope, resolution)]));
  takeAll(passedOver);
  return [...found.values()];
}
