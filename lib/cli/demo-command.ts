/** `rserpool demo`: three servers that are killed and frozen under a client that notices nothing but a pause. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkInteger } from '../arguments.js';
import { OperationalScope } from '../asap/scope.js';
import { systemClock, type Timer } from '../clock.js';
import { connect } from '../net/connect.js';
import { createRegistrar } from '../registrar/registrar.js';
import type { Command } from './command.js';

const usage = 'demo [--faults N]';
const elementFile = fileURLToPath(new URL('demo-element.js', import.meta.url));
/** Milliseconds between a fault and the next, and between two requests. */
const betweenFaults = 1_500;
const betweenRequests = 20;

function pause(delay: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setTimeout(resolve, delay);
  });
}

class Elements {
  readonly #registrars: string;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #returns = new Set<Timer>();

  constructor(registrars: string) {
    this.#registrars = registrars;
  }

  start(name: string): void {
    const env = { ...process.env, RSERPOOL_REGISTRARS: this.#registrars };
    this.#processes.set(name, fork(elementFile, [name], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  }

  /** Freezes or kills it; a second later it thaws, or another process of that name comes up. */
  strike(name: string, signal: 'SIGSTOP' | 'SIGKILL'): void {
    const child = this.#processes.get(name);
    child?.kill(signal);
    const back = (): void => {
      this.#returns.delete(timer);
      if (signal === 'SIGKILL') this.start(name);
      else child?.kill('SIGCONT');
    };
    const timer = systemClock.setTimeout(back, 1_000);
    this.#returns.add(timer);
  }

  async stop(): Promise<void> {
    for (const timer of this.#returns) timer.cancel();
    for (const child of this.#processes.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

interface Outcome {
  readonly answered: number;
  readonly longestPause: number;
}

async function run(elements: Elements, scope: OperationalScope, faults: number): Promise<Outcome> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  for (const name of ['a', 'b', 'c']) elements.start(name);
  const socket = connect({ poolHandle: 'demo', scope, failureTimeout: 500 });
  await once(socket, 'connect');
  let answered = 0;
  let longestPause = 0;
  let serving = '';
  let befallen = 0;
  let nextFault = systemClock.now() + betweenFaults;
  // Some answers more, so that the last fault is seen to be over.
  for (let rest = 20; rest > 0; ) {
    const begun = systemClock.now();
    const { data } = await socket.request(Buffer.from('who serves?'));
    const now = systemClock.now();
    longestPause = Math.max(longestPause, now - begun);
    answered++;
    const name = Buffer.from(data).toString();
    if (name !== serving) say(`${name} serves${serving === '' ? '' : `, after ${Math.round(now - begun)} ms`}`);
    serving = name;
    if (befallen === faults) rest--;
    else if (now >= nextFault) {
      const frozen = befallen++ % 2 === 1;
      say(frozen ? `${serving} is frozen (SIGSTOP)` : `${serving} is killed (SIGKILL)`);
      elements.strike(serving, frozen ? 'SIGSTOP' : 'SIGKILL');
      nextFault = now + betweenFaults;
    }
    await pause(betweenRequests);
  }
  socket.end();
  await once(socket, 'close');
  return { answered, longestPause };
}

export const demoCommand: Command = {
  usage,
  summary: 'See a client go on while its servers are killed and frozen',
  help: `Usage: rserpool ${usage}

Runs a registrar, three servers and a client on this machine, on ports that are free. The server that serves is killed and
frozen in turn; every request is answered all the same. Ends by itself.

  --faults N  how many (default 4)
`,
  async run(words) {
    const { values } = parseArgs({ args: [...words], options: { faults: { type: 'string' } } });
    const faults = checkInteger('--faults', Number(values.faults ?? '4'), 0, 1_000);
    const registrar = createRegistrar({ port: 0 });
    const at = await new Promise<{ readonly host: string; readonly port: number }>((resolve, reject) => {
      registrar.once('error', reject);
      registrar.listen(resolve);
    });
    const registrars = `${at.host}:${at.port}`;
    const scope = new OperationalScope({ registrars });
    const elements = new Elements(registrars);
    try {
      const { answered, longestPause } = await run(elements, scope, faults);
      process.stdout.write(`${answered} requests, ${answered} answers, longest pause ${Math.round(longestPause)} ms\n`);
      return 0;
    } finally {
      await elements.stop();
      scope.close();
      await new Promise<void>((resolve) => registrar.close(() => resolve()));
    }
  },
};
