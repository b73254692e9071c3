/** What `createServer` and `listen` take for a pool, and what becomes of it. */

import type net from 'node:net';
import { checkInteger, checkMilliseconds, checkPort, checkString, invalidArgumentType } from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import type { TcpMappingOptions } from '../mapping/tcp/options.js';
import type { CookieSeal } from '../session/cookie-seal.js';
import { checkTls, type TlsTransportOptions } from '../transport/tls/tls.js';
import type { MemberSelectionPolicy } from '../wire/parameters.js';
import { type CookieOptions, checkCookieOptions } from './cookies.js';
import type { LoadOptions } from './element-load.js';
import { checkHandOverOn } from './hand-over-signal.js';
import {
  checkAdvertisement,
  checkDeliveryOptions,
  checkMappingOptions,
  checkMappings,
  checkMode,
  checkPolicy,
  checkPoolHandle,
  checkScope,
  type DeliveryOptions,
  type MappingName,
  type MappingOptions,
  type PolicyOption,
} from './options.js';

/** What `createServer` takes: net's options, and what holds for every `listen` for a pool. */
export interface ServerOptions extends net.ServerOpts {
  /** As of `listen`, which may say otherwise. A server with it listens for pools alone. */
  readonly tls?: TlsTransportOptions;
  /** As net's, from Node 22.13 on: connections from these addresses are closed, and nobody hears of them. */
  readonly blockList?: net.BlockList;
}

/** What `listen` takes for a pool. Times in milliseconds. */
export interface PoolListenOptions extends MappingOptions, DeliveryOptions, CookieOptions, LoadOptions {
  /** The pool to join. */
  readonly poolHandle: string;
  /**
   * Serves users of this mode alone. 'nameservice': the connections are net's own, told from nothing, so that the server
   * may speak first. Default: both, told apart by what the user sends first.
   */
  readonly mode?: 'failover' | 'nameservice';
  /** How long a user may be silent before it is one of nameservice mode. Default: 3000. */
  readonly detectTimeout?: number;
  /** TLS with this certificate and key (or shared keys). With `ca`, users must show a certificate of these authorities. */
  readonly tls?: TlsTransportOptions;
  /** As net's: closes the server when it is aborted. */
  readonly signal?: AbortSignal;
  /** As net's, in nameservice mode alone. */
  readonly backlog?: number;
  readonly scope?: OperationalScope;
  /** Default: any free port. */
  readonly port?: number;
  /** The address to listen on. Default: all. */
  readonly host?: string;
  /**
   * What registrars and users are told, where it differs from `host` and `port`: containers, address translation.
   * Default: the listening address, or the one that the registrar sees if that is all addresses.
   */
  readonly advertise?: { readonly host?: string; readonly port?: number };
  /** Member selection policy (RFC 5356). Default: 'roundRobin'. */
  readonly policy?: PolicyOption;
  /** Default: 300,000. Infinity: for ever. */
  readonly registrationLife?: number;
  /**
   * 'SIGTERM', or several signals: at the first of them the server hands over (`Server.handOver`), and the process ends
   * by itself if nothing else keeps it. A second one ends it at once, as without this option. Default: none.
   */
  readonly handOverOn?: NodeJS.Signals | readonly NodeJS.Signals[];
  /**
   * The mappings that it offers, the preferred one first: with 'sctp' first, users and registrars of the reference
   * implementation are served too. 'sctp' needs a scope with SCTP (docs/sctp.md). Default: 'tcp'.
   */
  readonly mappings?: readonly MappingName[];
  /** PE identifier, unsigned 32 bits. Default: chosen by chance. */
  readonly peIdentifier?: number;
}

/** The options with their defaults. */
export interface ListenSettings {
  readonly options: PoolListenOptions;
  readonly scope: OperationalScope;
  readonly mapping: TcpMappingOptions;
  readonly mappings: readonly MappingName[];
  /** Undefined: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
  readonly peIdentifier: number;
  readonly policy: MemberSelectionPolicy;
  readonly seal: CookieSeal | undefined;
  readonly detectTimeout: number;
  readonly handOverOn: readonly NodeJS.Signals[];
}

function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgumentType('options.signal', 'an instance of AbortSignal', signal);
}

/** Throws Node's argument errors. */
export function checkListenOptions(given: PoolListenOptions): ListenSettings {
  const { scope, poolHandle } = checkScope(given.scope).locate(checkPoolHandle(given.poolHandle));
  const options: PoolListenOptions = { ...given, poolHandle };
  checkDeliveryOptions(options);
  checkAdvertisement(options);
  const { peIdentifier, detectTimeout } = options;
  checkMode(options.mode);
  checkSignal(options.signal);
  checkTls('options.tls', options.tls);
  return {
    options,
    scope,
    mapping: checkMappingOptions(options),
    mappings: checkMappings(options.mappings, scope, ['tcp']),
    host: options.host === undefined ? undefined : checkString('options.host', options.host),
    port: options.port === undefined ? 0 : checkPort('options.port', options.port),
    peIdentifier:
      peIdentifier === undefined
        ? scope.random.identifier()
        : checkInteger('options.peIdentifier', peIdentifier, 1, 0xffffffff),
    policy: checkPolicy(options.policy ?? 'roundRobin'),
    handOverOn: checkHandOverOn(options.handOverOn),
    detectTimeout: detectTimeout === undefined ? 3000 : checkMilliseconds('options.detectTimeout', detectTimeout),
    seal: checkCookieOptions(options, options.poolHandle, scope.random),
  };
}
