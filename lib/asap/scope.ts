/**
 * An operational scope (RFC 5352 section 1.1): the registrars that a process uses, and the clock, chance and transports
 * that everything in it runs on. It talks to nobody until something is resolved or registered.
 */

import { isIPv6 } from 'node:net';
import {
  checkBoolean,
  checkInteger,
  checkMilliseconds,
  checkObject,
  checkPort,
  checkString,
  invalidArgumentType,
  invalidArgumentValue,
} from '../arguments.js';
import { type Clock, systemClock } from '../clock.js';
import { PolicyRegistry } from '../policy/registry.js';
import { type Random, systemRandom } from '../random.js';
import { checkProtocol, cutProtocol } from '../transport/address-text.js';
import { type AnnouncementOptions, checkAnnouncements } from '../transport/announcements.js';
import { controlTransport } from '../transport/sctp/control-transport.js';
import type { SctpStack } from '../transport/sctp/sctp-stack.js';
import { type SctpOption, type SwitchedStack, switchedStack } from '../transport/sctp/switched-stack.js';
import { systemNames } from '../transport/system-names.js';
import { tcpTransport } from '../transport/tcp/tcp.js';
import { checkTls, type TlsTransportOptions, tlsTransport } from '../transport/tls/tls.js';
import type {
  ByteStreamTransport,
  MulticastGroup,
  MulticastTransport,
  NameResolver,
  TransportAddress,
} from '../transport/transport.js';
import { udpMulticast } from '../transport/udp/multicast.js';
import type { PoolHandle } from '../wire/parameters.js';
import { poolHandleText, toPoolHandle } from '../wire/pool-handle.js';
import { longestSelectionHint } from '../wire/selection-hint.js';
import { type AsapChannelLimits, asapPpid } from './asap-channel.js';
import { AsapEndpoint } from './endpoint.js';
import { type AsapTimers, asapChannelLimits, asapTimers } from './options.js';
import type { Cancellable, Resolution, ResolveCallback, ResolveOptions } from './resolution.js';

/** The IANA port of ASAP over TCP and SCTP (RFC 5352 section 8.2). */
export const asapPort = 3863;

/**
 * A registrar: 'host', 'host:port', '[ipv6]:port', each with 'sctp:' before it for SCTP, or an object. The port is 3863 unless it
 * is given.
 */
export type RegistrarAddress =
  | string
  | {
      readonly host: string;
      readonly port?: number;
      /** Default: TCP. */
      readonly protocol?: 'sctp';
      /** With SCTP, the UDP port at which it is spoken there. */
      readonly encapsulationPort?: number;
    };

export interface OperationalScopeOptions {
  /**
   * The registrars; a string may hold several, separated by commas. A host name stands for all of its addresses, and one
   * that begins with '_' (such as '_asap-tcp._tcp.example.org') for the services of its SRV records; names are looked up
   * anew as each search for a registrar begins. Default: the environment variable RSERPOOL_REGISTRARS, and without it
   * 127.0.0.1:3863, or none with `announcements`.
   */
  readonly registrars?: string | readonly RegistrarAddress[];
  /**
   * Whether registrars are found that announce themselves by multicast (RFC 5352 section 3.6), and where. Whoever can send
   * to the group can offer itself as a registrar: for networks that are trusted. Default: the environment variable
   * RSERPOOL_ANNOUNCEMENTS ('1', or the address of the group), and without it no.
   */
  readonly announcements?: boolean | AnnouncementOptions;
  /**
   * Registrars are spoken to over TLS alone, with these certificates or keys (docs/registrars.md). A registrar must prove to
   * be who was meant: its certificate names `servername`, or else the host that `registrars` gives. Default: none.
   */
  readonly tls?: TlsTransportOptions;
  /**
   * Other handlespaces by name (draft-tuexen-rserpool-reqts section 4): with `{ branch: '10.1.0.1' }` the pool handle
   * 'echo@branch' means the pool 'echo' there. Each is a scope, or the registrars of one that is like this one otherwise.
   * Default: the environment variable RSERPOOL_SCOPES, such as 'branch=10.1.0.1,10.1.0.2;lab=10.2.0.1'.
   */
  readonly scopes?: Readonly<Record<string, OperationalScope | string | readonly RegistrarAddress[]>>;
  /**
   * The member selection policies that users of this scope select by, and elements report their load by. Default: those
   * that the library brings.
   */
  readonly policies?: PolicyRegistry;
  /**
   * What the policies of pools at the registrar are told about this process, such as where it is, with each resolution:
   * text or bytes, 256 at most, for all pools or by pool handle. Policies of the registrar's own heed it or not.
   */
  readonly hint?: Hint | ((poolHandle: string) => Hint | undefined);
  /** RFC 5352 section 7; see AsapTimers for the defaults. Times in milliseconds. */
  readonly timers?: Partial<AsapTimers>;
  readonly limits?: Partial<AsapChannelLimits>;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  /** Whether SCTP in UDP is spoken beside TCP, and how (docs/sctp.md). Default: false; on if a registrar's address says SCTP. */
  readonly sctp?: SctpOption;
  /**
   * 'rsplib': for registrars of the reference implementation, whose registration life is in milliseconds (docs/sctp.md).
   * Default: as the RFCs say.
   */
  readonly compatibility?: 'rsplib';
  /** Default: TCP, UDP for announcements, and the system's names. */
  readonly transports?: {
    readonly sctp?: SctpStack;
    readonly stream?: ByteStreamTransport;
    readonly multicast?: MulticastTransport;
    readonly names?: NameResolver;
  };
}

