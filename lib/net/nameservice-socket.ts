/**
 * `net.Socket` that can try several servers before it is connected, and that can be used again when it has closed. Its heir
 * initialises it.
 */

import net from 'node:net';
import { mirrorAttributes, uninitialised } from './callable.js';
import { PlainConnection, type PlainConnectionOptions } from './plain-connection.js';
import { setConnecting } from './socket-session.js';
import type { WriteCallback } from './written-bytes.js';

const NetSocket: typeof net.Socket = uninitialised(net.Socket);

export class NameserviceSocket extends NetSocket {
  static {
    mirrorAttributes(NameserviceSocket.prototype);
  }

  /** While it is with a pool in nameservice mode, and afterwards. */
  #plain: PlainConnection | undefined;
  /** Handles of net's own that were given up without the socket: nobody is to hear of their 'close'. */
  #silentCloses = 0;
  #referenced = true;
  #waitingFinal: WriteCallback | undefined;

  /** Node's event emitter, but for what net says of attempts that were not the last. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    // What is to be heard net tells with true, or without saying.
    if (event === 'close' && this.#silentCloses > 0 && args[0] === false) {
      this.#silentCloses--;
      return false;
    }
    const plain = this.#plain;
    // Where there was no attempt yet net does not say.
    if (event === 'close' && plain !== undefined && args.length === 0) args.push(this.errored !== null);
    if (plain === undefined || !plain.isSeeking)
      return (super.emit as (name: string | symbol, ...all: unknown[]) => boolean)(event, ...args);
    if (!plain.beforeEvent(event)) return false;
    try {
      return (super.emit as (name: string | symbol, ...all: unknown[]) => boolean)(event, ...args);
    } finally {
      plain.afterEvent();
    }
  }

  /** net destroys its socket when an attempt fails: the next element is tried instead. */
  override destroy(error?: Error, callback?: (error?: Error | null) => void): this {
    if (this.#plain?.takesFailure(error) === true) return this;
    return (super.destroy as (...all: unknown[]) => this)(error, callback);
  }

  override resetAndDestroy(): this {
    if (this.#plain?.isSeeking === true) return this.once('connect', () => super.resetAndDestroy());
    return super.resetAndDestroy();
  }

  override ref(): this {
    this.#referenced = true;
    return super.ref();
  }

  override unref(): this {
    this.#referenced = false;
    return super.unref();
  }

  /** The end before 'connect' waits for it; an attempt that fails forgets it (see #dial). */
  override _final(callback: WriteCallback): void {
    if (this.#plain?.isSeeking !== true) {
      super._final(callback);
      return;
    }
    this.#waitingFinal = callback;
    this.once('connect', () => {
      if (this.#waitingFinal !== callback) return;
      this.#waitingFinal = undefined;
      super._final(callback);
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#plain?.stop();
    super._destroy(error, callback);
  }

  protected get plainConnection(): PlainConnection | undefined {
    return this.#plain;
  }

  /** The socket is connected otherwise from now on. */
  protected leaveNameserviceMode(): void {
    this.#plain = undefined;
  }

  /** From here on this socket is with a pool in nameservice mode. */
  protected connectPlain(options: PlainConnectionOptions): void {
    this.#plain = new PlainConnection(
      {
        dial: (target) => this.#dial(target),
        closeHandle: () => this.#closeHandle(),
        goOn: () => setConnecting(this, true),
        emit: (event, ...args) => this.emit(event, ...args),
        destroy: (error) => this.destroy(error),
      },
      options,
    );
  }

  /** Makes a closed socket one that can be used again, as net's `connect` does, without connecting it. */
  protected revive(): void {
    super.connect({ host: 'localhost', port: 1, family: 4, lookup: () => {} });
    this.#closeHandle();
    // net puts a write() of its own in front.
    delete (this as { write?: unknown }).write;
  }

  /** net's own `connect`, which forgets what went before. */
  #dial(target: net.TcpNetConnectOpts): void {
    const ended = this.writableEnded;
    const { timeout = 0 } = this;
    super.connect(target);
    const final = this.#waitingFinal;
    this.#waitingFinal = undefined;
    // That end is forgotten: to be counted as answered it has to come before the new one.
    final?.();
    if (ended) this.end();
    if (timeout > 0) this.setTimeout(timeout);
    if (!this.#referenced) super.unref();
  }

  /** Closes net's handle, and leaves the stream as it is. */
  #closeHandle(): void {
    this.#silentCloses++;
    super._destroy(null, () => {});
  }
}
