/**
 * `npm run test:interop`: builds and boots the machine with the reference implementation in a network namespace of its own, runs
 * test/interop/interop.ts there, has tshark read every packet that passed (where there is tshark), and stops the machine. Needs
 * root, Debian 12 and the lab (RSERPOOL_LAB, or ../shared/interop/lab beside the checkout); without them nothing is tested and
 * nothing fails. The last line is `N passed, N failed`.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { commandOf, root, setUp } from '../../scripts/setup.mjs';
import { TapCount } from '../../scripts/tap-count.mjs';
import { malformedFrames } from './frames.mjs';

const lab = resolve(process.env.RSERPOOL_LAB ?? join(root, '../shared/interop/lab'));

function leftOut(why) {
  console.log(`test:interop left out: ${why}`);
  console.log('0 passed, 0 failed');
  process.exit(0);
}

/** A machine that nobody has booted: several checkouts may test at a time. */
function freeMachine() {
  const files =
    process.env.RSP_LAB_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'rserpool-lab');
  for (let number = 1; number <= 9; number++) if (!existsSync(join(files, 'run', String(number), 'pid'))) return number;
  return leftOut('nine machines run already');
}

function run(command, args, env) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  return error === undefined && status === 0;
}

/** The native module for SCTP straight in IP, built for this run alone (docs/dependencies.md), as the tests' environment. */
function buildRawSocket() {
  const modules = join(folder, 'raw-socket');
  const args = ['install', '--prefix', modules, '--silent', '--no-audit', '--no-fund', 'raw-socket@1.8.1'];
  const native = join(modules, 'node_modules/raw-socket/build/Release/raw.node');
  if (run('npm', args, {}) && existsSync(native)) {
    return { RSERPOOL_RAW_SOCKET: join(modules, 'node_modules/raw-socket/index.js') };
  }
  console.log('SCTP straight in IP left out: raw-socket could not be built here');
  return {};
}

if (!existsSync(join(lab, 'build.sh'))) leftOut('there is no lab');
if (process.getuid?.() !== 0) leftOut('it needs root');
if (!run(join(lab, 'build.sh'), [], {})) leftOut('the machine could not be built here');
await setUp();

// The lab's addresses have the machine's number in them.
const machine = String(freeMachine());
const env = { NS: `rserpool-interop-${process.pid}`, VM: machine, RSERPOOL_LAB: lab };
const folder = mkdtempSync(join(tmpdir(), 'rserpool-interop-'));
const capture = join(folder, 'all.pcap');
let passed = 0;
let failed = 0;
try {
  if (!run(join(lab, 'start.sh'), [], env)) throw new Error('the machine did not boot');
  const rawSocket = buildRawSocket();
  const inside = (...args) => ['netns', 'exec', env.NS, ...args];
  const hasTshark = spawnSync('tshark', ['--version']).error === undefined;
  const recorder = hasTshark
    ? spawn(
        'ip',
        inside('tshark', '-q', '-i', `rsp${machine}a`, '-w', capture, '-f', 'udp port 9899 or ip proto 132'),
        {
          stdio: 'ignore',
        },
      )
    : undefined;
  const tap = new TapCount();
  const tests = ['ava', '--config', 'test/interop/ava.config.mjs', '--tap', ...process.argv.slice(2)];
  const args = inside(process.execPath, commandOf('ava', 'entrypoints/cli.mjs'), ...tests.slice(1));
  const code = await new Promise((done, fail) => {
    const child = spawn('ip', args, {
      cwd: root,
      env: { ...process.env, ...env, ...rawSocket },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      tap.add(text);
    });
    child.on('error', fail);
    child.on('close', done);
  });
  ({ passed, failed } = tap.end());
  if ((code !== 0 || passed === 0) && failed === 0) failed = 1;
  if (recorder === undefined) console.log('tshark is missing: the frames are not read');
  else {
    await new Promise((done) => recorder.on('close', done).kill('SIGINT'));
    const { frames, malformed } = malformedFrames(capture, `10.77.${machine}.1`);
    console.log(`tshark: ${frames} frames of ours with SCTP, ${malformed.length} malformed`);
    for (const line of malformed.slice(0, 20)) console.log(line);
    if (malformed.length > 0 || frames === 0) failed++;
    else passed++;
  }
} finally {
  run(join(lab, 'stop.sh'), [], env);
  spawnSync('ip', ['netns', 'del', env.NS]);
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
