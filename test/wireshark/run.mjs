/**
 * `npm run test:wireshark`: sets the checkout up, then asks Wireshark what it makes of our messages. The last line is
 * `N passed, N failed`. Where there is no tshark nothing is tested and nothing fails, but on a CI machine that could
 * have installed it (as .ci/run does).
 */

import { spawnSync } from 'node:child_process';
import { commandOf, runNode, setUp } from '../../scripts/setup.mjs';
import { TapCount } from '../../scripts/tap-count.mjs';

const { error, stdout } = spawnSync('tshark', ['--version'], { encoding: 'utf8' });
let failed = 0;
let passed = 0;
if (error !== undefined) {
  console.log('tshark is missing: left out. It comes with Wireshark; on Debian and Ubuntu: apt-get install tshark');
  if (process.env.CI && process.getuid?.() === 0) failed = 1;
} else {
  console.log(stdout.split('\n', 1)[0]);
  await setUp();
  const tap = new TapCount();
  const config = ['--config', 'test/wireshark/ava.config.mjs', '--tap', ...process.argv.slice(2)];
  const code = await runNode(commandOf('ava', 'entrypoints/cli.mjs'), config, (text) => {
    process.stdout.write(text);
    tap.add(text);
  });
  ({ passed, failed } = tap.end());
  // AVA also fails without a failed test: when a file does not load, or holds no test.
  if ((code !== 0 || passed === 0) && failed === 0) failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
