/**
 * Something on the way between users and an element that breaks their connections: after so many bytes each time, in
 * one of three ways in turn. What it holds at that moment is lost.
 */

import net from 'node:net';

/** The first byte of the mapping's magic: connections of registrars are left alone. */
const mappingByte = 0xf2;

/** Both ends are reset; both are closed; or the user's alone, and the element's end stays open for a while. */
const ways = ['reset', 'close', 'halfOpen'] as const;
const halfOpenFor = 500;

export interface CuttingProxyOptions {
  /** Bytes, both directions together, between two cuts: each is chosen by chance within half and one and a half of it. */
  readonly bytesBetween: number;
  readonly cuts: number;
  readonly random: () => number;
}

export class CuttingProxy {
  readonly #server: net.Server;
  readonly #options: CuttingProxyOptions;
  /** The element's port. */
  target = 0;
  cuts = 0;
  /** Ms from each cut to the first bytes of the element by the next connection. */
  readonly gaps: number[] = [];
  #left = 0;
  #cutAt: number | undefined;
  readonly #sockets = new Set<net.Socket>();

  constructor(options: CuttingProxyOptions) {
    this.#options = options;
    this.#drawNext();
    this.#server = net.createServer((user) => this.#accept(user));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.on('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return (this.#server.address() as net.AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #drawNext(): void {
    this.#left = this.#options.bytesBetween * (0.5 + this.#options.random());
  }

  #accept(user: net.Socket): void {
    const element = net.connect(this.target, '127.0.0.1');
    let isSession: boolean | undefined;
    let broken = false;
    const pass = (from: net.Socket, to: net.Socket, onBytes: (bytes: Buffer) => void): void => {
      this.#sockets.add(from);
      from.on('data', (bytes: Buffer) => {
        if (broken) return;
        onBytes(bytes);
        if (broken) return;
        if (!to.write(bytes)) from.pause();
      });
      from.on('drain', () => to.resume());
      from.on('end', () => broken || to.end());
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        if (!broken) to.destroy();
      });
    };
    const count = (bytes: Buffer): void => {
      if (isSession !== true || this.cuts === this.#options.cuts) return;
      this.#left -= bytes.length;
      if (this.#left > 0) return;
      broken = true;
      this.#cut(user, element);
    };
    pass(user, element, (bytes) => {
      isSession ??= bytes[0] === mappingByte;
      count(bytes);
    });
    pass(element, user, (bytes) => {
      if (isSession === true && this.#cutAt !== undefined) {
        this.gaps.push(performance.now() - this.#cutAt);
        this.#cutAt = undefined;
      }
      count(bytes);
    });
  }

  #cut(user: net.Socket, element: net.Socket): void {
    const way = ways[this.cuts++ % ways.length];
    this.#drawNext();
    this.#cutAt = performance.now();
    if (way === 'reset') {
      user.resetAndDestroy();
      element.resetAndDestroy();
    } else if (way === 'close') {
      user.destroy();
      element.destroy();
    } else {
      user.resetAndDestroy();
      setTimeout(() => element.destroy(), halfOpenFor).unref();
    }
  }
}
