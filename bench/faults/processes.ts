/** Three serving processes, and a new one for each that was killed. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from './load.js';

type Executed = Extract<Report, { type: 'executed' }>;

export class ServingProcesses {
  /** By identity: the PE identifier, or net's port. */
  readonly #ready = new Map<number, ChildProcess>();
  readonly #file: string;
  readonly #args: readonly string[];
  readonly #onExecuted: (execution: Executed) => void;
  #stopping = false;

  /** `file` is beside this one. */
  constructor(file: string, args: readonly string[], onExecuted: (execution: Executed) => void) {
    this.#file = fileURLToPath(new URL(file, import.meta.url));
    this.#args = args;
    this.#onExecuted = onExecuted;
  }

  /** In the order in which they got ready. */
  get identities(): readonly number[] {
    return [...this.#ready.keys()];
  }

  /** Starts one, with these arguments after those of all; resolves when it serves. */
  async start(...more: readonly string[]): Promise<void> {
    const child = fork(this.#file, [...this.#args, ...more]);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (what: Report) => {
        if (what.type === 'executed') this.#onExecuted(what);
        else {
          this.#ready.set(what.identity, child);
          resolve();
        }
      });
      child.on('exit', (code, signal) => {
        if (this.#stopping || signal === 'SIGKILL') return;
        const error = new Error(`${this.#file} ended with ${signal ?? code}`);
        reject(error);
        process.nextTick(() => {
          throw error;
        });
      });
    });
  }

  signal(identity: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    const child = this.#ready.get(identity);
    if (child === undefined) throw new Error(`no process ${identity}`);
    if (signal === 'SIGKILL') this.#ready.delete(identity);
    child.kill(signal);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const running = [...this.#ready.values()];
    await Promise.all(
      running.map((child) => {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        return ended;
      }),
    );
  }
}
