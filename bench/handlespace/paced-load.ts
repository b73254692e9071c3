/** Users who ask one after the other, with a pause between: how long each answer takes is what is measured. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeAsap } from '../../lib/wire/asap.js';

const connections = 16;
const pauseBetween = 2;

export class PacedLoad {
  readonly #sockets: Socket[] = [];
  readonly #latencies: number[] = [];
  #stopped = false;

  /** The users ask for one of the pools each time, by chance. */
  static async start(port: number, pools: readonly string[]): Promise<PacedLoad> {
    const load = new PacedLoad();
    // Encoded beforehand: what the load's own garbage collection takes would be counted as the registrar's.
    const requests = pools.map((poolHandle) =>
      encodeAsap({ type: 'handleResolution', subscribe: false, poolHandle, elementsWanted: 3 }),
    );
    for (let i = 0; i < connections; i++) await load.#connect(port, requests);
    return load;
  }

  /** The milliseconds that each answer took since the last call. */
  take(): number[] {
    return this.#latencies.splice(0);
  }

  stop(): void {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #connect(port: number, requests: readonly Uint8Array[]): Promise<void> {
    let sent = 0;
    // One request at a time, and an answer fits one segment.
    const onAnswer = (length: number, bytes: Uint8Array): boolean => {
      this.#latencies.push(performance.now() - sent);
      if (bytes[0] !== 0x06 || length < 100) throw new Error('not an answer');
      setTimeout(ask, pauseBetween);
      return true;
    };
    const onread = { buffer: new Uint8Array(4_096), callback: onAnswer };
    const socket = connect({ port, host: '127.0.0.1', onread });
    const ask = (): void => {
      if (this.#stopped) return;
      sent = performance.now();
      socket.write(requests[Math.floor(Math.random() * requests.length)] as Uint8Array);
    };
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.setNoDelay(true);
    this.#sockets.push(socket);
    ask();
  }
}
