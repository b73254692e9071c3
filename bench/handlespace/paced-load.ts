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

  /** `poolOf` is called for each request. */
  static async start(port: number, poolOf: () => string): Promise<PacedLoad> {
    const load = new PacedLoad();
    for (let i = 0; i < connections; i++) await load.#connect(port, poolOf);
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

  async #connect(port: number, poolOf: () => string): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    this.#sockets.push(socket);
    let sent = 0;
    const ask = (): void => {
      if (this.#stopped) return;
      const facts = { type: 'handleResolution', subscribe: false, poolHandle: poolOf(), elementsWanted: 3 } as const;
      const request = encodeAsap(facts);
      sent = performance.now();
      socket.write(request);
    };
    // One request at a time, and an answer fits one segment.
    socket.on('data', (chunk: Buffer) => {
      this.#latencies.push(performance.now() - sent);
      if (chunk[0] !== 0x06 || chunk.length < 100) throw new Error('not an answer');
      setTimeout(ask, pauseBetween);
    });
    socket.on('error', () => {});
    ask();
  }
}
