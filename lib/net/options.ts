/** What `connect` and `listen` take beside net's own options, and what becomes of it. */

import { type BlockList, isIP } from 'node:net';
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkMilliseconds,
  checkObject,
  checkPort,
  checkString,
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
} from '../arguments.js';
import { OperationalScope } from '../asap/scope.js';
import { RserpoolError } from '../errors.js';
import { asapPpid } from '../mapping/mapping.js';
import { type TcpMappingOptions, tcpMappingOptions } from '../mapping/tcp/options.js';
import type { Cookie } from '../session/cookie.js';
import type { Handled, Message, SendOptions } from '../session/message.js';
import type { FailoverCallback } from '../session/session.js';
import { defaultUserSessionOptions, type UserSessionOptions } from '../session/user-session-options.js';
import { checkTls, type TlsTransportOptions } from '../transport/tls/tls.js';
import type { MemberSelectionPolicy } from '../wire/parameters.js';
import type { CardHolder } from './business-cards.js';
import type { SelectServer } from './select-server.js';

/** Limits and times of the TCP mapping (docs/mappings.md). */
export type MappingOptions = Partial<TcpMappingOptions>;

export interface DeliveryOptions {
  /**
   * Gets every message instead of the readable side. A message is acknowledged when the handler has returned or its
   * promise has settled; a handler that throws or rejects ends the session with that error.
   */
  readonly onMessage?: (message: Message) => Handled;
  /** 'manual': a message is acknowledged by `message.acknowledge()` (or its last `reply`) alone. Default: 'auto'. */
  readonly acknowledge?: 'auto' | 'manual';
}

/** What `connect` takes for a pool. Times in milliseconds. */
export interface PoolConnectOptions extends MappingOptions, DeliveryOptions {
  /** The pool to connect to. */
  readonly poolHandle: string;
  /**
   * 'nameservice': a connection of net's own to an element that is chosen for it (draft-conrad-rserpool-service section 3.2);
   * if that one fails, so does the connection. Default: 'failover'.
   */
  readonly mode?: 'failover' | 'nameservice';
  /** Default: the scope that all calls without this option share, with the registrars of RSERPOOL_REGISTRARS. */
  readonly scope?: OperationalScope;
  /** To reach the first element: registrar, pool and element may come up meanwhile. Default: 30,000. */
  readonly connectTimeout?: number;
  /** To reach another element after one failed. Default: 30,000. */
  readonly failoverTimeout?: number;
  /** For an element that asks to go elsewhere to finish what it has. Default: 10,000. */
  readonly handOverTimeout?: number;
  /** Failovers in a row without anything acknowledged or received. Default: 16. */
  readonly maxFailovers?: number;
  /** Rounds over the pool, in one search for an element, before it is given up. Default: as many as time allows. */
  readonly maxRounds?: number;
  /**
   * A PE identifier: the session is for this element alone, now and after a failure (RFC 3237 section 2.10). While the
   * registrar does not know it, it is waited for as others are; ERR_RSERPOOL_UNKNOWN_ELEMENT if that was in vain.
   */
  readonly element?: number;
  /** After `end`: how long to wait for an acknowledgement. Default: 30,000. */
  readonly lingerTimeout?: number;
  /** See FailoverCallback (draft-conrad-rserpool-service section 6.3). */
  readonly onFailover?: FailoverCallback;
  /**
   * This process's server, of any pool, where this user is part of it: its elements learn by its business card whom to
   * call back, and whom to turn to should it fail.
   */
  readonly server?: CardHolder;
  /** As net's own: milliseconds without activity until 'timeout'. Default: none. */
  readonly timeout?: number;
  /**
   * Chooses the element instead of the pool's policy, each time that one is needed (draft-conrad-rserpool-service section
   * 5.3); a business card's order comes before it. Default: the pool's policy.
   */
  readonly select?: SelectServer;
  /**
   * The mappings that may be used, the preferred one first. Default: 'tcp', and then 'sctp' where the scope has SCTP. Those of
   * the reference implementation's elements are reached by 'sctp' (docs/sctp.md).
   */
  readonly mappings?: readonly MappingName[];
  /**
   * TLS with these certificates or keys; true: with what the system trusts. The element's certificate must be for `tls.servername`, by
   * default for the pool handle, whatever address the element has.
   */
  readonly tls?: TlsTransportOptions | boolean;
  /** 'tcp': take elements that advertise no mapping for ones that speak the TCP mapping. */
  readonly mapping?: 'tcp';
  /** As net's, from Node 22.13 on: addresses of elements that are not to be connected to. ERR_IP_BLOCKED when all are. */
  readonly blockList?: BlockList;
}