/** A hint to a policy: bytes, or text that is sent as UTF-8. */
export type Hint = string | Uint8Array;

/** What a promised resolution takes beside its options. */
export interface ScopeResolveOptions extends ResolveOptions {
  /** Gives the resolution up: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export class OperationalScope {
  readonly registrars: readonly TransportAddress[];
  readonly clock: Clock;
  readonly random: Random;
  /** SCTP, if it is switched on. */
  readonly sctp: SwitchedStack;
  readonly compatibility: 'rsplib' | undefined;
  readonly transports: {
    readonly stream: ByteStreamTransport;
    readonly multicast: MulticastTransport;
    readonly names: NameResolver;
  };
  readonly timers: AsapTimers;
  readonly policies: PolicyRegistry;
  readonly #limits: AsapChannelLimits;
  /** The group in which registrars announce themselves, if they are to be found so. */
  readonly #group: MulticastGroup | undefined;
  readonly #hintFor: ((poolHandle: PoolHandle) => Uint8Array | undefined) | undefined;
  readonly #options: OperationalScopeOptions;
  /** By name; those that were given as registrars are made when they are first asked for, and end with this one. */
  readonly #scopes: ReadonlyMap<string, OperationalScope | string | readonly RegistrarAddress[]>;
  readonly #made = new Map<string, OperationalScope>();
  readonly #tls: TlsTransportOptions | undefined;
  #endpoint: AsapEndpoint | undefined;
  #closed = false;

