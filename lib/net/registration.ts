/**
 * Nameservice mode for elements (draft-conrad-rserpool-service section 5.2): REGISTER and DEREGISTER for a service of any
 * make, which knows nothing of pools, with an optional check of its health.
 */

import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import {
  checkInteger,
  checkObject,
  checkPort,
  checkString,
  invalidArgumentType,
  invalidArgumentValue,
} from '../arguments.js';
import type { RegisteredElement } from '../asap/registered-element.js';
import type { OperationalScope } from '../asap/scope.js';
import { RserpoolError } from '../errors.js';
import type { Listener } from '../transport/transport.js';
import type { MemberSelectionPolicy, SingleAddressTransport } from '../wire/parameters.js';
import { toPoolHandle } from '../wire/pool-handle.js';
import { checkLoad, ElementLoad, type LoadOptions } from './element-load.js';
import { guard } from './guarded.js';
import { checkHealthOptions, type HealthCheck, HealthWatch } from './health-watch.js';
import { checkAdvertisement, checkPolicy, checkPoolHandle, checkScope, type PolicyOption } from './options.js';

/** What `register` takes. Times in milliseconds. */
export interface RegisterOptions extends LoadOptions {
  readonly poolHandle: string;
  /** Where the service listens. */
  readonly port: number;
  /** Its IP address. Default: the one from which the registrar sees this process connect. */
  readonly host?: string;
  /** Default: 'tcp'. */
  readonly protocol?: 'tcp' | 'udp';
  /** Member selection policy (RFC 5356). Default: 'roundRobin'. */
  readonly policy?: PolicyOption;
  /** Default: 300,000. Infinity: for ever. */
  readonly registrationLife?: number;
  /** Default: the scope that all calls without this option share. */
  readonly scope?: OperationalScope;
  /** PE identifier, unsigned 32 bits and not 0. Default: chosen by chance. */
  readonly identifier?: number;
  /** Default: none, the service counts as healthy. */
  readonly healthCheck?: HealthCheck;
  /** From the end of one check to the next. Default: 5,000. */
  readonly healthCheckInterval?: number;
  /** A check that takes longer has failed. Default: 1,000. */
  readonly healthCheckTimeout?: number;
  /**
   * A port of its own (0: any free one) at which registrars that it did not call find this element (RFC 5352 section
   * 3.5). Default: none; keep-alives are answered on the connection to the home server alone, and another registrar
   * knows the element as soon as it has connected there. It is opened at `host`, by default at all addresses.
   */
  readonly asapPort?: number;
  /** Gives up while the first registration is under way: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What the registrar answered last. */
export type RegistrationResult =
  | { readonly accepted: true }
  /** ERR_RSERPOOL_REGISTRATION_REJECTED, or that no registrar answered. */
  | { readonly accepted: false; readonly error: Error };

/**
 * registering: no answer yet, or no health check has ended. registered. lost: a registrar lost it, and it goes on trying;
 * or refused it (see `result`), and it waits for `update`. unhealthy: not registered because the service is sick.
 * deregistered: for good.
 */
export type RegistrationState = 'registering' | 'registered' | 'lost' | 'unhealthy' | 'deregistered';

/** Events of a registration. */
export interface RegistrationEvents {
  /** A registrar has accepted it (again). */
  registered: [];
  /** A registrar refused or lost it, and why. */
  unregistered: [error: Error];
  /** The health check failed: ERR_RSERPOOL_ELEMENT_FAILED with what it failed with as its cause. */
  unhealthy: [error: Error];
  /** The health check succeeds again. */
  healthy: [];
}

interface Settings {
  readonly poolHandle: string;
  readonly scope: OperationalScope;
  readonly transport: SingleAddressTransport;
  readonly identifier: number;
  readonly registrationLife: number | undefined;
}

/**
 * Registers a service (REGISTER). Resolves when a registrar has accepted it, after the first successful health check.
 * Rejects with ERR_RSERPOOL_REGISTRATION_REJECTED, with ERR_RSERPOOL_NO_ENRP_SERVER or ERR_RSERPOOL_REQUEST_TIMEOUT when
 * no registrar answers (60 s by default), with the operating system's error if `asapPort` cannot be opened, and with
 * Node's argument errors. It does not keep the process alive once it has resolved.
 */
export async function register(options: RegisterOptions): Promise<Registration> {
  checkObject('options', options);
  const { scope, poolHandle } = checkScope(options.scope).locate(checkPoolHandle(options.poolHandle));
  const { signal, asapPort, healthCheck, protocol = 'tcp', host = '0.0.0.0' } = options;
  const port = checkPort('options.port', options.port, false);
  if (isIP(checkString('options.host', host)) === 0)
    throw invalidArgumentValue('options.host', host, 'must be an IP address');
  if (protocol !== 'tcp' && protocol !== 'udp')
    throw invalidArgumentValue('options.protocol', protocol, "must be one of: 'tcp', 'udp'");
  checkAdvertisement(options);
  if (options.identifier !== undefined) checkInteger('options.identifier', options.identifier, 1, 0xffffffff);
  if (asapPort !== undefined) checkPort('options.asapPort', asapPort);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgumentType('options.signal', 'an instance of AbortSignal', signal);
  const policy = checkPolicy(options.policy ?? 'roundRobin');
  const health = checkHealthOptions(options);
  signal?.throwIfAborted();
  const settings: Settings = {
    poolHandle,
    scope,
    transport: { type: protocol, address: host, port },
    identifier: options.identifier ?? scope.random.identifier(),
    registrationLife: options.registrationLife,
  };
  const registration = new Registration(settings, policy, options);
  return await new Promise((resolve, reject) => {
    const onAbort = (): void => settle(signal?.reason);
    const settle = (error?: unknown): void => {
      signal?.removeEventListener('abort', onAbort);
      if (error === undefined) {
        resolve(registration);
        return;
      }
      registration.deregister().catch(() => {});
      reject(error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const watch = healthCheck === undefined ? undefined : { check: healthCheck, ...health };
    registration.begin(
      watch,
      asapPort === undefined ? undefined : { host: options.host ?? '::', port: asapPort },
      settle,
    );
  });
}

/** A service's place in a pool. */
export class Registration extends EventEmitter<RegistrationEvents> {
  readonly #settings: Settings;
  readonly #load: ElementLoad;
  #state: RegistrationState = 'registering';
  #result: RegistrationResult | undefined;
  /** Until its deregistration has ended: two elements of one identifier would get each other's answers. */
  #element: RegisteredElement | undefined;
  #health: HealthWatch | undefined;
  #listener: Listener | undefined;
  #asapTransport: SingleAddressTransport | undefined;
  /** Told of the first registration, and forgotten. */
  #onFirst: ((error?: Error) => void) | undefined;
  #deregistered: Promise<void> | undefined;

  /** For `register`. */
  constructor(settings: Settings, policy: MemberSelectionPolicy, load: LoadOptions) {
    super();
    this.#settings = settings;
    this.#load = new ElementLoad(settings.scope, policy, load, {
      onChange: (changed) => this.#element?.update({ policy: changed }),
    });
  }

  /** The PE identifier: the "instance id" of section 5.2. */
  get identifier(): number {
    return this.#settings.identifier;
  }

  get poolHandle(): string {
    return this.#settings.poolHandle;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  get registered(): boolean {
    return this.#state === 'registered';
  }

  /** The response result of section 5.2; undefined before the first. */
  get result(): RegistrationResult | undefined {
    return this.#result;
  }

  /** Opens the ASAP port, waits for the service to be healthy, and registers (for `register`). */
  begin(
    health: { readonly check: HealthCheck; readonly interval: number; readonly timeout: number } | undefined,
    asapAt: { readonly host: string; readonly port: number } | undefined,
    onFirst: (error?: Error) => void,
  ): void {
    this.#onFirst = onFirst;
    this.#load.start();
    const start = (): void => {
      if (health === undefined) this.#register();
      else this.#watch(health);
    };
    if (asapAt === undefined) start();
    else this.#openAsapPort(asapAt, start);
  }

  /**
   * Changes the policy values (its type is the pool's and stays) and tells the registrar. `load` is for a policy given by
   * name. 'registered' or 'unregistered' follows; a refusal leaves the former values in force. Throws Node's errors.
   */
  update(changes: { readonly policy: PolicyOption; readonly load?: number }): void {
    checkObject('changes', changes);
    const policy = checkPolicy(changes.policy);
    const load = changes.load === undefined ? undefined : checkLoad(changes.load);
    this.#load.setPolicy(policy, load);
  }

  /**
   * DEREGISTER: leaves the pool for good. Resolves when the registrar has confirmed it; rejects with
   * ERR_RSERPOOL_DEREGISTRATION_REJECTED, ERR_RSERPOOL_NO_ENRP_SERVER or ERR_RSERPOOL_REQUEST_TIMEOUT if it did not: then
   * the registration ends with its life. Calling it again gives the same promise.
   */
  deregister(): Promise<void> {
    this.#deregistered ??= new Promise((resolve, reject) => {
      this.#become('deregistered');
      this.#health?.stop();
      this.#load.stop();
      this.#onFirst = undefined;
      const done = (error: Error | undefined): void => {
        this.#listener?.close();
        if (error === undefined) resolve();
        else reject(error);
      };
      if (this.#element === undefined) done(undefined);
      else this.#element.deregister(done);
    });
    return this.#deregistered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.deregister();
  }

