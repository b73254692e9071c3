/** Registrars, elements and users in one simulated network, in virtual time. */

import { AsapEndpoint } from '../../../lib/asap/endpoint.js';
import { asapChannelLimits, asapTimers } from '../../../lib/asap/options.js';
import type { RegisteredElement } from '../../../lib/asap/registered-element.js';
import type { EnrpLimits } from '../../../lib/enrp/options.js';
import { type Random, seededRandom } from '../../../lib/random.js';
import type { RegistrarLimits } from '../../../lib/registrar/options.js';
import { Registrar } from '../../../lib/registrar/registrar.js';
import { MemoryNetwork } from '../../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../../lib/transport/memory/process.js';
import type { ByteStreamTransport, TransportAddress } from '../../../lib/transport/transport.js';
import type { PoolHandle } from '../../../lib/wire/parameters.js';

export const heartbeatCycle = 1_000;
const elementPort = 7;

export interface RegistrarProcess {
  readonly address: string;
  readonly process: MemoryProcess;
  readonly registrar: Registrar;
}

export interface ElementProcess {
  readonly address: string;
  readonly process: MemoryProcess;
  readonly endpoint: AsapEndpoint;
  readonly poolHandle: PoolHandle;
  readonly identifier: number;
  /** As it registered last. */
  load: number;
  registration: RegisteredElement | undefined;
}

export class Cluster {
  readonly random: Random;
  readonly network: MemoryNetwork;
  /** By address; a dead one stays until it is started again. */
  readonly registrars: Map<string, RegistrarProcess> = new Map();
  readonly elements: Map<string, ElementProcess> = new Map();
  readonly users: AsapEndpoint[] = [];
  /** Every change of every handlespace: the same seed gives the same. */
  readonly trace: string[] = [];
  resolutions = 0;
  readonly #addresses: TransportAddress[];

  readonly #limits: Partial<EnrpLimits>;
  readonly #registrarLimits: Partial<RegistrarLimits>;

  /** `limits`: those of ENRP. */
  constructor(
    seed: number,
    registrars: number,
    limits: Partial<EnrpLimits> = {},
    registrarLimits: Partial<RegistrarLimits> = {},
  ) {
    this.#limits = limits;
    this.#registrarLimits = registrarLimits;
    this.random = seededRandom(seed);
    this.network = new MemoryNetwork({ random: seededRandom(seed ^ 0x5bd1e995), latency: 1, fragment: true });
    this.#addresses = Array.from({ length: registrars }, (_, i) => ({ host: `10.0.0.${i + 1}`, port: 3863 }));
  }

  get now(): number {
    return this.network.time.now;
  }

  get registrarAddresses(): string[] {
    return this.#addresses.map(({ host }) => host);
  }

