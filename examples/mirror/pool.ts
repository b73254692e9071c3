/** The processes of the demo: a registrar, and mirrors that are killed, frozen and replaced. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const registrarProgram = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const mirrorProgram = fileURLToPath(new URL('./mirror.js', import.meta.url));

/** How long a mirror stays frozen after another has taken over, and how long it then takes to recover: ms. */
const freezeTime = 500;
const recoveryTime = 700;

export interface Mirror {
  readonly identifier: number;
  readonly process: ChildProcess;
  /** Whether it can take the session over: it is registered and not stopped, and was not a moment ago. */
  healthy: boolean;
}

export class MirrorPool {
  readonly #mirrors = new Map<number, Mirror>();
  readonly #folder: string;
  readonly #paced: number;
  #registrar: ChildProcess | undefined;
  #address: string;
  #stopping = false;
  #nextIdentifier = 1;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** What a process of the pool wrote to its error output. */
  readonly complaints: string[] = [];

  /** `registrar`: one that runs already; else the pool starts its own. */
  constructor(folder: string, paced: number, registrar: string | undefined) {
    this.#folder = folder;
    this.#paced = paced;
    this.#address = registrar ?? '';
  }

  /** 'host:port' of the registrar. */
  get registrar(): string {
    return this.#address;
  }

  get healthy(): number {
    return [...this.#mirrors.values()].filter((mirror) => mirror.healthy).length;
  }

  mirror(identifier: number): Mirror | undefined {
    return this.#mirrors.get(identifier);
  }

  async startRegistrar(): Promise<void> {
    if (this.#address !== '') return;
    const registrar = spawn(process.execPath, [registrarProgram, 'registrar', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#registrar = registrar;
    this.#listen(registrar);
    for await (const line of createInterface(registrar.stdout)) {
      const address = /listens on (\S+)/.exec(line)?.[1];
      if (address === undefined) continue;
      this.#address = address;
      registrar.stdout.resume();
      return;
    }
    throw new Error(`the registrar ended: ${this.complaints.join('; ')}`);
  }

  startMirror(): void {
    const identifier = this.#nextIdentifier++;
    const args = [mirrorProgram, this.#folder, '--paced', String(this.#paced), '--identifier', String(identifier)];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RSERPOOL_REGISTRARS: this.#address },
    });
    const mirror: Mirror = { identifier, process: child, healthy: false };
    this.#mirrors.set(identifier, mirror);
    this.#listen(child);
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'registered') mirror.healthy = true;
    });
    child.on('exit', (code, signal) => {
      this.#mirrors.delete(identifier);
      if (!this.#stopping && signal !== 'SIGKILL')
        this.complaints.push(`mirror ${identifier} ended with ${code ?? signal}`);
    });
  }

  /** SIGKILL, and a new mirror in its place. */
  kill(mirror: Mirror): void {
    mirror.healthy = false;
    mirror.process.kill('SIGKILL');
    this.startMirror();
  }

  /** SIGSTOP, until `thaw`. */
  freeze(mirror: Mirror): void {
    mirror.healthy = false;
    mirror.process.kill('SIGSTOP');
  }

  /** SIGCONT, a little later. */
  thaw(mirror: Mirror): void {
    this.#after(freezeTime, () => {
      mirror.process.kill('SIGCONT');
      // It first reads what came meanwhile, and finds out that it was given up.
      this.#after(recoveryTime, () => {
        mirror.healthy = this.#mirrors.has(mirror.identifier);
      });
    });
  }

  /** Kills all processes, the frozen ones too, at once; promises that they have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const processes = [...this.#mirrors.values()].map((mirror) => mirror.process);
    if (this.#registrar !== undefined) processes.push(this.#registrar);
    const running = processes.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(
      running.map((child) => {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        return ended;
      }),
    );
  }

  #after(delay: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, delay);
    this.#timers.add(timer);
  }

  #listen(child: ChildProcess): void {
    if (child.stderr === null) return;
    createInterface(child.stderr).on('line', (line) => this.complaints.push(line));
  }
}