  /** On IPv4 alone where the system has no IPv6. */
  #openAsapPort(at: { readonly host: string; readonly port: number }, onOpen: () => void): void {
    const { scope, transport } = this.#settings;
    this.#listener = scope.transports.stream.listen(at, {
      onListening: ({ port }) => {
        this.#asapTransport = { type: 'tcp', address: transport.address, port };
        if (this.#state === 'registering') onOpen();
      },
      onConnection: (stream) => scope.endpoint.acceptChannel(stream),
      onError: (error) => {
        const { code } = error as NodeJS.ErrnoException;
        const noIpv6 = at.host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL');
        if (noIpv6 && this.#state === 'registering') this.#openAsapPort({ ...at, host: '0.0.0.0' }, onOpen);
        else this.#endFirst(error);
      },
    });
    this.#listener.unref();
  }

  #watch(options: { readonly check: HealthCheck; readonly interval: number; readonly timeout: number }): void {
    const { scope, poolHandle, identifier } = this.#settings;
    this.#health = new HealthWatch(scope, options, {
      isAwaited: () => this.#onFirst !== undefined,
      onHealthy: (first) => {
        this.#register();
        if (!first) this.#tell('healthy');
      },
      onStillHealthy: () => this.#register(),
      onUnhealthy: (cause) => {
        const detail = `its health check failed: ${cause instanceof Error ? cause.message : String(cause)}`;
        const facts = { poolHandle, element: identifier, detail, cause };
        this.#leave();
        this.#tell('unhealthy', new RserpoolError('ERR_RSERPOOL_ELEMENT_FAILED', facts));
      },
    });
  }

  /** Registers unless it is registered, or about to be, or not to be. */
  #register(): void {
    if (this.#element !== undefined || this.#state === 'deregistered') return;
    const { scope, poolHandle, identifier, transport, registrationLife } = this.#settings;
    this.#become('registering');
    try {
      this.#element = scope.endpoint.register(
        {
          poolHandle: toPoolHandle(poolHandle),
          identifier,
          userTransport: transport,
          policy: this.#load.policy,
          ...(this.#asapTransport === undefined ? {} : { asapTransport: this.#asapTransport }),
          ...(registrationLife === undefined ? {} : { registrationLife }),
        },
        {
          onRegistered: () => this.#onRegistered(),
          onFailed: (error, ended) => this.#onFailed(error, ended),
          onExpired: () => this.#become('lost'),
        },
      );
    } catch (error) {
      // A policy or a pool handle that the wire cannot carry, or a scope that is closed.
      this.#onFailed(error as Error, true);
    }
  }

  /** The service is sick: it is no element until it is well. */
  #leave(): void {
    this.#become('unhealthy');
    this.#element?.deregister(() => {
      this.#element = undefined;
      if (this.#health?.healthy === true) this.#register();
    });
  }

  #onRegistered(): void {
    this.#result = { accepted: true };
    const renewed = this.#state === 'registered';
    this.#become('registered');
    if (!renewed) this.#tell('registered');
    this.#endFirst(undefined);
  }

  #onFailed(error: Error, ended: boolean): void {
    this.#result = { accepted: false, error };
    this.#become('lost');
    // With a health check, the next one that succeeds registers again.
    if (ended) this.#element = undefined;
    if (this.#onFirst === undefined) this.#tell('unregistered', error);
    else this.#endFirst(error);
  }

  #become(state: RegistrationState): void {
    if (this.#state !== 'deregistered') this.#state = state;
  }

  /** What a listener throws is no business of the endpoint's. */
  #tell(...event: ['registered'] | ['healthy'] | ['unregistered' | 'unhealthy', Error]): void {
    const emit = this.emit as (...all: unknown[]) => boolean;
    guard(this.#settings.scope.clock, () => emit.apply(this, event));
  }

  #endFirst(error: Error | undefined): void {
    const onFirst = this.#onFirst;
    this.#onFirst = undefined;
    onFirst?.(error);
  }
}
