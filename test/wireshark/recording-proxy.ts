/** A TCP proxy in front of a registrar that keeps a copy of each ASAP message that passes. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { MessageFramer } from '../../lib/wire/framer.js';
import type { Passage } from './tshark.js';

export class RecordingProxy {
  /** Messages in the order in which they ended, whatever the connection; its number is the association. */
  readonly passages: Passage[] = [];
  /** What could not be cut into messages. */
  readonly faults: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  /** Connections go on to `port` of this host. */
  constructor(port: number) {
    // A half-closed connection stays half-closed on the other side.
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const association = this.#connections++;
      const server = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      this.#forward(client, server, association, true);
      this.#forward(server, client, association, false);
    });
  }

  /** The port to connect to. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #forward(from: Socket, to: Socket, association: number, toServer: boolean): void {
    this.#sockets.add(from);
    const framer = new MessageFramer();
    from.on('data', (chunk) => {
      const fault = framer.push(chunk, (bytes) => {
        this.passages.push({ protocol: 'asap', bytes: new Uint8Array(bytes), association, toServer });
      });
      if (fault !== undefined) this.faults.push(`connection ${association}: ${fault.reason}`);
      to.write(chunk);
    });
    from.on('end', () => to.end());
    // A killed process resets its connection; the far side has to see that, and we do not mind.
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