  run(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.network.time.step(until));
    this.network.time.advanceTo(until);
  }

  note(text: string): void {
    this.trace.push(`${this.now.toFixed(3)} ${text}`);
  }

  /** Starts a registrar, with a new identifier. */
  startRegistrar(address: string): void {
    const process = this.network.spawn(address);
    const { clock, transport } = process;
    const registrar = new Registrar({
      host: address,
      clock,
      random: this.network.random,
      transports: { stream: transport },
      timers: { keepAliveInterval: 1_000, keepAliveTimeout: 500 },
      limits: this.#registrarLimits,
      enrp: {
        host: address,
        // All of them, itself included: one configuration for every server.
        peers: this.registrarAddresses,
        timers: { heartbeatCycle, discoveryTime: 2_000, mentorRetryInterval: 500 },
        limits: this.#limits,
      },
    });
    registrar.on('change', ({ type, reason, poolHandle, identifier }) => {
      this.note(`${address} ${type} ${poolHandle}/${identifier} ${reason}`);
    });
    this.registrars.set(address, { address, process, registrar });
    this.note(`${address} starts as ${registrar.serverId}`);
    process.dispatch('input', () => void registrar.listen());
  }

  /** Starts an element; `heldBack` milliseconds pass before it finds another registrar by itself. */
  startElement(address: string, poolHandle: PoolHandle, heldBack: number): void {
    const process = this.network.spawn(address);
    const { clock } = process;
    const endpoint = this.#endpoint(process, heldBack);
    const identifier = this.random.identifier();
    const element: ElementProcess = {
      ...{ address, process, endpoint, poolHandle, identifier },
      load: 0,
      registration: undefined,
    };
    this.elements.set(address, element);
    this.note(`${address} is ${poolHandle}/${identifier}`);
    process.dispatch('input', () => {
      process.transport.listen(
        { host: address, port: elementPort },
        {
          onListening() {},
          onConnection: (stream) => endpoint.acceptChannel(stream),
          onError: (error) => {
            throw error;
          },
        },
      );
      const register = (): void => {
        const userTransport = { type: 'tcp', port: elementPort, address } as const;
        const registration = { poolHandle, identifier, userTransport, asapTransport: userTransport };
        const policy = { type: 'leastUsed', load: element.load } as const;
        element.registration = endpoint.register(
          { ...registration, policy, registrationLife: 60_000 },
          {
            onRegistered() {},
            onExpired() {},
            // A real element would try again as well.
            onFailed: (_, ended) => void (ended && clock.setTimeout(register, 200)),
          },
        );
      };
      register();
    });
  }

  /** An element registers again with another load. */
  changeLoad(element: ElementProcess, load: number): void {
    element.load = load;
    this.note(`${element.address} has load ${load}`);
    element.process.dispatch('input', () => element.registration?.update({ policy: { type: 'leastUsed', load } }));
  }

  /** A user that resolves a pool several times a second. */
  startUser(address: string, poolHandles: readonly PoolHandle[]): void {
    const process = this.network.spawn(address);
    const endpoint = this.#endpoint(process, 0);
    this.users.push(endpoint);
    const ask = (): void => {
      const poolHandle = poolHandles[Math.floor(this.random.uniform() * poolHandles.length)] as PoolHandle;
      endpoint.resolve(poolHandle, { fresh: true }, (error, resolution) => {
        if (error === undefined) this.resolutions++;
        // An answer names nobody twice.
        const identifiers = resolution?.elements.map(({ identifier }) => identifier) ?? [];
        if (new Set(identifiers).size !== identifiers.length) throw new Error('an element twice in an answer');
      });
      process.clock.setTimeout(ask, 250);
    };
    process.dispatch('input', ask);
  }

  /** Neither dead nor frozen. */
  livingRegistrars(): RegistrarProcess[] {
    return [...this.registrars.values()].filter(({ process }) => process.state === 'running');
  }

  livingElements(): ElementProcess[] {
    return [...this.elements.values()].filter(({ process }) => process.state !== 'dead');
  }

  #endpoint(process: MemoryProcess, heldBack: number): AsapEndpoint {
    const { clock, transport } = process;
    let connected = false;
    const stream: ByteStreamTransport = {
      listen: (at, callbacks) => transport.listen(at, callbacks),
      connect: (target, callbacks) => {
        if (!connected || heldBack === 0) {
          connected = true;
          return transport.connect(target, callbacks);
        }
        let attempt: { cancel(): void } | undefined;
        const timer = clock.setTimeout(() => {
          attempt = transport.connect(target, callbacks);
        }, heldBack);
        return {
          cancel() {
            timer.cancel();
            attempt?.cancel();
          },
        };
      },
    };
    return new AsapEndpoint({
      servers: this.#shuffled(),
      transport: stream,
      clock,
      random: this.network.random,
      timers: asapTimers({
        huntTimeout: heldBack + 1_000,
        maxHuntTimeout: heldBack + 1_000,
        registrationTimeout: 1_000,
        requestTimeout: 1_000,
        maxHuntBackoff: 500,
      }),
      limits: asapChannelLimits(),
    });
  }

  #shuffled(): TransportAddress[] {
    const addresses = [...this.#addresses];
    for (let i = addresses.length - 1; i > 0; i--) {
      const j = Math.floor(this.random.uniform() * (i + 1));
      [addresses[i], addresses[j]] = [addresses[j] as TransportAddress, addresses[i] as TransportAddress];
    }
    return addresses;
  }
}
