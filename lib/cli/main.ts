#!/usr/bin/env node
/** The command `rserpool`. Exit codes: 0 done, 1 it failed, 2 it was called wrongly. */

import { readFileSync } from 'node:fs';
import type { Command } from './command.js';
import { demoCommand } from './demo-command.js';
import { proxyCommand } from './proxy-command.js';
import { registerCommand } from './register-command.js';
import { registrarCommand } from './registrar-command.js';
import { resolveCommand } from './resolve-command.js';
import { topCommand } from './top-command.js';

const commands: ReadonlyMap<string, Command> = new Map([
  ['registrar', registrarCommand],
  ['resolve', resolveCommand],
  ['register', registerCommand],
  ['proxy', proxyCommand],
  ['top', topCommand],
  ['demo', demoCommand],
]);

function usage(): string {
  const lines = [...commands.values()].map((command) => `  ${command.usage}\n      ${command.summary}`);
  return `Usage: rserpool COMMAND [options]\n\n${lines.join('\n')}\n  help [COMMAND]\n  --version\n`;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}

/** Errors of parseArgs and of our argument checks are the caller's: they get the usage. */
function isMisuse(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^ERR_(PARSE_ARGS|INVALID_ARG|OUT_OF_RANGE|SOCKET_BAD_PORT)/.test(code);
}

function complain(text: string): void {
  process.stderr.write(`rserpool: ${text}\n`);
}

async function main(words: readonly string[]): Promise<number> {
  const [word, ...rest] = words;
  if (word === '--version' || word === '-v') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    const about = commands.get(rest[0] ?? '');
    process.stdout.write(about === undefined ? usage() : about.help);
    return word === undefined ? 2 : 0;
  }
  const command = commands.get(word);
  if (command === undefined) {
    complain(`there is no command '${word}'`);
    process.stderr.write(usage());
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    if (!isMisuse(error)) return 1;
    process.stderr.write(command.help);
    return 2;
  }
}

// Whoever read our output is gone (`rserpool registrar | head`): that is told to stop, as by a signal.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (!stopping) process.kill(process.pid, 'SIGTERM');
  stopping = true;
});
let stopping = false;
process.exitCode = await main(process.argv.slice(2));
