/** The element process of the endurance benchmark (`element.js REGISTRAR`): accepts, reads nothing of the pool 'deaf'. */

import { createServer, OperationalScope } from '../../lib/index.js';
import { answerMeasurements } from './measured.js';

const scope = new OperationalScope({ registrars: process.argv[2] as string });
let registered = 0;
for (const poolHandle of ['idle', 'deaf']) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    // Without a 'data' listener nothing is read.
    if (poolHandle === 'idle') socket.resume();
  });
  server.once('registered', () => {
    if (++registered === 2) process.send?.('ready');
  });
  server.listen({ poolHandle, scope, host: '127.0.0.1' });
}
answerMeasurements();
