/** A simulated network with registrars, scopes and scripted far ends, in virtual time. */

import { type AsapChannel, openAsapChannel } from '../../lib/asap/asap-channel.js';
import { asapChannelLimits } from '../../lib/asap/options.js';
import type { ElementDescription, RegisteredElement } from '../../lib/asap/registered-element.js';
import type { Resolution, ResolveOptions } from '../../lib/asap/resolution.js';
import { OperationalScope, type OperationalScopeOptions } from '../../lib/asap/scope.js';
import type { RegistrarOptions } from '../../lib/registrar/options.js';
import { Registrar } from '../../lib/registrar/registrar.js';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import type { ByteStream, ByteStreamTransport } from '../../lib/transport/transport.js';
import type { AsapMessage } from '../../lib/wire/messages.js';
import type { ErrorCause, PoolElement } from '../../lib/wire/parameters.js';

export interface RegistrationEvent {
  readonly at: number;
  readonly type: 'registered' | 'failed' | 'expired';
  readonly error?: Error & { code?: unknown };
  readonly ended?: boolean;
}

/** What a registration was told, in order. */
export interface RegistrationLog {
  readonly element: RegisteredElement;
  readonly events: RegistrationEvent[];
}

export interface ResolutionLog {
  error: (Error & { code?: unknown }) | undefined;
  resolution: Resolution | undefined;
  at: number | undefined;
  cancel(): void;
}

export class User {
  readonly world: World;
  readonly process: MemoryProcess;
  readonly scope: OperationalScope;
  /** Every connection attempt: when and where. */
  readonly attempts: { readonly at: number; readonly to: string }[] = [];

  constructor(world: World, address: string, options: OperationalScopeOptions) {
    this.world = world;
    this.process = world.network.spawn(address);
    const { transport, clock } = this.process;
    const stream: ByteStreamTransport = {
      listen: (at, callbacks) => transport.listen(at, callbacks),
      connect: (target, callbacks) => {
        this.attempts.push({ at: world.now, to: target.host });
        return transport.connect(target, callbacks);
      },
    };
    const transports = { stream, multicast: this.process.multicast, ...options.transports };
    this.scope = new OperationalScope({ clock, random: world.network.random, ...options, transports });
  }

  /** Runs as this process does. */
  do(run: () => void): void {
    this.process.dispatch('input', run);
  }

  resolve(poolHandle: string, options: ResolveOptions & { readonly wait?: number } = {}): ResolutionLog {
    const log: ResolutionLog = { error: undefined, resolution: undefined, at: undefined, cancel() {} };
    const done = (error: Error | undefined, resolution: Resolution | undefined): void => {
      if (log.at !== undefined) throw new Error('called back twice');
      log.error = error;
      log.resolution = resolution;
      log.at = this.world.now;
    };
    const { wait, ...rest } = options;
    this.do(() => {
      const { endpoint } = this.scope;
      const request =
        wait === undefined
          ? endpoint.resolve(poolHandle, rest, done)
          : endpoint.awaitPool(poolHandle, { ...rest, timeout: wait }, done);
      if (log.at !== undefined) throw new Error('called back from within the call');
      log.cancel = () => request.cancel();
    });
    return log;
  }

  register(description: Partial<ElementDescription> = {}): RegistrationLog {
    const events: RegistrationEvent[] = [];
    const address = this.process.address;
    let element: RegisteredElement | undefined;
    const log = (type: RegistrationEvent['type'], facts: object = {}): void => {
      events.push({ at: this.world.now, type, ...facts });
    };
    this.do(() => {
      element = this.scope.endpoint.register(
        { poolHandle: 'echo', identifier: 1, userTransport: { type: 'tcp', port: 7, address }, ...description },
        {
          onRegistered: () => log('registered'),
          onFailed: (error, ended) => log('failed', { error, ended }),
          onExpired: () => log('expired'),
        },
      );
    });
    return { element: element as RegisteredElement, events };
  }
}

