/** An echo server as an element of the pool 'echo'. Start as many as you like: node dist/examples/echo/server.js */

import { createServer } from '../../lib/index.js';

const server = createServer((socket) => socket.pipe(socket)).listen({ poolHandle: 'echo' });

server.on('registered', () => console.log(`serving as ${server.peIdentifier}`));
process.once('SIGTERM', () => server.close());
