#!/usr/bin/env node
/** The command `rserpool`. Exit codes: 0 done, 1 it failed, 2 it was called wrongly. */

import { readFileSync } from 'node:fs';
import type { Command } from './command.js';
import { registrarCommand } from './registrar-command.js';
import { resolveCommand } from './resolve-command.js';

const commands: ReadonlyMap<string, Command> = new Map([
  ['registrar', registrarCommand],
  ['resolve', resolveCommand],
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
  try {
    return await command.run(rest);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    if (!isMisuse(error)) return 1;
    process.stderr.write(command.help);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