/** How sessions may be carried (docs/mappings.md). */
export type MappingName = 'tcp' | 'sctp';

/** The mappings' names, each once; throws Node's argument errors, and ERR_RSERPOOL_FEATURE_NOT_AVAILABLE for SCTP without SCTP. */
export function checkMappings(
  given: unknown,
  scope: OperationalScope,
  byDefault: readonly MappingName[],
): readonly MappingName[] {
  if (given === undefined) return byDefault;
  if (!Array.isArray(given) || given.length === 0 || !given.every((name) => name === 'tcp' || name === 'sctp')) {
    throw invalidArgumentValue('options.mappings', given, "must be a list of 'tcp' and 'sctp'");
  }
  if (given.includes('sctp') && !scope.sctp.isOn) {
    throw new RserpoolError('ERR_RSERPOOL_FEATURE_NOT_AVAILABLE', { detail: 'SCTP is not switched on in this scope' });
  }
  return [...new Set(given)];
}

let sharedScope: OperationalScope | undefined;

/** The scope of calls that name none. */
export function defaultScope(): OperationalScope {
  sharedScope ??= new OperationalScope();
  return sharedScope;
}

const mappingTimes = [
  'heartbeatInterval',
  'pathInterval',
  'failureTimeout',
  'userTimeout',
  'longestUserTimeout',
  'helloTimeout',
  'closeTimeout',
  'reconnectTimeout',
  'resumeTimeout',
] as const;
const mappingSizes = ['window', 'longestPayload', 'longestMessage'] as const;

/** The mapping's options with defaults; throws Node's argument errors. */
export function checkMappingOptions(given: MappingOptions): TcpMappingOptions {
  for (const name of mappingTimes) if (given[name] !== undefined) checkMilliseconds(`options.${name}`, given[name]);
  for (const name of mappingSizes)
    if (given[name] !== undefined) checkInteger(`options.${name}`, given[name], 1024, 0xffffffff);
  // Net's too, and as small as there.
  if (given.highWaterMark !== undefined) checkInteger('options.highWaterMark', given.highWaterMark, 0, 0xffffffff);
  if (given.undetectedConnections !== undefined) {
    checkInteger('options.undetectedConnections', given.undetectedConnections, 0);
  }
  if (given.parkedSessions !== undefined) checkInteger('options.parkedSessions', given.parkedSessions, 0);
  if (given.parkedBytes !== undefined) checkInteger('options.parkedBytes', given.parkedBytes, 0);
  if (given.openMessages !== undefined) checkInteger('options.openMessages', given.openMessages, 1, 65536);
  for (const name of ['failureTimeout', 'heartbeatInterval'] as const) {
    const value = given[name];
    if (value !== undefined && value < 30) throw outOfRange(`options.${name}`, '>= 30', value);
  }
  // The stamps of heartbeats come around after 71 minutes.
  if (given.pathInterval !== undefined && given.pathInterval > 3_600_000)
    throw outOfRange('options.pathInterval', '<= 3600000', given.pathInterval);
  return tcpMappingOptions(given);
}

export function checkDeliveryOptions(given: DeliveryOptions): void {
  if (given.onMessage !== undefined) checkFunction('options.onMessage', given.onMessage);
  if (given.acknowledge !== undefined && given.acknowledge !== 'auto' && given.acknowledge !== 'manual') {
    throw invalidArgumentValue('options.acknowledge', given.acknowledge, "must be one of: 'auto', 'manual'");
  }
}

