/**
 * The simple services of the reference implementation, as elements of their pools over SCTP: EchoPool sends each message back with its
 * payload protocol identifier and stream; DiscardPool swallows; DaytimePool sends the time and ends; CharGenPool sends blocks
 * of 1,024 bytes as long as there is room for them.
 */

import rserpool, { type Server, type Socket } from '../../lib/index.js';

export type SimpleService = 'EchoPool' | 'DiscardPool' | 'DaytimePool' | 'CharGenPool';

const blockLength = 1024;
const printable = 95;

const services: Record<SimpleService, (socket: Socket) => void> = {
  EchoPool(socket) {
    socket.on('message', (message) => {
      message.reply(message.data, { ppid: message.ppid, streamId: message.streamId });
    });
  },
  DiscardPool(socket) {
    socket.on('message', (message) => message.acknowledge());
  },
  DaytimePool(socket) {
    socket.end(`${new Date().toString()}\n`);
  },
  CharGenPool(socket) {
    let next = 0;
    const fill = (): void => {
      let room = true;
      while (room && !socket.destroyed) {
        const block = new Uint8Array(blockLength);
        for (let i = 0; i < blockLength; i++) block[i] = 32 + (next++ % printable);
        room = socket.write(block);
      }
    };
    socket.on('drain', fill);
    fill();
  },
};

/** An element of the service's pool; `listen` as `Server.listen` takes it, with `mappings: ['sctp']` for users of the reference implementation. */
export function serveSimply(service: SimpleService, listen: object): Server {
  const server = rserpool.createServer(services[service]);
  server.listen({ mappings: ['sctp'], ...listen, poolHandle: service });
  return server;
}
