/** A user that looks at one registrar all the time: asks for a pool again and again, or is subscribed to it. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decodeAsap, encodeAsap } from '../../lib/wire/asap.js';
import { MessageFramer } from '../../lib/wire/framer.js';

/** The least time between an answer and the next question, in milliseconds. */
const pauseBetween = 2;

export class AsapWatch {
  readonly #socket: Socket;
  readonly #poolHandle: string;
  readonly #subscribed: boolean;
  /** Who was in the latest answer. */
  #present: ReadonlySet<number> = new Set();
  #awaited: { readonly identifier: number; readonly present: boolean; readonly seen: (at: number) => void }[] = [];
  #closed = false;

  private constructor(socket: Socket, poolHandle: string, subscribed: boolean) {
    this.#socket = socket;
    this.#poolHandle = poolHandle;
    this.#subscribed = subscribed;
    const framer = new MessageFramer();
    socket.setNoDelay(true);
    socket.on('data', (chunk) => void framer.push(chunk, (message) => this.#onMessage(message)));
    socket.on('error', () => {});
    this.#ask();
  }

  static async open(host: string, port: number, poolHandle: string, kind: 'asks' | 'subscribed'): Promise<AsapWatch> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new AsapWatch(socket, poolHandle, kind === 'subscribed');
  }

  /** When an answer or a push without the element, or with it, has come: `performance.now()`. */
  async sees(identifier: number, presence: 'present' | 'gone'): Promise<number> {
    const present = presence === 'present';
    if (this.#present.has(identifier) === present) return performance.now();
    return await new Promise<number>((seen) => this.#awaited.push({ identifier, present, seen }));
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #ask(): void {
    if (this.#closed) return;
    this.#socket.write(
      encodeAsap({ type: 'handleResolution', subscribe: this.#subscribed, poolHandle: this.#poolHandle }),
    );
  }

  #onMessage(bytes: Uint8Array): void {
    const at = performance.now();
    const decoded = decodeAsap(bytes);
    if (decoded.type !== 'message' || decoded.message.type !== 'handleResolutionResponse') return;
    const { poolElements, errors } = decoded.message;
    this.#present = new Set(poolElements.map(({ identifier }) => identifier));
    this.#awaited = this.#awaited.filter(({ identifier, present, seen }) => {
      const holds = this.#present.has(identifier) === present;
      if (holds) seen(at);
      return !holds;
    });
    // A pool that does not exist yet cannot be subscribed to.
    if (!this.#subscribed || errors.length > 0) setTimeout(() => this.#ask(), pauseBetween);
  }
}
