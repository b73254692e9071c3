/**
 * Datagrams between the processes of a memory network, with what UDP does to them: lost, late, out of order, twice. Chance comes
 * from the network's seed, so that the same seed gives the same course.
 */

import type { DatagramHandler, DatagramSocket, DatagramTransport } from '../datagram.js';
import { formatAddress, type TransportAddress } from '../transport.js';
import type { MemoryNetwork } from './network.js';
import type { MemoryProcess } from './process.js';

/** What becomes of a datagram. Probabilities are from 0 to 1. */
export interface DatagramFaults {
  readonly loss: number;
  readonly duplication: number;
  /** How many datagrams come later than they should, and by how many ms at most. */
  readonly reordering: number;
  readonly reorderingDelay: number;
}

interface Port {
  readonly process: MemoryProcess;
  readonly handler: DatagramHandler;
  readonly address: TransportAddress;
}

export class MemoryDatagrams {
  faults: DatagramFaults = { loss: 0, duplication: 0, reordering: 0, reorderingDelay: 0 };
  /** Decides about each datagram before chance does; false loses it. */
  intercept: ((bytes: Uint8Array, from: TransportAddress, to: TransportAddress) => boolean) | undefined;
  /** Datagrams that were sent. */
  sent = 0;
  readonly #network: MemoryNetwork;
  readonly #ports = new Map<string, Port>();
  #ephemeralPort = 40_000;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  /** What the process sends and receives datagrams by. */
  transportOf(process: MemoryProcess): DatagramTransport {
    return { bind: (at, handler) => this.#bind(process, at, handler) };
  }

  /** Delivers a datagram as if it came from there: what an attacker can send. */
  inject(bytes: Uint8Array, from: TransportAddress, to: TransportAddress): void {
    this.#deliver(from, to, bytes.slice(), 0);
  }

  #bind(process: MemoryProcess, at: TransportAddress, handler: DatagramHandler): DatagramSocket {
    const address = { host: process.address, port: at.port === 0 ? this.#ephemeralPort++ : at.port };
    const key = formatAddress(address);
    const port: Port = { process, handler, address };
    let open = true;
    this.#network.time.schedule(0, () => {
      process.dispatch('input', () => {
        if (!open) return;
        const taken = this.#ports.get(key);
        if (taken !== undefined && taken.process.state !== 'dead') {
          open = false;
          handler.onError(Object.assign(new Error(`bind EADDRINUSE ${key}`), { code: 'EADDRINUSE', syscall: 'bind' }));
          return;
        }
        this.#ports.set(key, port);
        handler.onListening(address);
      });
    });
    return {
      // The bytes are copied: what the sender does with them afterwards is its own affair.
      send: (bytes, to) => open && this.#send(address, to, bytes.slice()),
      close: () => {
        open = false;
        if (this.#ports.get(key) === port) this.#ports.delete(key);
      },
      ref() {},
      unref() {},
    };
  }

  #send(from: TransportAddress, to: TransportAddress, bytes: Uint8Array): void {
    this.sent++;
    const { faults } = this;
    const { random } = this.#network;
    if (this.intercept?.(bytes, from, to) === false) return;
    if (faults.loss > 0 && random.uniform() < faults.loss) return;
    const copies = faults.duplication > 0 && random.uniform() < faults.duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = faults.reordering > 0 && random.uniform() < faults.reordering;
      this.#deliver(from, to, copy === 0 ? bytes : bytes.slice(), late ? random.uniform() * faults.reorderingDelay : 0);
    }
  }

  #deliver(from: TransportAddress, to: TransportAddress, bytes: Uint8Array, delay: number): void {
    const link = this.#network.link(from.host, to.host);
    if (link.cut) return;
    this.#network.time.schedule(link.latency + delay, () => {
      const port = this.#ports.get(formatAddress(to));
      port?.process.dispatch('input', () => {
        if (this.#ports.get(formatAddress(to)) === port) port.handler.onDatagram(bytes, from);
      });
    });
  }
}
