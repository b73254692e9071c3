/** The processes that the example's tests start. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Result } from '../../examples/mirror/statistics.js';

export const demoProgram = 'dist/examples/mirror/demo.js';
export const mirrorProgram = 'dist/examples/mirror/mirror.js';
export const registrarProgram = 'dist/lib/cli/main.js';

/** A folder with a file of noise, `file`, for as long as `use` runs. */
export async function withFile<Value>(length: number, use: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'rserpool-test-'));
  try {
    await writeFile(join(folder, 'file'), randomBytes(length));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts a program of the package; its error output is the test's unless it is piped. */
export function start(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  errorOutput: 'inherit' | 'pipe' = 'inherit',
): ChildProcess {
  return spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', errorOutput],
    env: { ...process.env, ...env },
  });
}

/** The first line of a process's output that matches. The rest is read and forgotten. */
export async function lineOf(
  child: ChildProcess,
  pattern: RegExp,
  output: NodeJS.ReadableStream | null = child.stdout,
): Promise<RegExpExecArray> {
  if (output === null) throw new Error('no output');
  for await (const line of createInterface(output)) {
    const match = pattern.exec(line);
    if (match === null) continue;
    output.resume();
    return match;
  }
  throw new Error(`the process ended without ${pattern}`);
}

/** Kills a process unless it has ended, and waits for its end. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/**
 * Three missed are a failure. The demo's own 50 ms would make a failure of a process that waits for its turn on a busy
 * machine.
 */
const heartbeat = '300';

/** Runs the demo at full speed with a file of this length. */
export async function runDemo(
  length: number,
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | null; readonly result: Result }> {
  return await withFile(length, async (folder) => {
    const demo = start(demoProgram, [join(folder, 'file'), '--json', '--paced', '0', '--heartbeat', heartbeat], env);
    if (demo.stdout === null) throw new Error('no output');
    const [output, [code]] = await Promise.all([text(demo.stdout), once(demo, 'exit')]);
    return { code, result: JSON.parse(output) };
  });
}
