/** An http server as an element of the pool 'web', in a process of its own: `node server.js NAME PORT`. Says its port. */

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { register } from '../../lib/index.js';

const [name = '', port = '0'] = process.argv.slice(2);

const server = http.createServer((request, response) => {
  if (request.method !== 'PUT') {
    response.end(`${name} ${request.method} ${request.url}`);
    return;
  }
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on('end', () => response.end(`${name} PUT ${request.url} ${length}`));
});
server.listen(Number(port), '127.0.0.1', async () => {
  const listening = (server.address() as AddressInfo).port;
  await register({ poolHandle: 'web', port: listening, host: '127.0.0.1' });
  process.send?.({ port: listening });
});
process.on('disconnect', () => process.exit());
