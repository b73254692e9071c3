/**
 * Restarts all elements of a pool, one after the other, while requests keep coming: none fails, none is repeated.
 * node dist/examples/rolling-restart/restart.js [--elements 5] [--rate 500] [--rounds 1]
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, OperationalScope } from '../../lib/index.js';

const { values } = parseArgs({
  options: {
    elements: { type: 'string', default: '5' },
    /** Requests a second, of all users together. */
    rate: { type: 'string', default: '500' },
    /** How often the whole pool is restarted. */
    rounds: { type: 'string', default: '1' },
  },
});

/** A process of ours, and the lines that it prints. */
class Process {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, words: readonly string[], registrars: string) {
    const file = fileURLToPath(new URL(program, import.meta.url));
    this.child = spawn(process.execPath, [file, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, RSERPOOL_REGISTRARS: registrars },
    });
    this.#lines = createInterface(this.child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('a process ended before it said what was expected');
    return value;
  }
}

const registrar = new Process('../../lib/cli/main.js', ['registrar', '--port', '0'], '');
const address = (await registrar.line()).split(' ').at(-1) as string;

async function startElement(): Promise<Process> {
  const element = new Process('./element.js', [], address);
  await element.line();
  return element;
}

let elements = await Promise.all(Array.from({ length: Number(values.elements) }, startElement));

// The load: a user for each element, and requests at a steady rate whether the last ones are answered or not.
const scope = new OperationalScope({ registrars: address });
const users = elements.map(() => connect({ poolHandle: 'rolling', scope }));
await Promise.all(users.map((user) => once(user, 'connect')));
let failovers = 0;
for (const user of users) user.on('failover', () => failovers++);
const answers: Promise<unknown>[] = [];
const errors: Error[] = [];
const gap = 1000 / Number(values.rate);
const began = performance.now();
const load = setInterval(() => {
  while (answers.length * gap < performance.now() - began) {
    const user = users[answers.length % users.length] as (typeof users)[number];
    const number = `${answers.length}`;
    const answer = user.request(number).then((reply) => {
      if (Buffer.from(reply.data).toString() !== number) throw new Error(`${number} was answered by another's answer`);
    });
    answers.push(answer.catch((error: Error) => errors.push(error)));
  }
}, gap);

// The restart: a new element comes, an old one goes.
let executed = 0;
let redelivered = 0;
async function stop(element: Process): Promise<void> {
  const exited = once(element.child, 'exit');
  element.child.kill('SIGTERM');
  const counts = JSON.parse(await element.line()) as { executed: number; redelivered: number };
  executed += counts.executed;
  redelivered += counts.redelivered;
  const [code] = await exited;
  if (code !== 0) throw new Error(`an element ended with ${code}`);
}
let restarts = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  for (const old of elements) {
    elements = [...elements.filter((element) => element !== old), await startElement()];
    await stop(old);
    restarts++;
  }
}

clearInterval(load);
await Promise.all(answers);
for (const user of users) user.end().resume();
await Promise.all(users.map((user) => once(user, 'close')));
for (const element of elements) await stop(element);
scope.close();
registrar.child.kill();
const result = { requests: answers.length, errors: errors.length, executed, redelivered, restarts, failovers };
console.log(JSON.stringify(result));
for (const error of errors.slice(0, 3)) console.error(error);
