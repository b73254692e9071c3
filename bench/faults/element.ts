/** An element of the fault benchmark: `element.js EXECUTIONS REGISTRAR`. */

import { setTimeout as pause } from 'node:timers/promises';
import { createServer, type Message, OperationalScope } from 'rserpool';
import { executed } from './execution-report.js';
import { encodeAnswer, idOf, longestTime, partsOf, reportReady } from './load.js';

async function onMessage(message: Message): Promise<void> {
  const id = idOf(message.data);
  executed(id, message.redelivered);
  await pause(Math.random() * longestTime);
  const count = partsOf(id);
  for (let part = 1; part <= count; part++) message.reply(encodeAnswer(id, part), { last: part === count });
}

const scope = new OperationalScope({ registrars: process.argv[3] as string });
const server = createServer();
server.once('registered', () => reportReady(server.peIdentifier as number));
server.listen({ poolHandle: 'faults', scope, host: '127.0.0.1', onMessage });
process.on('disconnect', () => process.exit());
