/** `rserpool registrar` as a process that is killed and started again at the same address. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PoolStatus, RegistrarStatus } from '../../lib/index.js';

const command = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

export class RegistrarProcess {
  /** A loopback address of its own, so that the ports are the usual ones and nobody else takes them meanwhile. */
  readonly host: string;
  readonly #words: readonly string[];
  #child: ChildProcess | undefined;
  #statusUrl = '';
  /** That of its latest start. */
  serverId = 0;

  /** `peers` are hosts; they may hold its own. */
  constructor(host: string, peers: readonly string[], words: readonly string[]) {
    this.host = host;
    this.#words = ['--host', host, ...peers.flatMap((peer) => ['--peer', peer]), ...words, '--status-port', '0'];
  }

  /** Resolves when it serves elements and users. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [command, 'registrar', ...this.#words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const status = /status on (http:.*)\/status$/.exec(line)?.[1];
      if (status !== undefined) this.#statusUrl = status;
      const identifier = /^registrar (0x\w+) listens on/.exec(line)?.[1];
      if (identifier === undefined) continue;
      this.serverId = Number(identifier);
      // What else it prints is of no interest, but must be read.
      child.stdout?.resume();
      return;
    }
    throw new Error(`the registrar at ${this.host} ended`);
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  /** -9; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  status(): Promise<RegistrarStatus> {
    return this.#get('status');
  }

  pools(): Promise<PoolStatus[]> {
    return this.#get('pools?limit=100000');
  }

  async #get<Answer>(what: string): Promise<Answer> {
    const response = await fetch(`${this.#statusUrl}/${what}`);
    return (await response.json()) as Answer;
  }
}

/** The hosts of `count` registrars: loopback addresses that this process alone uses. */
export function registrarHosts(count: number): string[] {
  const net = `127.${64 + (process.pid & 63)}.${(process.pid >> 6) & 255}`;
  return Array.from({ length: count }, (_, i) => `${net}.${i + 1}`);
}
