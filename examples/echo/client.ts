/** Sends what it reads to the pool 'echo' and prints what comes back: node dist/examples/echo/client.js */

import { connect } from '../../lib/index.js';

const socket = connect({ poolHandle: 'echo' });

socket.on('connect', () => console.error(`connected to ${socket.element?.identifier}`));
socket.on('failover', ({ from, to, cause }) => {
  console.error(`gone from ${from.identifier} to ${to.identifier}: ${cause.message}`);
});
process.stdin.pipe(socket).pipe(process.stdout);
