/** The element of the benchmark of cuts: `element.js REGISTRAR PROXY_PORT BYTES`. */

import { createServer, OperationalScope } from '../../lib/index.js';
import { Received, type Transferred, writeContent } from './content.js';

const [registrars, proxyPort, length] = process.argv.slice(2) as [string, string, string];

const server = createServer({ allowHalfOpen: true }, async (socket) => {
  const received = new Received();
  let events = 0;
  socket.on('resumed', () => events++);
  socket.on('data', (bytes: Uint8Array) => received.add(bytes));
  const sent = writeContent(socket, 'to the user', Number(length));
  socket.on('close', async () => {
    const report: Transferred = {
      sent: await sent,
      received: received.digest(),
      bytesReceived: received.bytes,
      events,
    };
    process.send?.(report);
  });
});
server.once('registered', () => process.send?.({ port: (server.address() as { port: number }).port }));
server.listen({
  poolHandle: 'cuts',
  scope: new OperationalScope({ registrars }),
  host: '127.0.0.1',
  advertise: { host: '127.0.0.1', port: Number(proxyPort) },
});
process.on('disconnect', () => process.exit());
