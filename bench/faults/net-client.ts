/**
 * What one writes by hand without pools: a connection to the first of some servers; when it breaks, one to the next, and
 * everything unanswered is sent again. It has no heartbeats, so a frozen server stops it for good.
 */

import { connect, type Socket } from 'node:net';
import { corkedWriter, readFrames } from '../session/frames.js';
import { encodeRequest, idOf, partOf, partsOf } from './load.js';

export class NetClient {
  readonly #ports: () => readonly number[];
  readonly #onAnswered: (id: number) => void;
  readonly #open = new Set<number>();
  #write: ((bytes: Uint8Array) => void) | undefined;
  /** The server that it is with. */
  port = 0;
  #socket: Socket | undefined;
  #stopped = false;
  reconnections = -1;

  constructor(ports: () => readonly number[], onAnswered: (id: number) => void) {
    this.#ports = ports;
    this.#onAnswered = onAnswered;
    this.#connect();
  }

  request(id: number): void {
    this.#open.add(id);
    this.#write?.(encodeRequest(id));
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    if (this.#stopped) return;
    const ports = this.#ports();
    const port = ports[(ports.indexOf(this.port) + 1) % ports.length] as number;
    this.port = port;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#write = undefined;
      this.#connect();
    });
    socket.on('connect', () => {
      this.reconnections++;
      this.#write = corkedWriter(socket);
      for (const id of this.#open) this.#write(encodeRequest(id));
    });
    readFrames(socket, (bytes) => {
      const id = idOf(bytes);
      if (partOf(bytes) === partsOf(id) && this.#open.delete(id)) this.#onAnswered(id);
    });
  }
}
