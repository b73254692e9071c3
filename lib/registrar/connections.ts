/** The open ASAP connections of a registrar: how many there may be, and for how long one may say nothing. */

import { diagnosticEvent } from '../diagnostics.js';
import { RserpoolError } from '../errors.js';
import { formatAddress } from '../transport/transport.js';
import type { RegistrarConnection } from './connection.js';
import type { RegistrarSettings } from './options.js';

interface ConnectionFacts {
  readonly remote: string;
  /** How many are open now. */
  readonly connections: number;
}
const opened = diagnosticEvent<ConnectionFacts>('registrar', 'connection-opened');
const ended = diagnosticEvent<ConnectionFacts & { readonly error: Error | undefined }>(
  'registrar',
  'connection-closed',
);
const refused = diagnosticEvent<ConnectionFacts & { readonly limit: 'maxConnections' | 'maxConnectionsPerHost' }>(
  'registrar',
  'connection-refused',
);

export class Connections {
  readonly #settings: RegistrarSettings;
  readonly #open = new Set<RegistrarConnection>();
  readonly #openOfHost = new Map<string, number>();

  constructor(settings: RegistrarSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): IterableIterator<RegistrarConnection> {
    return this.#open.values();
  }

  /** Counts a new connection in. False: a limit is reached, and it is to be aborted. */
  add(connection: RegistrarConnection): boolean {
    const { limits, timers, clock } = this.#settings;
    const { machine, channel } = connection;
    const remote = formatAddress(connection.remoteAddress);
    const ofHost = this.#openOfHost.get(machine) ?? 0;
    if (this.#open.size >= limits.maxConnections || ofHost >= limits.maxConnectionsPerHost) {
      const limit = this.#open.size >= limits.maxConnections ? 'maxConnections' : 'maxConnectionsPerHost';
      if (refused.watched) refused.publish({ remote, connections: this.#open.size, limit });
      return false;
    }
    this.#open.add(connection);
    this.#openOfHost.set(machine, ofHost + 1);
    const hangUp = (): void => {
      const detail = `${remote} sent no message within ${timers.firstMessageTimeout} ms`;
      channel.close(new RserpoolError('ERR_RSERPOOL_LIMIT', { detail, origin: 'remote' }));
    };
    connection.silence = clock.setTimeout(hangUp, timers.firstMessageTimeout, 'background');
    if (opened.watched) opened.publish({ remote, connections: this.#open.size });
    return true;
  }

  /** The connection has sent a message. */
  heard(connection: RegistrarConnection): void {
    connection.silence?.cancel();
    connection.silence = undefined;
  }

  /** Counts a connection out. False: it never was in. */
  remove(connection: RegistrarConnection, error: Error | undefined): boolean {
    if (!this.#open.delete(connection)) return false;
    this.heard(connection);
    const { machine } = connection;
    const left = (this.#openOfHost.get(machine) ?? 0) - 1;
    if (left > 0) this.#openOfHost.set(machine, left);
    else this.#openOfHost.delete(machine);
    if (ended.watched)
      ended.publish({ remote: formatAddress(connection.remoteAddress), connections: this.#open.size, error });
    return true;
  }
}