  /** Throws Node's argument errors for options that are none; connects to nobody yet. */
  constructor(options: OperationalScopeOptions = {}) {
    checkObject('options', options);
    this.#group = checkAnnouncements(
      'options.announcements',
      options.announcements ?? announcementsByDefault(),
      asapPort,
    );
    const registrars = options.registrars ?? registrarsOfEnvironment();
    this.registrars =
      registrars === undefined && this.#group !== undefined ? [] : parseRegistrars(registrars ?? '127.0.0.1');
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? systemRandom;
    const { sctp, stream, multicast, names } = options.transports ?? {};
    const wanted = options.sctp ?? this.registrars.some(({ protocol }) => protocol === 'sctp');
    this.sctp = switchedStack(wanted, sctp, this.clock, this.random);
    this.compatibility = checkCompatibility(options.compatibility);
    this.#tls = checkTls('options.tls', options.tls);
    this.transports = {
      stream: stream ?? tcpTransport,
      multicast: multicast ?? udpMulticast,
      names: names ?? systemNames,
    };
    this.timers = asapTimers(options.timers);
    this.policies = checkPolicies(options.policies);
    this.#limits = asapChannelLimits(options.limits);
    this.#hintFor = checkHint(options.hint);
    this.#options = options;
    this.#scopes = checkScopes(options.scopes ?? scopesByDefault());
  }

  /** The ASAP endpoint of this scope, made when it is first asked for. */
  get endpoint(): AsapEndpoint {
    if (this.#endpoint !== undefined) return this.#endpoint;
    const { registrars, clock, random, timers } = this;
    const { multicast, names } = this.transports;
    const stream = this.#tls === undefined ? this.transports.stream : tlsTransport(this.#tls);
    this.#endpoint = new AsapEndpoint({
      servers: registrars,
      compatibility: this.compatibility,
      proven: this.#tls !== undefined,
      sctp: this.sctp.isOn,
      names,
      ...(this.#hintFor === undefined ? {} : { hintFor: this.#hintFor }),
      ...(this.#group === undefined ? {} : { announcements: { transport: multicast, group: this.#group } }),
      transport: controlTransport(stream, () => this.sctp.get(), asapPpid, clock),
      clock,
      random,
      timers,
      limits: this.#limits,
    });
    if (this.#closed) this.#endpoint.close();
    return this.#endpoint;
  }

  /**
   * The scope and the pool handle that a name means: 'pool@scope' for a scope that is known by that name, else a pool of
   * this one, whatever its handle.
   */
  locate(name: string): { readonly scope: OperationalScope; readonly poolHandle: string } {
    const at = name.lastIndexOf('@');
    const scope = at < 1 ? undefined : this.#scope(name.slice(at + 1));
    return scope === undefined ? { scope: this, poolHandle: name } : { scope, poolHandle: name.slice(0, at) };
  }

  /**
   * The elements of a pool. Rejects with ERR_RSERPOOL_UNKNOWN_POOL_HANDLE at once if there is no such pool, with
   * ERR_RSERPOOL_NO_ENRP_SERVER or ERR_RSERPOOL_REQUEST_TIMEOUT when time runs out.
   */
  resolve(poolHandle: string, options: ScopeResolveOptions = {}): Promise<Resolution> {
    const { endpoint, handle } = this.#find(poolHandle);
    checkResolveOptions(options);
    return promised(options.signal, (callback) => endpoint.resolve(handle, options, callback));
  }

  /** As `resolve`, but waits for a pool that does not exist yet, for at most `timeout` milliseconds. */
  awaitPool(poolHandle: string, options: ScopeResolveOptions & { readonly timeout: number }): Promise<Resolution> {
    const { endpoint, handle } = this.#find(poolHandle);
    checkResolveOptions(options);
    checkMilliseconds('options.timeout', options.timeout);
    return promised(options.signal, (callback) => endpoint.awaitPool(handle, options, callback));
  }

  /** CachePopulateRequest (RFC 5352 section 6.3): resolves without asking the cache, and fills it. */
  populate(poolHandle: string, options: ScopeResolveOptions = {}): Promise<Resolution> {
    return this.resolve(poolHandle, { ...options, fresh: true });
  }

  /** CachePurgeRequest (RFC 5352 section 6.4). */
  purge(poolHandle: string): void {
    const { endpoint, handle } = this.#find(poolHandle);
    endpoint.purge(handle);
  }

  /** Ends the connection to the home server and everything that is pending. Elements should deregister before. */
  close(): void {
    this.#closed = true;
    this.#endpoint?.close();
    this.sctp.close();
    for (const scope of this.#made.values()) scope.close();
  }

  #find(name: string): { readonly endpoint: AsapEndpoint; readonly handle: PoolHandle } {
    const { scope, poolHandle } = this.locate(checkString('poolHandle', name));
    return { endpoint: scope.endpoint, handle: toPoolHandle(poolHandle) };
  }

  #scope(name: string): OperationalScope | undefined {
    const given = this.#scopes.get(name);
    if (given === undefined || given instanceof OperationalScope) return given;
    let scope = this.#made.get(name);
    if (scope === undefined) {
      const options = { ...this.#options, registrars: given, announcements: false, scopes: {} };
      const sctp = this.sctp.get();
      // They share the UDP port.
      const transports = sctp === undefined ? this.#options.transports : { ...this.#options.transports, sctp };
      scope = new OperationalScope(transports === undefined ? options : { ...options, transports });
      if (this.#closed) scope.close();
      this.#made.set(name, scope);
    }
    return scope;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function checkHint(
  given: OperationalScopeOptions['hint'],
): ((poolHandle: PoolHandle) => Uint8Array | undefined) | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'function') {
    const bytes = hintBytes(given);
    return () => bytes;
  }
  return (poolHandle) => {
    const hint = given(poolHandleText(poolHandle));
    return hint === undefined ? undefined : hintBytes(hint);
  };
}

function hintBytes(hint: unknown): Uint8Array {
  if (typeof hint !== 'string' && !(hint instanceof Uint8Array))
    throw invalidArgumentType('options.hint', 'of type string or function, or an instance of Uint8Array', hint);
  const bytes = typeof hint === 'string' ? new TextEncoder().encode(hint) : hint;
  if (bytes.length > longestSelectionHint)
    throw invalidArgumentValue('options.hint', hint, `must have ${longestSelectionHint} bytes at most`);
  return bytes;
}

function checkPolicies(given: unknown): PolicyRegistry {
  if (given === undefined) return new PolicyRegistry();
  if (given instanceof PolicyRegistry) return given;
  throw invalidArgumentType('options.policies', 'an instance of PolicyRegistry', given);
}

/** What the environment says of other scopes: 'name=registrars;name=registrars'. */
function scopesByDefault(): Record<string, string> {
  const scopes: Record<string, string> = {};
  for (const part of (process.env.RSERPOOL_SCOPES ?? '').split(';')) {
    const [name = '', ...registrars] = part.split('=');
    if (part.trim() !== '') scopes[name.trim()] = registrars.join('=');
  }
  return scopes;
}

function checkScopes(
  given: NonNullable<OperationalScopeOptions['scopes']>,
): ReadonlyMap<string, OperationalScope | string | readonly RegistrarAddress[]> {
  checkObject('options.scopes', given);
  const scopes = new Map(Object.entries(given));
  for (const [name, scope] of scopes) {
    if (name === '' || name.includes('@'))
      throw invalidArgumentValue('options.scopes', name, "must have names without '@'");
    if (!(scope instanceof OperationalScope)) parseRegistrars(scope);
  }
  return scopes;
}

/** What the environment says of announcements. */
function announcementsByDefault(): boolean | AnnouncementOptions {
  const given = process.env.RSERPOOL_ANNOUNCEMENTS ?? '';
  if (given === '' || given === '0') return false;
  return given === '1' || { group: given };
}

function checkCompatibility(given: unknown): 'rsplib' | undefined {
  if (given === undefined || given === 'rsplib') return given;
  throw invalidArgumentValue('options.compatibility', given, "must be 'rsplib'");
}

function checkResolveOptions(options: ScopeResolveOptions): void {
  checkObject('options', options);
  if (options.fresh !== undefined) checkBoolean('options.fresh', options.fresh);
  if (options.hunt !== undefined && options.hunt !== 'once' && options.hunt !== 'untilTimeout')
    throw invalidArgumentValue('options.hunt', options.hunt, "must be one of: 'once', 'untilTimeout'");
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw invalidArgumentType('options.signal', 'an instance of AbortSignal', options.signal);
  if (options.timeout !== undefined) checkMilliseconds('options.timeout', options.timeout);
  if (options.elementsWanted !== undefined)
    checkInteger('options.elementsWanted', options.elementsWanted, 1, 0xffffffff);
}

function promised(
  signal: AbortSignal | undefined,
  start: (callback: ResolveCallback) => Cancellable,
): Promise<Resolution> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      request.cancel();
      reject(signal?.reason);
    };
    const request = start((error, resolution) => {
      signal?.removeEventListener('abort', onAbort);
      if (resolution === undefined) reject(error);
      else resolve(resolution);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A variable that is set to nothing says nothing. */
function registrarsOfEnvironment(): string | undefined {
  const given = process.env.RSERPOOL_REGISTRARS ?? '';
  return given.trim() === '' ? undefined : given;
}

/** Registrars as options or the environment give them; throws Node's argument errors. */
export function parseRegistrars(given: string | readonly RegistrarAddress[]): readonly TransportAddress[] {
  if (typeof given !== 'string' && !Array.isArray(given as unknown)) {
    throw invalidArgumentType('options.registrars', 'of type string or an instance of Array', given);
  }
  const list: readonly RegistrarAddress[] = typeof given === 'string' ? [given] : given;
  const addresses: TransportAddress[] = [];
  for (const registrar of list) {
    const parts =
      typeof registrar === 'string' ? registrar.split(',').filter((part) => part.trim() !== '') : [registrar];
    for (const part of parts) addresses.push(parseRegistrar(part));
  }
  if (addresses.length === 0)
    throw invalidArgumentValue('options.registrars', given, 'must name at least one registrar');
  return addresses;
}

function parseRegistrar(registrar: RegistrarAddress): TransportAddress {
  if (typeof registrar !== 'string') {
    checkObject('options.registrars', registrar);
    const host = checkString('options.registrars.host', registrar.host);
    return {
      host,
      port: registrar.port === undefined ? asapPort : checkPort('options.registrars.port', registrar.port, false),
      ...checkProtocol('options.registrars', registrar),
    };
  }
  const { rest, protocol } = cutProtocol('options.registrars', registrar);
  const text = rest.trim();
  if (isIPv6(text)) return { host: text, port: asapPort, ...protocol };
  // [ipv6]:port, host:port, and without a port.
  const match = /^\[([^\]]+)\](?::(.*))?$/.exec(text) ?? /^([^:]+)(?::(.*))?$/.exec(text);
  const host = match?.[1];
  if (host === undefined) throw invalidArgumentValue('options.registrars', registrar, 'must be host:port');
  const port = match?.[2] === undefined ? asapPort : checkPort('options.registrars', match[2], false);
  return { host, port, ...protocol };
}
