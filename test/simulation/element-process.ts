/**
 * A simulated pool element: registers, accepts users and registrars on one port (told apart by the first byte), and
 * executes messages asynchronously.
 */

import type { RegisteredElement } from '../../lib/asap/registered-element.js';
import { OperationalScope } from '../../lib/asap/scope.js';
import { tcpMappingOffer } from '../../lib/mapping/offer.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { magic } from '../../lib/mapping/tcp/frame.js';
import { PeerProcesses } from '../../lib/mapping/tcp/peer-processes.js';
import { ResumableSessions } from '../../lib/mapping/tcp/resumable-sessions.js';
import type { Cookie } from '../../lib/session/cookie.js';
import { ElementSession } from '../../lib/session/element-session.js';
import type { SessionHandler } from '../../lib/session/session.js';
import type { MemoryProcess } from '../../lib/transport/memory/process.js';
import type { ByteStream, ByteStreamHandler, Listener, TransportAddress } from '../../lib/transport/transport.js';
import type { PoolElement } from '../../lib/wire/parameters.js';
import { toPoolHandle } from '../../lib/wire/pool-handle.js';
import { ServedSession } from './served-session.js';
import { poolName, registrarAddress, type World } from './world.js';

/** Milliseconds that a connection may stay silent before anything tells what it speaks. */
const detectTimeout = 3000;

const poolHandle = toPoolHandle(poolName);

export class ElementProcess {
  readonly world: World;
  readonly process: MemoryProcess;
  readonly identifier: number;
  readonly address: TransportAddress;
  readonly scope: OperationalScope;
  readonly sessions: Set<ServedSession> = new Set();
  registration: RegisteredElement | undefined;
  /** Since when a registrar has confirmed it without a break; Infinity while none does. */
  registeredAt: number = Number.POSITIVE_INFINITY;
  readonly #resumable: ResumableSessions;
  readonly #processes: PeerProcesses;
  /** Other living elements, the oldest first. */
  readonly #findOthers: (element: ElementProcess) => ElementProcess[];
  #listener: Listener | undefined;
  #handingOver = false;

