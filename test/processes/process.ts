/** Real processes for tests: started with node, watched by the lines that they print, never waited for by sleeping. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A built file of this repository. */
export function built(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

export class TestProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';
  #waiting: { readonly wanted: RegExp; readonly found: (match: RegExpExecArray) => void }[] = [];

  constructor(file: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [built(file), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
        this.#look();
      });
    }
    // A reader that is gone is an exit code, not a failure of the test.
    this.child.stdin?.on('error', () => {});
    this.exited = once(this.child, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** The first match in what it has printed or will print, on either output. */
  printed(wanted: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => this.#waiting.push({ wanted, found: resolve }));
    this.#look();
    const gone = this.exited.then((code) => {
      throw new Error(`it ended with ${code} before it printed ${wanted}:\n${this.stdout}\n${this.stderr}`);
    });
    return Promise.race([found, gone]);
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it whatever it does, for teardowns. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.exited;
  }

  #look(): void {
    const all = this.stdout + this.stderr;
    this.#waiting = this.#waiting.filter(({ wanted, found }) => {
      const match = wanted.exec(all);
      if (match !== null) found(match);
      return match === null;
    });
  }
}
