/** An element of the pool of `rserpool demo`, in a process of its own: answers each request with its own name. */

import { createServer } from '../net/connect.js';

const [name = ''] = process.argv.slice(2);

createServer().listen({
  poolHandle: 'demo',
  host: '127.0.0.1',
  onMessage: (message) => void message.reply(Buffer.from(name)),
});
// It ends with the demo, however that ended.
process.on('disconnect', () => process.exit());
