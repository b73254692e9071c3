/** The connections of an http agent to the elements of one pool: kept alive for each element, chosen for each request. */

import type { Socket } from 'node:net';
import type { Cancellable } from '../asap/resolution.js';
import type { Timer } from '../clock.js';
import type { ElementChoice } from './element-choice.js';
import { type Dialled, ElementDialling } from './element-dialling.js';
import { ElementWatch, type WatchedConnection } from './element-watch.js';
import { httpProbe } from './http-probe.js';
import type { PoolServer } from './select-server.js';

export interface AgentConnectionOptions {
  readonly connectTimeout: number;
  readonly attemptTimeout: number;
  readonly failureTimeout: number;
  /** Milliseconds that a connection without a request is kept. */
  readonly idleTimeout: number;
  /** How many of them for each element. */
  readonly mostIdle: number;
}

/** Who has a request on a connection. */
export interface ConnectionOwner {
  onData(chunk: Buffer): void;
  onDrain(): void;
  onEnd(): void;
  /** Once, unless the connection was let go before. */
  onClose(error: Error | undefined): void;
  /** The element gives no sign of life any more. */
  onElementSilent(): void;
}

/** A connection to an element. */
export class ElementConnection implements WatchedConnection {
  readonly server: PoolServer;
  readonly socket: Socket;
  owner: ConnectionOwner | undefined;
  /** It has carried a request before: its far side may have closed it in the meantime. */
  reused = false;
  idleSince = 0;
  ended = false;

  constructor(socket: Socket, server: PoolServer, onClosed: (connection: ElementConnection) => void) {
    this.socket = socket;
    this.server = server;
    let failure: Error | undefined;
    socket.on('data', (chunk: Buffer) => {
      // Nothing was asked: whatever it is, it is no answer to the next request.
      if (this.owner === undefined) socket.destroy();
      else this.owner.onData(chunk);
    });
    socket.on('drain', () => this.owner?.onDrain());
    socket.on('end', () => {
      this.ended = true;
      if (this.owner === undefined) socket.destroy();
      else this.owner.onEnd();
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      this.ended = true;
      onClosed(this);
      this.owner?.onClose(failure);
    });
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  onElementSilent(): void {
    if (this.owner === undefined) this.socket.destroy();
    else this.owner.onElementSilent();
  }
}

/** Called once, and not from within the call that it was given to. */
export type AcquireCallback = (error: Error | undefined, connection: ElementConnection | undefined) => void;

export class AgentConnections {
  readonly choice: ElementChoice;
  readonly #dial: (server: PoolServer) => Dialled;
  readonly #options: AgentConnectionOptions;
  readonly #watch: ElementWatch;
  /** By PE identifier; the one that was used last is at the end. */
  readonly #idle = new Map<number, ElementConnection[]>();
  readonly #onClosed: (connection: ElementConnection) => void;
  #sweep: Timer | undefined;

  constructor(choice: ElementChoice, dial: (server: PoolServer) => Dialled, options: AgentConnectionOptions) {
    this.choice = choice;
    this.#dial = dial;
    this.#options = options;
    const { clock } = choice.scope;
    const { failureTimeout } = options;
    const probe = httpProbe(clock, failureTimeout / 2, (server) => dial(server).socket);
    this.#watch = new ElementWatch(clock, failureTimeout, (server, callback) =>
      probe(server, (alive) => {
        if (!alive) this.#onSilent(server);
        callback(alive);
      }),
    );
    this.#onClosed = (connection) => {
      this.#watch.remove(connection);
      this.#forget(connection);
    };
  }

  /**
   * A connection to the element whose turn it is: one that is idle, given at once, or a new one, of which the callback
   * tells. `fresh`: not an idle one.
   */
  acquire(
    owner: ConnectionOwner,
    fresh: boolean,
    callback: AcquireCallback,
  ): { readonly connection: ElementConnection } | { readonly dialling: Cancellable } {
    const server = this.choice.next();
    const idle = fresh || server === undefined ? undefined : this.#takeIdle(server.identifier);
    if (idle !== undefined) {
      this.#give(idle, owner);
      return { connection: idle };
    }
    const dialling = new ElementDialling(
      this.choice,
      this.#dial,
      this.#options,
      (error, socket, reached) => {
        if (socket === undefined || reached === undefined) {
          callback(error, undefined);
          return;
        }
        const connection = new ElementConnection(socket, reached, this.#onClosed);
        this.#give(connection, owner);
        callback(undefined, connection);
      },
      server,
    );
    return { dialling };
  }

  /** The exchange is over, and the connection may carry another one. */
  release(connection: ElementConnection): void {
    connection.owner = undefined;
    this.#watch.remove(connection);
    const { identifier } = connection.server;
    const idle = this.#idle.get(identifier) ?? [];
    if (connection.ended || idle.length >= this.#options.mostIdle || !this.choice.has(identifier)) {
      connection.socket.destroy();
      return;
    }
    connection.reused = true;
    connection.idleSince = this.choice.scope.clock.now();
    connection.socket.unref();
    idle.push(connection);
    this.#idle.set(identifier, idle);
    if (this.#sweep === undefined) this.#armSweep();
  }

  /** Closes the connection: its exchange did not come to its end. */
  discard(connection: ElementConnection): void {
    connection.owner = undefined;
    this.#watch.remove(connection);
    connection.socket.destroy();
  }

  /** Closes what is idle. */
  close(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    for (const idle of this.#idle.values()) for (const { socket } of [...idle]) socket.destroy();
    this.#idle.clear();
  }

  #give(connection: ElementConnection, owner: ConnectionOwner): void {
    connection.owner = owner;
    this.#watch.add(connection);
  }

  #takeIdle(identifier: number): ElementConnection | undefined {
    const connection = this.#idle.get(identifier)?.pop();
    if (connection === undefined) return undefined;
    if (!this.#isStale(connection)) return connection;
    // The others have been idle even longer; the sweep finds them.
    connection.socket.destroy();
    return undefined;
  }

  #isStale(connection: ElementConnection): boolean {
    if (connection.ended) return true;
    return this.choice.scope.clock.now() - connection.idleSince >= this.#options.idleTimeout;
  }

  #onSilent(server: PoolServer): void {
    this.choice.failed(server.identifier, 'silent');
    const idle = this.#idle.get(server.identifier) ?? [];
    this.#idle.delete(server.identifier);
    for (const { socket } of idle) socket.destroy();
  }

  #forget(connection: ElementConnection): void {
    const idle = this.#idle.get(connection.server.identifier);
    const at = idle?.indexOf(connection) ?? -1;
    if (at !== -1) idle?.splice(at, 1);
  }

  #armSweep(): void {
    const { clock } = this.choice.scope;
    this.#sweep = clock.setTimeout(() => this.#sweepIdle(), this.#options.idleTimeout / 2, 'background');
  }

  #sweepIdle(): void {
    this.#sweep = undefined;
    for (const [identifier, idle] of this.#idle) {
      const gone = !this.choice.has(identifier);
      for (const connection of [...idle]) if (gone || this.#isStale(connection)) connection.socket.destroy();
      const left = gone ? [] : idle.filter((connection) => !connection.ended && !connection.socket.destroyed);
      if (left.length === 0) this.#idle.delete(identifier);
      else this.#idle.set(identifier, left);
    }
    if (this.#idle.size > 0) this.#armSweep();
  }
}
