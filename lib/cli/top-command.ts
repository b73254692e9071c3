/** `rserpool top`: who is in the pools, as it changes. */

import http from 'node:http';
import { parseArgs } from 'node:util';
import { invalidArgumentValue } from '../arguments.js';
import type { OperationalScope } from '../asap/scope.js';
import { systemClock } from '../clock.js';
import { RserpoolError } from '../errors.js';
import type { Command } from './command.js';
import { hostAndPort, milliseconds, scopeOf, scopeOptions, tlsHelp } from './option-values.js';
import { poolLines, type ShownPool } from './pool-table.js';
import { StopSignal } from './stop-signal.js';

const usage =
  'top [POOL]... [--status [HOST:]PORT] [--registrars HOST:PORT,...] [--tls-ca FILE] [--interval MS] [--once]';

/** From a registrar's status port: all of its pools. */
function poolsOfRegistrar(at: { readonly host?: string; readonly port: number }): Promise<readonly ShownPool[]> {
  return new Promise((resolve, reject) => {
    const where = { host: at.host ?? '127.0.0.1', port: at.port, path: '/pools', timeout: 5_000 };
    const request = http.get(where, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(JSON.parse(text) as readonly ShownPool[]);
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error('the registrar did not answer')));
    request.on('error', reject);
  });
}

/** From a registrar by ASAP: the pools that are named. One that does not exist has no elements. */
function poolsByName(scope: OperationalScope, names: readonly string[]): Promise<readonly ShownPool[]> {
  return Promise.all(
    names.map(async (poolHandle) => {
      try {
        const { policy, elements } = await scope.resolve(poolHandle, { fresh: true, hunt: 'once', timeout: 5_000 });
        return { poolHandle, policy, elements };
      } catch (error) {
        if (!(error instanceof RserpoolError) || error.code !== 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE') throw error;
        return { poolHandle, policy: undefined, elements: [] };
      }
    }),
  );
}

/** A terminal is drawn anew each time; anything else gets what has changed, one block after another. */
function screen(): (lines: readonly string[]) => void {
  const { isTTY, rows } = process.stdout;
  let before = '';
  return (lines) => {
    const text = `${lines.join('\n')}\n`;
    if (!isTTY) {
      if (text !== before) process.stdout.write(before === '' ? text : `\n${text}`);
      before = text;
      return;
    }
    const room = (rows ?? 24) - 1;
    const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `... ${lines.length - room + 1} more`];
    process.stdout.write(`\x1b[H\x1b[2J${shown.join('\n')}\n`);
  };
}

export const topCommand: Command = {
  usage,
  summary: 'Watch pools and their elements',
  help: `Usage: rserpool ${usage}

Shows the pools that are named, or with --status all pools of a registrar that runs with --status-port. On a terminal the
view is drawn anew each time; otherwise what has changed is printed, as plain text. Until SIGINT or SIGTERM.

  --status [HOST:]PORT  the status port of a registrar
  --registrars LIST     host:port, separated by commas (default: RSERPOOL_REGISTRARS, else 127.0.0.1:3863)
  --interval MS         between two looks (default 1000)
  --once                print once, and end
${tlsHelp}`,
  async run(words) {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        status: { type: 'string' },
        ...scopeOptions,
        interval: { type: 'string' },
        once: { type: 'boolean' },
      },
    });
    const interval = milliseconds('--interval', values.interval) ?? 1_000;
    const status = values.status === undefined ? undefined : hostAndPort('--status', values.status);
    if (status === undefined && positionals.length === 0)
      throw invalidArgumentValue('POOL', positionals, 'must be a pool handle, or --status must be given');
    const scope = scopeOf(values);
    const look = async (): Promise<string[]> => {
      const all = status === undefined ? await poolsByName(scope, positionals) : await poolsOfRegistrar(status);
      const wanted = positionals.length === 0 ? all : all.filter(({ poolHandle }) => positionals.includes(poolHandle));
      return wanted.length === 0 ? ['no pools'] : poolLines(wanted);
    };
    const show = screen();
    try {
      if (values.once === true) {
        show(await look());
        return 0;
      }
      let running = true;
      const stopped = new StopSignal().received.then(() => {
        running = false;
      });
      while (running) {
        // A registrar may be away for a while.
        show(await look().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]));
        await Promise.race([
          stopped,
          new Promise<void>((resolve) => {
            systemClock.setTimeout(resolve, interval);
          }),
        ]);
      }
      return 0;
    } finally {
      scope.close();
    }
  },
};
