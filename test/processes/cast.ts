/** The processes of one test and the port of their registrar. */

import { createServer as createNetServer } from 'node:net';
import type { ExecutionContext } from 'ava';
import { TestProcess } from './process.js';

/** A port that was free a moment ago: the registrar's, which everybody is told before it starts. */
async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createNetServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export class Cast {
  readonly #t: ExecutionContext;
  readonly #port: number;

  constructor(t: ExecutionContext, port: number) {
    this.#t = t;
    this.#port = port;
  }

  /** What RSERPOOL_REGISTRARS holds. */
  get registrars(): string {
    return `127.0.0.1:${this.#port}`;
  }

  start(file: string, ...args: string[]): TestProcess {
    const started = new TestProcess(file, args, {
      RSERPOOL_REGISTRARS: this.registrars,
      LEDGER_SECRET: 'a secret of the tests',
    });
    this.#t.teardown(() => started.kill());
    return started;
  }

  registrar(): TestProcess {
    return this.start('lib/cli/main.js', 'registrar', '--port', `${this.#port}`);
  }

  server(): TestProcess {
    return this.start('examples/echo/server.js');
  }

  client(): TestProcess {
    return this.start('examples/echo/client.js');
  }
}

/** Processes that know of one registrar, which is not started yet; they end with the test. */
export async function cast(t: ExecutionContext): Promise<Cast> {
  return new Cast(t, await freePort());
}
