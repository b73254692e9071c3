/** Servers as processes of their own, so that they can be killed: ours, and those that the system has installed. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const running = new Set();
const folders = new Set();

/** Kills what is left, and removes what was written. */
export async function endAll() {
  await Promise.all([...running].map((child) => kill(child)));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

export async function kill(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // Whoever serves in its name dies with it, as when the machine does.
  const children = childrenOf(child.pid);
  child.kill('SIGKILL');
  for (const pid of children) signal(pid);
  await exited;
}

function signal(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It was quicker than we.
    if (error.code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid) {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number) : [];
}

function run(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.stderr.resume();
  return child;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function accepting(port, child) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const socket = net.connect(port, '127.0.0.1');
    const ready = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (ready) return;
    await pause(50);
  }
}

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'clients-'));
  folders.add(folder);
  chmodSync(folder, 0o755);
  return folder;
}

/** Servers that refuse to be root get somebody else's rights. */
function asUser(name) {
  if (process.getuid?.() !== 0) return {};
  const id = (flag) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

function must(command, args, options) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}

/** Where a command is: on the path, or where Debian keeps it. */
function find(...names) {
  const folders = ['/usr/sbin', ...(process.env.PATH ?? '').split(':')];
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  for (const version of versions) folders.push(`/usr/lib/postgresql/${version}/bin`);
  for (const name of names) for (const folder of folders) if (existsSync(join(folder, name))) return join(folder, name);
  return undefined;
}

/** A server of this folder's own. */
export function own(kind) {
  return {
    async start() {
      const child = run(process.execPath, [fileURLToPath(new URL('servers.mjs', import.meta.url)), kind]);
      let errors = '';
      child.stderr.on('data', (text) => {
        errors += text;
      });
      const lines = createInterface({ input: child.stdout });
      const [line] = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [])]);
      if (line === undefined) throw new Error(`the ${kind} server did not start: ${errors}`);
      return { child, port: Number(line) };
    },
  };
}

/** Redis, of the package redis-server. */
export const redis = {
  missing: () => (find('redis-server') === undefined ? 'redis-server' : undefined),
  async start(given) {
    const port = given ?? (await freePort());
    const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = run(find('redis-server'), ['--port', String(port), ...options], { cwd: temporaryFolder() });
    child.stdout.resume();
    await accepting(port, child);
    return { child, port };
  },
};

/** An MQTT broker, of the package mosquitto. */
export const mosquitto = {
  missing: () => (find('mosquitto') === undefined ? 'mosquitto' : undefined),
  async start() {
    const port = await freePort();
    const child = run(find('mosquitto'), ['-p', String(port)], { cwd: temporaryFolder() });
    child.stdout.resume();
    await accepting(port, child);
    return { child, port };
  },
};

let postgresTemplate;

/** PostgreSQL, of the package postgresql. */
export const postgres = {
  missing: () => (find('initdb') === undefined || find('postgres') === undefined ? 'postgresql' : undefined),
  async start() {
    const user = asUser('postgres');
    if (postgresTemplate === undefined) {
      postgresTemplate = join(temporaryFolder(), 'data');
      mkdirSync(postgresTemplate);
      if (user.uid !== undefined) chownSync(postgresTemplate, user.uid, user.gid);
      must(find('initdb'), ['-D', postgresTemplate, '-U', 'test', '-A', 'trust', '-N'], { cwd: '/', ...user });
    }
    const data = join(temporaryFolder(), 'data');
    copy(postgresTemplate, data, user);
    const port = await freePort();
    const options = [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=`,
    ];
    const child = run(find('postgres'), [...options, '-c', 'fsync=off'], { cwd: '/', ...user });
    child.stdout.resume();
    await accepting(port, child);
    return { child, port };
  },
};

let mariadbTemplate;

/** MariaDB, of the package mariadb-server. */
export const mariadb = {
  missing: () => (find('mariadb-install-db') === undefined ? 'mariadb-server' : undefined),
  async start() {
    const user = asUser('mysql');
    if (mariadbTemplate === undefined) {
      mariadbTemplate = join(temporaryFolder(), 'data');
      mkdirSync(mariadbTemplate);
      if (user.uid !== undefined) chownSync(mariadbTemplate, user.uid, user.gid);
      const options = [`--datadir=${mariadbTemplate}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
      must(find('mariadb-install-db'), ['--no-defaults', ...options], { cwd: '/', ...user });
    }
    const folder = temporaryFolder();
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
    const data = join(folder, 'data');
    copy(mariadbTemplate, data, user);
    const port = await freePort();
    const paths = [`--datadir=${data}`, `--socket=${join(folder, 's')}`, `--pid-file=${join(folder, 'pid')}`];
    const options = ['--no-defaults', ...paths, `--port=${port}`, '--bind-address=127.0.0.1', '--skip-grant-tables'];
    // Without grant tables it does not listen unless it is told to.
    const child = run(find('mariadbd', 'mysqld'), [...options, '--skip-networking=0'], { cwd: '/', ...user });
    child.stdout.resume();
    await accepting(port, child);
    return { child, port };
  },
};

function copy(from, to, { uid, gid }) {
  cpSync(from, to, { recursive: true });
  if (uid !== undefined) must('chown', ['-R', `${uid}:${gid}`, to]);
  chmodSync(to, 0o700);
}
