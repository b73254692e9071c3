/**
 * `npm test`: sets the checkout up, then runs everything that judges it: the type check, the tests, the type tests
 * and the linter. Arguments go to AVA (`npm test -- test/wire/**`). The last line is `N passed, N failed`; the exit
 * code is 0 only if something passed and nothing failed.
 */

import { build, commandOf, install, root, runNode } from './setup.mjs';
import { TapCount } from './tap-count.mjs';
import { testTypes } from './type-tests.mjs';

const total = { passed: 0, failed: 0 };

function count(name, passed, failed) {
  total.passed += passed;
  total.failed += failed;
  console.log(`# ${name}: ${passed} passed, ${failed} failed`);
}

function countOne(name, passed) {
  count(name, passed ? 1 : 0, passed ? 0 : 1);
}

async function runTests() {
  const tap = new TapCount();
  const code = await runNode(commandOf('ava', 'entrypoints/cli.mjs'), ['--tap', ...process.argv.slice(2)], (text) => {
    process.stdout.write(text);
    tap.add(text);
  });
  const { passed, failed } = tap.end();
  // AVA also fails without a failed test: when a file does not load, or holds no test.
  const unexplained = (code !== 0 || passed === 0) && failed === 0 ? 1 : 0;
  count('tests', passed, failed + unexplained);
}

try {
  await install();
  const compiled = await build();
  countOne('type check', compiled);
  if (compiled) {
    await runTests();
    const types = await testTypes();
    count('type tests', types.passed, types.failed);
  } else {
    console.log('# tests and type tests not run: the type check failed');
  }
  const lint = ['check', '--error-on-warnings', '--max-diagnostics=200', root];
  countOne('lint', (await runNode(commandOf('@biomejs/biome', 'bin/biome'), lint)) === 0);
} catch (error) {
  console.error(error);
  total.failed++;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
