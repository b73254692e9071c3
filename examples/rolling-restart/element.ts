/** An element that answers each request after up to 20 ms. At SIGTERM it hands over and then ends (`handOverOn`). */

import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from '../../lib/index.js';

let executed = 0;
let redelivered = 0;

const server = createServer().listen({
  poolHandle: 'rolling',
  host: '127.0.0.1',
  async onMessage(message) {
    executed++;
    if (message.redelivered) redelivered++;
    await delay(Math.random() * 20);
    // A tenth of the answers are of three messages.
    if (Math.random() < 0.1) for (const part of ['one', 'two']) message.reply(part, { last: false });
    message.reply(message.data);
  },
  handOverOn: 'SIGTERM',
});
server.on('registered', () => console.log('registered'));
server.on('close', () => console.log(JSON.stringify({ executed, redelivered })));