/** What `send` takes; throws Node's argument errors. */
export function checkSendOptions(options: SendOptions): void {
  checkObject('options', options);
  if (options.streamId !== undefined) checkInteger('options.streamId', options.streamId, 0, 0xffff);
  if (options.ppid !== undefined) {
    checkInteger('options.ppid', options.ppid, 0, 0xffffffff);
    // The control channel is told from data by its identifier alone (RFC 5352 section 5).
    if (options.ppid === asapPpid)
      throw outOfRange('options.ppid', `not ${asapPpid}, which is ASAP's own`, options.ppid);
  }
  if (options.failover !== undefined) checkBoolean('options.failover', options.failover);
  if (options.unordered !== undefined) checkBoolean('options.unordered', options.unordered);
}

export function checkScope(given: unknown): OperationalScope {
  if (given === undefined) return defaultScope();
  checkObject('options.scope', given);
  if (!(given instanceof OperationalScope))
    throw invalidArgumentValue('options.scope', given, 'must be an OperationalScope');
  return given;
}

const poolScheme = 'pool:';

/** What an argument of `connect` or `listen` says of a pool ('pool:NAME' or options with a pool handle); undefined: it is net's. */
export function poolTarget(target: unknown): PoolConnectOptions | undefined {
  // What net's own functions have made of their arguments: a list of the options and the callback.
  if (Array.isArray(target)) return poolTarget(target[0]);
  if (typeof target === 'string') {
    return target.startsWith(poolScheme) ? { poolHandle: target.slice(poolScheme.length) } : undefined;
  }
  if (typeof target !== 'object' || target === null || !('poolHandle' in target)) return undefined;
  return target.poolHandle === undefined ? undefined : (target as PoolConnectOptions);
}

/** The `tls` option of a user; undefined: no TLS. The name that an element must prove is the pool's, unless it says another. */
export function checkTlsOf(given: unknown, poolHandle: string): TlsTransportOptions | undefined {
  if (given === false) return undefined;
  const options = given === true ? {} : checkTls('options.tls', given);
  return options && { servername: poolHandle, ...options };
}

/** What `setTimeout` takes, in net's words. */
export function checkTimeout(timeout: unknown): number {
  if (typeof timeout !== 'number') throw invalidArgumentType('msecs', 'of type number', timeout);
  if (!(timeout >= 0 && timeout < Number.POSITIVE_INFINITY))
    throw outOfRange('msecs', 'a non-negative finite number', timeout);
  return timeout;
}

export interface OwnOptions {
  /** Undefined: the system's choice. */
  readonly localAddress: string | undefined;
  /** What net's own `connect` is to be told in nameservice mode. */
  readonly own: object;
  readonly family: 4 | 6 | undefined;
}

/** Net's own options of `connect` that concern pools; throws net's errors, in its order. */
export function checkOwnOptions(options: object): OwnOptions {
  const given = options as Record<string, unknown>;
  const { localAddress, localPort, family, autoSelectFamily, autoSelectFamilyAttemptTimeout } = given;
  const from = localAddress === undefined || localAddress === null || localAddress === '' ? undefined : localAddress;
  if (from !== undefined && isIP(String(from)) === 0) {
    const error = new TypeError(`Invalid IP address: ${String(from)}`);
    throw Object.assign(error, { code: 'ERR_INVALID_IP_ADDRESS' });
  }
  if (localPort && typeof localPort !== 'number')
    throw invalidArgumentType('options.localPort', 'of type number', localPort);
  // Elements have one address of a family: there is nothing to select, but what is wrong is wrong.
  if (autoSelectFamily !== undefined && autoSelectFamily !== null)
    checkBoolean('options.autoSelectFamily', autoSelectFamily);
  if (autoSelectFamilyAttemptTimeout !== undefined && autoSelectFamilyAttemptTimeout !== null)
    checkInteger('options.autoSelectFamilyAttemptTimeout', autoSelectFamilyAttemptTimeout, 1, 0x7fffffff);
  return {
    localAddress: from as string | undefined,
    own: { localAddress, localPort },
    family: family === 4 || family === 6 ? family : undefined,
  };
}

/** A pool handle: any text of at least one byte. */
export function checkPoolHandle(given: unknown): string {
  const text = checkString('options.poolHandle', given);
  if (text === '') throw invalidArgumentValue('options.poolHandle', given, 'must not be empty');
  return text;
}

/** The mode of a connection, or the one that a server serves. */
export function checkMode(mode: unknown): void {
  if (mode !== undefined && mode !== 'failover' && mode !== 'nameservice')
    throw invalidArgumentValue('options.mode', mode, "must be one of: 'failover', 'nameservice'");
}

