/**
 * A small world for the tests of net: a registrar, elements and users in one process, over the memory transport in
 * virtual time. Node's streams schedule by themselves, so all ticks are drained between two events of virtual time.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { OperationalScope, type OperationalScopeOptions } from '../../lib/asap/scope.js';
import { connect } from '../../lib/net/connect.js';
import type { PoolListenOptions } from '../../lib/net/listen-options.js';
import type { PoolConnectOptions } from '../../lib/net/options.js';
import { Server } from '../../lib/net/server.js';
import type { Socket } from '../../lib/net/socket.js';
import { seededRandom } from '../../lib/random.js';
import { Registrar } from '../../lib/registrar/registrar.js';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../lib/transport/memory/network.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';

const registrarHost = '10.0.0.1';

/** A server in a process of its own. */
export interface TestElement {
  readonly process: MemoryProcess;
  readonly scope: OperationalScope;
  readonly server: Server;
  /** Every socket that came, oldest first. */
  readonly sockets: Socket[];
}

export interface TestRegistrar {
  readonly process: MemoryProcess;
  readonly registrar: Registrar;
}

/** What tests ask of `connect`, with the scope filled in. */
export type ClientOptions = Partial<PoolConnectOptions> & {
  allowHalfOpen?: boolean;
  signal?: AbortSignal;
  timeout?: number;
};

export class World {
  readonly network: MemoryNetwork;
  readonly clients: Socket[] = [];
  #addresses = 2;

  constructor(options: MemoryNetworkOptions = {}) {
    this.network = new MemoryNetwork(options);
  }

  get now(): number {
    return this.network.time.now;
  }

  /** A process on a machine of its own. */
  spawn(name: string): MemoryProcess {
    return this.network.spawn(`10.0.0.${this.#addresses++}`, name);
  }

  registrar(): TestRegistrar {
    const process = this.network.spawn(registrarHost, 'registrar');
    const registrar = new Registrar({
      host: registrarHost,
      clock: process.clock,
      random: seededRandom(7),
      transports: { stream: process.transport },
    });
    registrar.listen();
    return { process, registrar };
  }

  scope(process: MemoryProcess, options: Partial<OperationalScopeOptions> = {}): OperationalScope {
    return new OperationalScope({
      registrars: registrarHost,
      clock: process.clock,
      random: seededRandom(this.#addresses * 7919),
      transports: { stream: process.transport },
      ...options,
    });
  }

  /** An element of the pool 'echo' that answers by `onConnection` (default: it echoes). It registers as time goes on. */
  element(
    onConnection: ((socket: Socket) => void) | undefined = (socket) => void socket.pipe(socket),
    listen: Partial<PoolListenOptions> = {},
    serverOptions: ConstructorParameters<typeof Server>[0] = {},
  ): TestElement {
    const process = this.spawn('element');
    const scope = this.scope(process);
    const sockets: Socket[] = [];
    const server = new Server(serverOptions);
    server.on('connection', (socket: Socket) => {
      sockets.push(socket);
      onConnection(socket);
    });
    server.listen({ poolHandle: 'echo', scope, port: 7, ...listen });
    return { process, scope, server, sockets };
  }

  /** A user of the pool 'echo', in a process of its own unless `options` names a scope. */
  client(options: ClientOptions = {}): Socket {
    const socket = connect({ poolHandle: 'echo', scope: options.scope ?? this.scope(this.spawn('user')), ...options });
    this.clients.push(socket);
    return socket;
  }

  /** A registrar and so many echoing elements, all registered. */
  static async echo(
    elements: number,
    listen: Partial<PoolListenOptions> = {},
  ): Promise<World & { elements: TestElement[] }> {
    const world = new World();
    world.registrar();
    const list = Array.from({ length: elements }, () => world.element(undefined, listen));
    await world.until(() => list.every((element) => element.server.registered));
    return Object.assign(world, { elements: list });
  }

  /** Lets `ms` of virtual time pass. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    do await nextTurn();
    while (this.network.time.step(end));
    this.network.time.advanceTo(end);
  }

  /** Lets time pass until the promise has settled or the condition holds; fails after `limit` ms of virtual time. */
  async until<T>(awaited: Promise<T> | (() => boolean), limit: number = 120_000): Promise<T> {
    const end = this.now + limit;
    let settled = false;
    const promise = typeof awaited === 'function' ? undefined : awaited;
    promise?.then(
      () => (settled = true),
      () => (settled = true),
    );
    for (;;) {
      await nextTurn();
      if (promise === undefined ? (awaited as () => boolean)() : settled) return promise as Promise<T>;
      if (!this.network.time.step(end)) throw new Error(`not within ${limit} ms, it is ${this.now}`);
    }
  }

  /** The element that serves this user now. */
  serving(socket: Socket, elements: readonly TestElement[]): TestElement {
    const found = elements.find(({ server }) => server.peIdentifier === socket.element?.identifier);
    if (found === undefined) throw new Error('no element serves the socket');
    return found;
  }
}

/** The next event of this name, or a rejection with the 'error' that comes before it. */
export function event(emitter: NodeJS.EventEmitter, name: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      emitter.removeListener(name, onEvent);
      emitter.removeListener('error', onError);
      finish();
    };
    const onEvent = (...args: unknown[]): void => settle(() => resolve(args));
    const onError = (error: unknown): void => settle(() => reject(error));
    emitter.on(name, onEvent);
    if (name !== 'error') emitter.on('error', onError);
  });
}

/** Everything that comes until the end, as text. */
export function collect(socket: Socket): { text: string } {
  const got = { text: '' };
  socket.on('data', (chunk: Uint8Array | string) => {
    got.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
  });
  return got;
}
