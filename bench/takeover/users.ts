/**
 * A process of users: `users.js REGISTRARS COUNT`. Each opens a session, sends ten requests 200 ms apart, ends it and
 * begins anew, so that both registrars and elements are asked all the time. Told 'stop', they finish and report.
 */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, OperationalScope } from '../../lib/index.js';
import { poolHandle, report } from './reports.js';

const [, , registrars, count] = process.argv as [string, string, string, string];
const interval = 200;
const requestsOfSession = 10;

let stopping = false;
let sessions = 0;
let requests = 0;
let answered = 0;
const failures: string[] = [];

async function session(scope: OperationalScope): Promise<void> {
  const socket = connect({ poolHandle, scope });
  socket.on('error', (error) => failures.push(`session: ${error.message}`));
  await once(socket, 'connect');
  sessions++;
  for (let i = 0; i < requestsOfSession && !stopping; i++) {
    const sent = `${process.pid} ${++requests}`;
    const answer = await socket.request(Buffer.from(sent));
    if (Buffer.from(answer.data).toString() === sent) answered++;
    else failures.push(`'${sent}' was answered with '${Buffer.from(answer.data).toString()}'`);
    await pause(interval);
  }
  socket.end();
  await once(socket, 'close');
}

async function user(): Promise<void> {
  const scope = new OperationalScope({ registrars });
  await pause(Math.random() * interval * requestsOfSession);
  while (!stopping) {
    try {
      await session(scope);
    } catch (error) {
      failures.push(`request: ${(error as Error).message}`);
    }
  }
  scope.close();
}

const users = Promise.all(Array.from({ length: Number(count) }, user));
process.on('message', async () => {
  stopping = true;
  await users;
  report({ type: 'counts', counts: { sessions, requests, answered, failures } });
});
process.on('disconnect', () => process.exit());
