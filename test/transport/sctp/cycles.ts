/**
 * Run with --expose-gc: 500 associations at once over one UDP port, then 10,000 one after the other, over real UDP. Prints what memory
 * grew by between the second and the last tenth, as JSON, and must end by itself.
 */

import { once } from 'node:events';
import { PackageSctpStack } from '../../../lib/transport/sctp/package/package-stack.js';
import { noSctpHandler, type SctpAssociation } from '../../../lib/transport/sctp/sctp-stack.js';

const host = '127.0.0.1';
const server = new PackageSctpStack({ host, udpPort: 0 });
const client = new PackageSctpStack({ host, udpPort: 0 });

function connect(port: number, encapsulationPort: number): Promise<SctpAssociation> {
  return new Promise((resolve, reject) => {
    client.connect(
      { host, port, encapsulationPort },
      {
        onOpen(association) {
          resolve(association);
          return noSctpHandler;
        },
        onError: reject,
      },
    );
  });
}

/** Sends a message, waits for its echo, and ends in order. */
function exchange(association: SctpAssociation): Promise<void> {
  return new Promise((resolve, reject) => {
    association.handler = {
      ...noSctpHandler,
      onMessage: () => association.shutdown(),
      onClose: (error) => (error === undefined ? resolve() : reject(error)),
    };
    association.send(Buffer.from('ping'), { streamId: 0, ppid: 0 });
  });
}

const { port, encapsulationPort = 0 } = await new Promise<{ port: number; encapsulationPort?: number }>(
  (resolve, reject) => {
    server.listen(0, {
      onListening: resolve,
      onAssociation: (association) => ({
        ...noSctpHandler,
        onMessage: ({ data }) => association.send(data, { streamId: 0, ppid: 0 }),
      }),
      onError: reject,
    });
  },
);

const many = await Promise.all(Array.from({ length: 500 }, () => connect(port, encapsulationPort)));
await Promise.all(many.map((association) => exchange(association)));

const cycles = 10_000;
const memory: number[] = [];
for (let tenth = 1; tenth <= 10; tenth++) {
  for (let i = 0; i < cycles / 10; i++) await exchange(await connect(port, encapsulationPort));
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  memory.push(heapUsed + external);
}
console.log(JSON.stringify({ atOnce: many.length, cycles, grown: (memory[9] ?? 0) - (memory[1] ?? 0) }));
client.close();
server.close();
await once(process, 'beforeExit');