  constructor(
    world: World,
    address: TransportAddress,
    identifier: number,
    findOthers: (element: ElementProcess) => ElementProcess[],
  ) {
    this.world = world;
    this.#findOthers = findOthers;
    this.address = address;
    this.identifier = identifier;
    this.process = world.network.spawn(address.host, `element ${identifier}`);
    const { clock, transport } = this.process;
    this.scope = new OperationalScope({
      registrars: [registrarAddress],
      clock,
      random: world.network.random,
      transports: { stream: transport },
    });
    this.#resumable = new ResumableSessions(clock, world.scenario.mapping);
    this.#processes = new PeerProcesses(clock, world.network.random);
    this.process.dispatch('input', () => this.#listen());
  }

  get name(): string {
    return this.process.name;
  }

  get isDead(): boolean {
    return this.process.state === 'dead';
  }

  #listen(): void {
    this.#listener = this.process.transport.listen(this.address, {
      onListening: () => this.#register(),
      onConnection: (stream) => this.#accept(stream),
      onError: (error) => this.world.fail(`${this.name} could not listen: ${error.message}`),
    });
  }

  /** Itself, as others recommend it. */
  get description(): PoolElement {
    const userTransport = { type: 'tcp', address: this.address.host, port: this.address.port } as const;
    return {
      identifier: this.identifier,
      homeServerId: 0,
      registrationLife: this.world.scenario.registrationLife,
      userTransport,
      mappings: [tcpMappingOffer([this.address])],
      policy: { type: 'roundRobin' },
    };
  }

  /** Two others, the youngest first; itself where there are none. */
  #successors(): PoolElement[] {
    const others = this.#findOthers(this).reverse().slice(0, 2);
    return (others.length === 0 ? [this] : others).map(({ description }) => description);
  }

  #register(): void {
    const transport = { type: 'tcp', address: this.address.host, port: this.address.port } as const;
    const { world, name } = this;
    this.registration = this.scope.endpoint.register(
      {
        poolHandle,
        identifier: this.identifier,
        userTransport: transport,
        asapTransport: transport,
        mappings: [tcpMappingOffer([this.address])],
        registrationLife: world.scenario.registrationLife,
      },
      {
        onRegistered: () => {
          world.trace.note('registered', name);
          this.registeredAt = Math.min(this.registeredAt, world.now);
        },
        onFailed: (error, ended) => {
          world.trace.note('registration failed', name, Number(ended));
          this.registeredAt = Number.POSITIVE_INFINITY;
          if (ended) world.fail(`the registration of ${name} failed for good: ${error.message}`);
        },
        onExpired: () => {
          world.trace.note('expired', name);
          this.registeredAt = Number.POSITIVE_INFINITY;
        },
      },
    );
  }

  #accept(stream: ByteStream): ByteStreamHandler {
    const timer = this.process.clock.setTimeout(() => stream.destroy(), detectTimeout, 'background');
    return {
      onData: (chunk) => {
        timer.cancel();
        if (chunk[0] !== magic[0]) {
          stream.handler = this.scope.endpoint.acceptChannel(stream, chunk);
          return;
        }
        stream.handler = this.#serve(stream);
        stream.handler.onData(chunk);
      },
      onDrain() {},
      onEnd: () => {
        timer.cancel();
        stream.destroy();
      },
      onClose: () => timer.cancel(),
    };
  }

  #serve(stream: ByteStream): ByteStreamHandler {
    const { clock } = this.process;
    const connection = new TcpMappingConnection(stream, clock, this.world.scenario.mapping, {
      role: 'element',
      peIdentifier: this.identifier,
      isMeant: (handle, identifier) => handle === poolHandle && identifier === this.identifier,
      sessions: this.#resumable,
      processes: this.#processes,
    });
    const { cookieProtection } = this.world.scenario;
    const cookies = cookieProtection && {
      seal: this.world.seal(cookieProtection, this.identifier),
      onRefused: (reason: string) => this.world.fail(`${this.name} refused a cookie of the pool: ${reason}`),
    };
    const begin = (session: ElementSession, cookie: Cookie | undefined): SessionHandler => {
      const served = new ServedSession(this, session, connection, cookie);
      this.sessions.add(served);
      if (this.world.scenario.cards) session.sendBusinessCard({ poolHandle: poolName, elements: this.#successors() });
      return served;
    };
    const entrance = { clock, helloTimeout: this.world.scenario.mapping.helloTimeout, cookies };
    connection.handler = new ElementSession(connection, { begin, onNotBegun() {} }, entrance);
    return connection.streamHandler;
  }

  /** Leaves in order: deregisters, stops accepting, ends. */
  leave(onLeft: () => void): void {
    this.process.dispatch('input', () => {
      this.#listener?.close();
      this.registration?.deregister((error) => {
        if (error !== undefined) this.world.fail(`${this.name} could not deregister: ${error.message}`);
        this.scope.close();
        onLeft();
      });
    });
  }

  /** Its users are asked to go elsewhere, or are about to be. */
  get isHandingOver(): boolean {
    return this.#handingOver;
  }

  get isRegistered(): boolean {
    return this.registration?.state === 'registered' && !this.#handingOver;
  }

  /** Leaves in order and asks its users to go elsewhere. */
  handOver(onDone: () => void): void {
    this.#handingOver = true;
    this.registeredAt = Number.POSITIVE_INFINITY;
    this.process.dispatch('input', () => {
      this.registration?.deregister(() => {
        this.world.trace.note('asks its users to go elsewhere', this.name);
        for (const { session } of this.sessions) session.goElsewhere();
        this.#doneWhenEmpty(onDone);
      });
    });
  }

  #doneWhenEmpty(onDone: () => void): void {
    if (this.sessions.size === 0) onDone();
    else this.process.clock.setTimeout(() => this.#doneWhenEmpty(onDone), 50);
  }
}
