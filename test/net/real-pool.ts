/** A pool of real services on loopback, in this process: a registrar, and elements that can die and fall silent. */

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { OperationalScope, type OperationalScopeOptions } from '../../lib/asap/scope.js';
import { type Registration, register } from '../../lib/net/registration.js';
import { createRegistrar, type Registrar } from '../../lib/registrar/registrar.js';
import { reset } from '../../lib/transport/tcp/tcp.js';

export interface RealElement {
  readonly name: string;
  readonly server: net.Server;
  readonly port: number;
  readonly registration: Registration;
  readonly connections: Set<net.Socket>;
  /** Breaks all its connections and stops listening; its registration stays, as that of another process would. */
  kill(): Promise<void>;
  /** Accepts connections, and reads and writes nothing any more, as a stopped process. */
  freeze(): void;
}

export class RealPool {
  readonly registrar: Registrar;
  readonly elements: RealElement[] = [];
  readonly scope: OperationalScope;
  readonly #registrarAddress: string;
  readonly #scopes: OperationalScope[] = [];

  private constructor(registrar: Registrar, registrarAddress: string) {
    this.registrar = registrar;
    this.#registrarAddress = registrarAddress;
    this.scope = this.newScope();
  }

  /** Ends with the test, whatever becomes of it. */
  static async start(t: { teardown(end: () => Promise<void>): void }): Promise<RealPool> {
    const registrar = createRegistrar({ port: 0 });
    const [address] = (await once(registrar.listen(), 'listening')) as [{ host: string; port: number }];
    const pool = new RealPool(registrar, `${address.host}:${address.port}`);
    t.teardown(() => pool.close());
    return pool;
  }

  get registrars(): string {
    return this.#registrarAddress;
  }

  /** Adds a service to the pool `poolHandle`. */
  async add(name: string, server: net.Server, poolHandle: string = 'web'): Promise<RealElement> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const inside = (server.address() as net.AddressInfo).port;
    // What the element hears and says goes through here, so that it can fall silent.
    const connections = new Set<net.Socket>();
    let frozen = false;
    const front = net.createServer({ allowHalfOpen: true }, (socket) => {
      const inner = net.connect({ port: inside, host: '127.0.0.1', allowHalfOpen: true });
      connections.add(socket);
      socket.on('close', () => {
        connections.delete(socket);
        inner.destroy();
      });
      inner.on('close', () => reset(socket));
      for (const end of [socket, inner]) end.on('error', () => {});
      if (frozen) return;
      socket.pipe(inner);
      inner.pipe(socket);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    const { port } = front.address() as net.AddressInfo;
    const registration = await register({ poolHandle, port, host: '127.0.0.1', scope: this.newScope() });
    const stop = async (): Promise<void> => {
      for (const socket of connections) reset(socket);
      for (const listener of [front, server]) if (listener.listening) await new Promise((done) => listener.close(done));
    };
    const element: RealElement = {
      name,
      server,
      port,
      registration,
      connections,
      kill: stop,
      freeze() {
        frozen = true;
        for (const socket of connections) {
          socket.unpipe();
          socket.pause();
        }
      },
    };
    this.elements.push(element);
    return element;
  }

  /** An http service that answers with its name, or as `listener` does. */
  http(name: string, listener?: http.RequestListener): Promise<RealElement> {
    return this.add(name, http.createServer(listener ?? ((_, response) => response.end(name))));
  }

  async close(): Promise<void> {
    for (const element of this.elements) {
      await element.registration.deregister().catch(() => {});
      await element.kill();
    }
    for (const scope of this.#scopes) scope.close();
    await new Promise<void>((resolve) => this.registrar.close(() => resolve()));
  }

  newScope(options: OperationalScopeOptions = {}): OperationalScope {
    const scope = new OperationalScope({ registrars: this.#registrarAddress, ...options });
    this.#scopes.push(scope);
    return scope;
  }
}
