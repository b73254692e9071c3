/** Books the amounts that it reads, one a line, and prints the balance after each: node dist/examples/ledger/client.js */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { connect } from '../../lib/index.js';

const socket = connect({ poolHandle: 'ledger' });

socket.on('connect', () => console.error(`connected to ${socket.element?.identifier}`));
socket.on('failover', ({ from, to }) => console.error(`gone from ${from.identifier} to ${to.identifier}`));

for await (const amount of createInterface(process.stdin)) {
  const { data } = await socket.request(amount);
  console.log(`${amount} booked, balance ${Buffer.from(data)}`);
}
socket.end().resume();
await once(socket, 'close');
