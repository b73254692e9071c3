/** What the hand-made client over bare net talks to: the same handler, framed by hand. */

import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { corkedWriter, readFrames } from '../session/frames.js';
import { executed } from './execution-report.js';
import { encodeAnswer, idOf, longestTime, partsOf, reportReady } from './load.js';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  const write = corkedWriter(socket);
  readFrames(socket, async (bytes) => {
    const id = idOf(bytes);
    executed(id, false);
    await pause(Math.random() * longestTime);
    for (let part = 1; part <= partsOf(id); part++) write(encodeAnswer(id, part));
  });
});
server.listen(0, '127.0.0.1', () => reportReady((server.address() as { port: number }).port));
process.on('disconnect', () => process.exit());