/** A far end that speaks ASAP by script. */
export class Scripted {
  readonly process: MemoryProcess;
  readonly received: { readonly at: number; readonly message: AsapMessage }[] = [];
  readonly errors: ErrorCause[] = [];
  readonly channels: AsapChannel[] = [];
  readonly streams: ByteStream[] = [];
  readonly closed: (Error | undefined)[] = [];
  onMessage: (message: AsapMessage, channel: AsapChannel) => void = () => {};
  readonly #world: World;

  constructor(world: World, address: string) {
    this.#world = world;
    this.process = world.network.spawn(address);
  }

  /** When messages of a type arrived, each instant once. */
  instants(type: AsapMessage['type']): number[] {
    return [...new Set(this.received.filter(({ message }) => message.type === type).map(({ at }) => at))];
  }

  messages<Type extends AsapMessage['type']>(type: Type): (AsapMessage & { type: Type })[] {
    return this.received.map(({ message }) => message).filter((message) => message.type === type) as never;
  }

  listen(port = 3863): this {
    this.process.transport.listen(
      { host: this.process.address, port },
      {
        onListening() {},
        onError: (error) => {
          throw error;
        },
        onConnection: (stream) => this.#speak(stream),
      },
    );
    return this;
  }

  connect(host: string, port = 3863): this {
    this.process.dispatch('input', () => {
      this.process.transport.connect(
        { host, port },
        { onOpen: (stream) => this.#speak(stream), onError: (error) => void this.closed.push(error) },
      );
    });
    this.#world.run(10);
    return this;
  }

  send(message: AsapMessage): this {
    this.process.dispatch('input', () => void this.channels.at(-1)?.send(message));
    return this;
  }

  sendBytes(hexOrBytes: string | Uint8Array): this {
    const bytes =
      typeof hexOrBytes === 'string' ? Uint8Array.from(Buffer.from(hexOrBytes.replaceAll(' ', ''), 'hex')) : hexOrBytes;
    this.process.dispatch('input', () => void this.streams.at(-1)?.write([bytes]));
    return this;
  }

  #speak(stream: ByteStream): ByteStream['handler'] {
    const handler = {
      onMessage: (message: AsapMessage) => {
        this.received.push({ at: this.#world.now, message });
        this.onMessage(message, channel);
      },
      onErrorReport: (errors: readonly ErrorCause[]) => void this.errors.push(...errors),
      onClose: (error: Error | undefined) => void this.closed.push(error),
    };
    const { channel }: { channel: AsapChannel } = openAsapChannel(
      stream,
      handler,
      this.process.clock,
      asapChannelLimits(),
    );
    this.channels.push(channel);
    this.streams.push(stream);
    return stream.handler;
  }
}

export class World {
  readonly network: MemoryNetwork;

  /** `latency` is that of every link, in milliseconds one way. */
  constructor(latency = 1) {
    this.network = new MemoryNetwork({ latency });
  }

  get now(): number {
    return this.network.time.now;
  }

  /** Lets `milliseconds` pass. */
  run(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.network.time.step(until));
    this.network.time.advanceTo(until);
  }

  registrar(address: string, options: RegistrarOptions = {}): { registrar: Registrar; process: MemoryProcess } {
    const process = this.network.spawn(address);
    const { clock, transport, multicast } = process;
    const transports = { stream: transport, multicast };
    const registrar = new Registrar({ clock, random: this.network.random, transports, ...options });
    process.dispatch('input', () => void registrar.listen());
    this.run(0);
    return { registrar, process };
  }

  /** `registrars` undefined: none is configured. */
  user(address: string, registrars: string | undefined = '10.0.0.1', options: OperationalScopeOptions = {}): User {
    return new User(this, address, { registrars, ...options });
  }

  scripted(address: string): Scripted {
    return new Scripted(this, address);
  }
}

/** A pool element as tests send it. */
export function poolElement(identifier: number, address: string, facts: Partial<PoolElement> = {}): PoolElement {
  const userTransport = { type: 'tcp', port: 7, address } as const;
  return { identifier, homeServerId: 0, registrationLife: 300, userTransport, ...facts };
}
