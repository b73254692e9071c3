/** The user of the benchmark of cuts: `user.js REGISTRAR BYTES`. */

import { connect, OperationalScope } from '../../lib/index.js';
import { Received, type Transferred, writeContent } from './content.js';

const [registrars, length] = process.argv.slice(2) as [string, string];

const socket = connect({ poolHandle: 'cuts', scope: new OperationalScope({ registrars }), allowHalfOpen: true });
const received = new Received();
let events = 0;
socket.on('failover', () => events++);
socket.on('data', (bytes: Uint8Array) => received.add(bytes));
const sent = writeContent(socket, 'to the element', Number(length));
socket.on('close', async () => {
  const report: Transferred = { sent: await sent, received: received.digest(), bytesReceived: received.bytes, events };
  process.send?.(report, () => process.disconnect());
});
