/**
 * `npm run test:netns`: sets the checkout up, then cuts machines off from each other that are network namespaces. The
 * last line is `N passed, N failed`. Where there are no namespaces nothing is tested and nothing fails; it says what is
 * missing.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { commandOf, root, setUp } from '../../scripts/setup.mjs';
import { TapCount } from '../../scripts/tap-count.mjs';

/** The system's commands only: npm puts those of packages first, and one of these is named nft as well. */
const env = { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin' };

function works(command, ...args) {
  return spawnSync(command, args, { env, stdio: 'ignore' }).status === 0;
}

/** What stands in the way; undefined: nothing. */
function missing() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'it needs root on Linux';
  if (!works('ip', '-V')) return 'ip is missing (Debian: iproute2)';
  if (!works('nft', '--version') && !works('iptables', '--version'))
    return 'nft and iptables are missing (Debian: nftables)';
  if (!works('ip', 'netns', 'add', `${name}a`)) return 'network namespaces cannot be made here';
  works('ip', 'netns', 'del', `${name}a`);
  return undefined;
}

const name = `rs${process.pid}`;
process.env.RSERPOOL_NETNS = name;

/** The tests take away what they made; this is for when they were killed. */
function cleanUp() {
  for (const namespace of [`${name}a`, `${name}b`]) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { env, encoding: 'utf8' });
    for (const pid of (stdout ?? '').split('\n').filter(Boolean)) works('kill', '-9', pid);
    works('ip', 'netns', 'del', namespace);
  }
}

/** The tests, a process group of their own so that all of them can be killed. */
let tests;

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    if (tests !== undefined) process.kill(-tests.pid, 'SIGKILL');
    cleanUp();
    process.exit(1);
  });
}

const reason = missing();
let failed = 0;
let passed = 0;
if (reason !== undefined) {
  console.log(`left out: ${reason}`);
} else {
  await setUp();
  const tap = new TapCount();
  const config = ['--config', 'test/netns/ava.config.mjs', '--tap', ...process.argv.slice(2)];
  tests = spawn(process.execPath, [commandOf('ava', 'entrypoints/cli.mjs'), ...config], {
    cwd: root,
    detached: true,
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  tests.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    tap.add(text);
  });
  const [code] = await once(tests, 'close');
  cleanUp();
  ({ passed, failed } = tap.end());
  // AVA also fails without a failed test: when a file does not load, or holds no test.
  if ((code !== 0 || passed === 0) && failed === 0) failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
