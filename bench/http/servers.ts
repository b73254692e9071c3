/** The three servers of the http benchmark, as processes that can be killed and frozen. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('server.js', import.meta.url));

export class Servers {
  readonly names: readonly string[] = ['a', 'b', 'c'];
  readonly #env: NodeJS.ProcessEnv;
  readonly #running = new Map<string, ChildProcess>();
  readonly ports: Map<string, number> = new Map();

  constructor(registrars: string) {
    this.#env = { ...process.env, RSERPOOL_REGISTRARS: registrars };
  }

  /** Resolves when it listens and is registered; one that comes back has the port that it had. */
  async start(name: string): Promise<void> {
    const child = fork(file, [name, String(this.ports.get(name) ?? 0)], { env: this.#env });
    this.#running.set(name, child);
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    this.ports.set(name, port);
  }

  async kill(name: string): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  freeze(name: string): void {
    this.#running.get(name)?.kill('SIGSTOP');
  }

  thaw(name: string): void {
    this.#running.get(name)?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    for (const name of this.names) await this.kill(name);
  }
}
