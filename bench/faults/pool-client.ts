/** The client that is judged: requests over one session of the pool, each answer checked, failovers counted. */

import { once } from 'node:events';
import { connect, type Message, OperationalScope, type Socket } from '../../lib/index.js';
import type { Ledger } from './ledger.js';
import { encodeRequest, idOf, partOf, partsOf } from './load.js';

export class PoolClient {
  readonly #socket: Socket;
  readonly #ledger: Ledger;
  readonly failures: Error[] = [];
  failovers = 0;
  failoversWithoutFault = 0;
  /** A fault was made, and the session has not left that element yet. */
  faultPending = false;

  constructor(registrar: string, ledger: Ledger, heartbeatInterval: number | undefined) {
    const scope = new OperationalScope({ registrars: registrar });
    this.#ledger = ledger;
    this.#socket = connect({
      poolHandle: 'faults',
      scope,
      ...(heartbeatInterval !== undefined && { heartbeatInterval }),
    });
    this.#socket.on('error', (error) => this.failures.push(error));
    this.#socket.on('failover', ({ cause }) => {
      this.failovers++;
      if (!this.faultPending) {
        this.failoversWithoutFault++;
        console.log(`a failover without a fault: ${cause.message}`);
      }
      this.faultPending = false;
    });
    // An answer to what was answered already would be the application's.
    this.#socket.on('message', (message: Message) => ledger.answered(idOf(message.data)));
  }

  async connected(): Promise<void> {
    await once(this.#socket, 'connect');
  }

  /** The element that serves. */
  get element(): number {
    const identifier = this.#socket.element?.identifier;
    if (identifier === undefined) throw new Error('no element serves');
    return identifier;
  }

  async request(id: number): Promise<void> {
    try {
      const answer = await this.#socket.request(encodeRequest(id));
      const got = [...answer.earlier, answer];
      const whole =
        got.length === partsOf(id) && got.every(({ data }, at) => idOf(data) === id && partOf(data) === at + 1);
      if (whole) this.#ledger.answered(id);
      else this.#ledger.wrong++;
    } catch (error) {
      this.failures.push(error as Error);
    }
  }

  stop(): void {
    this.#socket.destroy();
  }
}
