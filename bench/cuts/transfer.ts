/** One transfer both ways between two processes, whose connection is cut again and again. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createRegistrar } from '../../lib/index.js';
import type { Transferred } from './content.js';
import { CuttingProxy } from './cutting-proxy.js';

export interface TransferResult {
  readonly user: Transferred;
  readonly element: Transferred;
  readonly cuts: number;
  /** Ms from a cut to the element's next bytes. */
  readonly gaps: readonly number[];
  readonly milliseconds: number;
}

function start(file: string, ...args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args);
}

/** The next message of a process; rejects should it end before. */
async function message(child: ChildProcess): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void =>
      reject(new Error(`a process ended with ${signal ?? code}`));
    child.once('exit', onExit);
    child.once('message', (what) => {
      child.removeListener('exit', onExit);
      resolve(what);
    });
  });
}

/** `bytes` each way, `cuts` cuts spread over them. */
export async function transfer(bytes: number, cuts: number, random: () => number): Promise<TransferResult> {
  const registrar = createRegistrar({ port: 0 });
  const registrarAddress = await new Promise<string>((resolve, reject) => {
    registrar.on('error', reject).listen(({ host, port }) => resolve(`${host}:${port}`));
  });
  // What a cut throws away passes again; so the cuts come a little before the end.
  const proxy = new CuttingProxy({ bytesBetween: (1.6 * bytes) / Math.max(1, cuts), cuts, random });
  const proxyPort = await proxy.listen();
  const children: ChildProcess[] = [];
  try {
    const element = start('./element.js', registrarAddress, `${proxyPort}`, `${bytes}`);
    children.push(element);
    proxy.target = ((await message(element)) as { port: number }).port;
    const begun = performance.now();
    const user = start('./user.js', registrarAddress, `${bytes}`);
    children.push(user);
    const [ofUser, ofElement] = (await Promise.all([message(user), message(element)])) as [Transferred, Transferred];
    const milliseconds = performance.now() - begun;
    return { user: ofUser, element: ofElement, cuts: proxy.cuts, gaps: proxy.gaps, milliseconds };
  } finally {
    for (const child of children) child.kill();
    proxy.close();
    registrar.close();
  }
}

/** What is wrong with a transfer, if anything. */
export function faultsOf({ user, element }: TransferResult, bytes: number): string[] {
  const faults: string[] = [];
  if (user.sent !== element.received) faults.push('the element got other bytes than the user sent');
  if (element.sent !== user.received) faults.push('the user got other bytes than the element sent');
  if (user.bytesReceived !== bytes) faults.push(`the user got ${user.bytesReceived} bytes`);
  if (element.bytesReceived !== bytes) faults.push(`the element got ${element.bytesReceived} bytes`);
  if (user.events > 0) faults.push(`${user.events} failovers, though no process died`);
  return faults;
}
