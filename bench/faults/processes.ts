/** Three serving processes, and a new one for each that was killed. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExecutionReader } from './execution-reader.js';
import type { Ready } from './load.js';

/** A process that serves, or has served, and what it has executed. */
interface Serving {
  readonly child: ChildProcess;
  readonly executions: ExecutionReader;
}

const folder = mkdtempSync(join(tmpdir(), 'rserpool-faults-'));
let files = 0;
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

export class ServingProcesses {
  /** By identity: the PE identifier, or net's port. */
  readonly #ready = new Map<number, ChildProcess>();
  readonly #file: string;
  readonly #args: readonly string[];
  readonly #all = new Set<Serving>();
  #stopping = false;

  /** `file` is beside this one; its first argument is where it reports its executions, `args` follow. */
  constructor(file: string, args: readonly string[] = []) {
    this.#file = fileURLToPath(new URL(file, import.meta.url));
    this.#args = args;
  }

  /** In the order in which they got ready. */
  get identities(): readonly number[] {
    return [...this.#ready.keys()];
  }

  /** Starts one, with these arguments after those of all; resolves when it serves. */
  async start(...more: readonly string[]): Promise<void> {
    const path = join(folder, `${files++}`);
    const executions = new ExecutionReader(path);
    const child = fork(this.#file, [path, ...this.#args, ...more]);
    this.#all.add({ child, executions });
    await new Promise<void>((resolve, reject) => {
      child.on('message', ({ identity }: Ready) => {
        this.#ready.set(identity, child);
        resolve();
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

  /** What they have executed since the last call, those that were killed too. */
  executed(onExecuted: (id: number, redelivered: boolean) => void): void {
    for (const serving of this.#all) {
      const isOver = serving.child.exitCode !== null || serving.child.signalCode !== null;
      serving.executions.read(onExecuted);
      if (!isOver) continue;
      serving.executions.close();
      this.#all.delete(serving);
    }
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