/** A session's options with defaults; throws Node's argument errors. */
export function checkUserSessionOptions(given: PoolConnectOptions): UserSessionOptions {
  for (const name of ['connectTimeout', 'failoverTimeout', 'handOverTimeout', 'lingerTimeout'] as const) {
    if (given[name] !== undefined) checkMilliseconds(`options.${name}`, given[name]);
  }
  if (given.maxFailovers !== undefined) checkInteger('options.maxFailovers', given.maxFailovers, 0);
  if (given.maxRounds !== undefined) checkInteger('options.maxRounds', given.maxRounds, 1);
  if (given.element !== undefined) checkInteger('options.element', given.element, 1, 0xffffffff);
  if (given.element !== undefined && given.mode === 'nameservice') {
    throw invalidArgumentValue('options.element', given.element, 'is for failover mode');
  }
  if (given.onFailover !== undefined) checkFunction('options.onFailover', given.onFailover);
  if (given.select !== undefined) checkFunction('options.select', given.select);
  if (given.timeout !== undefined) checkMilliseconds('options.timeout', given.timeout);
  checkMode(given.mode);
  if (given.mapping !== undefined && given.mapping !== 'tcp') {
    throw invalidArgumentValue('options.mapping', given.mapping, "must be 'tcp'");
  }
  const defaults = defaultUserSessionOptions;
  return {
    ...defaults,
    connectTimeout: given.connectTimeout ?? defaults.connectTimeout,
    failoverTimeout: given.failoverTimeout ?? defaults.failoverTimeout,
    handOverTimeout: given.handOverTimeout ?? defaults.handOverTimeout,
    lingerTimeout: given.lingerTimeout ?? defaults.lingerTimeout,
    maxFailovers: given.maxFailovers ?? defaults.maxFailovers,
    rounds: given.maxRounds ?? defaults.rounds,
    onFailover: given.onFailover,
  };
}

/** A policy's name, or its values as RFC 5356 has them (loads and weights as unsigned 32-bit integers). */
export type PolicyOption = MemberSelectionPolicy | 'roundRobin' | 'random' | 'leastUsed' | 'randomizedLeastUsed';

/** What an element advertises and for how long; throws Node's argument errors. */
export function checkAdvertisement(given: {
  readonly advertise?: { readonly host?: string; readonly port?: number };
  readonly registrationLife?: number;
}): void {
  if (given.registrationLife !== undefined) {
    checkMilliseconds('options.registrationLife', given.registrationLife, 'orInfinity');
  }
  if (given.advertise === undefined) return;
  checkObject('options.advertise', given.advertise);
  const { host, port } = given.advertise;
  if (port !== undefined) checkPort('options.advertise.port', port, false);
  if (host !== undefined && isIP(checkString('options.advertise.host', host)) === 0) {
    throw invalidArgumentValue('options.advertise.host', host, 'must be an IP address: registrations carry no names');
  }
}

/** A policy with its values; one that is given by its name has a load of 0. Throws Node's argument errors. */
export function checkPolicy(policy: PolicyOption): MemberSelectionPolicy {
  if (typeof policy === 'object' && policy !== null) return policy;
  if (policy === 'roundRobin' || policy === 'random') return { type: policy };
  if (policy === 'leastUsed' || policy === 'randomizedLeastUsed') return { type: policy, load: 0 };
  const names = "'roundRobin', 'random', 'leastUsed', 'randomizedLeastUsed', or a MemberSelectionPolicy";
  throw invalidArgumentValue('options.policy', policy, `must be one of: ${names}`);
}

/** What a server's socket is given beside its session. */
export interface ElementSocketOptions extends DeliveryOptions {
  readonly scope: Pick<OperationalScope, 'clock'>;
  readonly poolHandle: string;
  readonly peIdentifier: number;
  readonly cookie: Cookie | undefined;
  readonly longestPayload: number;
  readonly longestMessage: number;
}

/** Which element a socket is with. */
export interface ElementInfo {
  /** PE identifier. */
  readonly identifier: number;
  readonly address: string | undefined;
  readonly port: number | undefined;
}
