/** The servers that are measured: each its own process on the servers' processor, on loopback, with its data in memory. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onServerCore } from './cores.js';

export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Whether a command can be called; Debian keeps some out of the users' path. */
export function commandPath(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']) {
    if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** Seconds of processor time that a process has used. */
export function processorTime(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / Number(execFileSync('getconf', ['CLK_TCK']).toString());
  } catch {
    return Number.NaN;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function start(command: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(...onServerCore(command, args), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

function served(child: ChildProcess, port: number, folder?: string): ServerProcess {
  return {
    port,
    pid: child.pid as number,
    async stop() {
      if (running.has(child)) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Our registrar; it prints its port once it listens. */
export async function startRegistrar(): Promise<ServerProcess> {
  const file = fileURLToPath(new URL('./serve.js', import.meta.url));
  const child = start(process.execPath, [...process.execArgv, file]);
  child.stderr?.pipe(process.stderr);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    return served(child, Number(line));
  }
  throw new Error('the registrar ended');
}

/** etcd, one member, its data in memory where there is such a file system, and without waiting for the disc. */
export async function startEtcd(command: string): Promise<ServerProcess> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rserpool-bench-etcd-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const child = start(
    command,
    [
      ...['--data-dir', folder, '--log-level', 'error', '--unsafe-no-fsync', '--quota-backend-bytes', '4000000000'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
    ],
    { GOMAXPROCS: '1' },
  );
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  for (let tries = 0; tries < 100; tries++) {
    if (!running.has(child)) throw new Error(`etcd ended: ${said}`);
    const healthy = await fetch(`${client}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) return served(child, port, folder);
    await pause(100);
  }
  throw new Error(`etcd does not get ready: ${said}`);
}

/** dnsmasq with these lines of configuration, and nothing of the system's. */
export async function startDnsmasq(command: string, lines: readonly string[]): Promise<ServerProcess> {
  const port = await freePort();
  const child = start(command, [
    ...['--keep-in-foreground', '--no-resolv', '--no-hosts', '--conf-file=/dev/null', '--pid-file='],
    ...['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`, '--cache-size=10000', '--user='],
    ...lines,
  ]);
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  // Its port is open once it has read its lines; the first query tells.
  await pause(300);
  if (!running.has(child)) throw new Error(`dnsmasq ended: ${said}`);
  return served(child, port);
}
