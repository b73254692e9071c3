/**
 * Notices elements that were frozen or cut off while an answer is awaited from them: TCP alone never tells. When a
 * connection on which something is awaited has been silent for half of `failureTimeout`, the element is asked for a sign of
 * life on a connection of its own; a slow service gives one, a frozen one does not.
 */

import type { Clock, Timer } from '../clock.js';
import type { PoolServer } from './select-server.js';

/** A connection on which something is awaited. */
export interface WatchedConnection {
  readonly server: PoolServer;
  /** Grows with everything that comes. */
  readonly bytesRead: number;
  /** The element gave no sign of life in time. */
  onElementSilent(): void;
}

/** Asks the element for a sign of life and calls back once, unless it is cancelled. */
export type Probe = (server: PoolServer, callback: (alive: boolean) => void) => { cancel(): void };

interface Watched {
  bytesRead: number;
  quietTicks: number;
}

interface ElementState {
  readonly connections: Map<WatchedConnection, Watched>;
  probe: { cancel(): void } | undefined;
  /** Ticks until the next probe, and how many there will be after it: they grow while the element is merely slow. */
  pause: number;
  nextPause: number;
}

/** Ticks in one failureTimeout. */
const ticks = 4;
/** A slow element is asked again after one failureTimeout, then two and so on up to so many. */
const mostPause = 5;

export class ElementWatch {
  readonly #clock: Clock;
  readonly #failureTimeout: number;
  readonly #probe: Probe;
  readonly #elements = new Map<number, ElementState>();
  #timer: Timer | undefined;

  /** `failureTimeout`: milliseconds. */
  constructor(clock: Clock, failureTimeout: number, probe: Probe) {
    this.#clock = clock;
    this.#failureTimeout = failureTimeout;
    this.#probe = probe;
  }

  /** Something is awaited on the connection from now on. */
  add(connection: WatchedConnection): void {
    const { identifier } = connection.server;
    let element = this.#elements.get(identifier);
    if (element === undefined) {
      element = { connections: new Map(), probe: undefined, pause: 0, nextPause: ticks };
      this.#elements.set(identifier, element);
    }
    element.connections.set(connection, { bytesRead: connection.bytesRead, quietTicks: 0 });
    if (this.#timer === undefined) this.#arm();
  }

  /** Nothing is awaited any more. */
  remove(connection: WatchedConnection): void {
    this.#elements.get(connection.server.identifier)?.connections.delete(connection);
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => this.#tick(), this.#failureTimeout / ticks, 'background');
  }

  #tick(): void {
    this.#timer = undefined;
    for (const [identifier, element] of this.#elements) {
      if (element.connections.size === 0) {
        element.probe?.cancel();
        this.#elements.delete(identifier);
      } else this.#look(element);
    }
    if (this.#elements.size > 0) this.#arm();
  }

  #look(element: ElementState): void {
    let quiet: WatchedConnection | undefined;
    for (const [connection, watched] of element.connections) {
      if (watched.bytesRead !== connection.bytesRead) {
        watched.bytesRead = connection.bytesRead;
        watched.quietTicks = 0;
      } else if (++watched.quietTicks >= ticks / 2) quiet = connection;
    }
    if (quiet === undefined) {
      element.pause = 0;
      element.nextPause = ticks;
    } else if (element.probe === undefined && --element.pause < 0) this.#ask(element, quiet.server);
  }

  #ask(element: ElementState, server: PoolServer): void {
    element.pause = element.nextPause;
    element.nextPause = Math.min(element.nextPause + ticks, mostPause * ticks);
    element.probe = this.#probe(server, (alive) => {
      element.probe = undefined;
      if (alive) return;
      for (const connection of [...element.connections.keys()]) connection.onElementSilent();
    });
  }
}
