/** The one UDP socket of a stack: bound when it is first used, shared by all its ports and peers. */

import type { Clock } from '../../../clock.js';
import type { DatagramSocket, DatagramTransport } from '../../datagram.js';
import type { TransportAddress } from '../../transport.js';

export class SharedSocket {
  readonly #clock: Clock;
  readonly #datagrams: DatagramTransport;
  readonly #at: TransportAddress;
  readonly #onDatagram: (bytes: Uint8Array, from: TransportAddress) => void;
  #socket: DatagramSocket | undefined;
  #address: TransportAddress | undefined;
  #error: Error | undefined;
  #waiting: ((error: Error | undefined) => void)[] = [];
  #keepsAlive = true;

  constructor(
    clock: Clock,
    datagrams: DatagramTransport,
    at: TransportAddress,
    onDatagram: (bytes: Uint8Array, from: TransportAddress) => void,
  ) {
    this.#clock = clock;
    this.#datagrams = datagrams;
    this.#at = at;
    this.#onDatagram = onDatagram;
  }

  /** Where it is bound; undefined until it is. */
  get address(): TransportAddress | undefined {
    return this.#address;
  }

  /** Calls `run` when the socket is bound, or with what went wrong; never from within this call. */
  use(run: (error: Error | undefined) => void): void {
    if (this.#address !== undefined || this.#error !== undefined) {
      this.#clock.defer(() => run(this.#error));
      return;
    }
    this.#waiting.push(run);
    this.#socket ??= this.#datagrams.bind(this.#at, {
      onListening: (address) => {
        this.#address = address;
        this.#settle();
      },
      onDatagram: this.#onDatagram,
      onError: (error) => {
        this.#error = error;
        this.#settle();
      },
    });
  }

  /** Sends a datagram; before the socket is bound, and after its end, it is lost. */
  send(bytes: Uint8Array, to: TransportAddress): void {
    this.#socket?.send(bytes, to);
  }

  /** Whether the socket keeps the process alive; while something waits for it, it does. */
  keepAlive(wanted: boolean): void {
    this.#keepsAlive = wanted;
    if (this.#address === undefined) return;
    if (wanted) this.#socket?.ref();
    else this.#socket?.unref();
  }

  close(): void {
    this.#error = new Error('the SCTP stack is closed');
    this.#socket?.close();
    this.#clock.defer(() => this.#settle());
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) run(this.#error);
    this.keepAlive(this.#keepsAlive);
  }
}
