/**
 * `npm run bench -- NAME... [OPTIONS]`: sets the checkout up, then runs the named benchmarks of bench/ one after the other,
 * each with the options (no name: lists them). Each prints its figures; the exit code says whether all reached their goals.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { install, root, runNode, setUp } from './setup.mjs';

/** These compare with other libraries, which bench/package.json names, unless told to run the pool alone. */
const withLibraries = new Set(['session', 'faults']);

const given = process.argv.slice(2);
const firstOption = given.findIndex((argument) => argument.startsWith('-'));
const names = firstOption < 0 ? given : given.slice(0, firstOption);
const options = given.slice(names.length);
const known = readdirSync(join(root, 'bench')).filter((file) => file.endsWith('.ts'));
if (names.length === 0) {
  console.log(`npm run bench -- NAME... [OPTIONS]\n\n${known.map((file) => file.slice(0, -3)).join('\n')}`);
} else {
  await setUp();
  const alone = options[options.indexOf('--only') + 1] === 'pool';
  if (!alone && names.some((name) => withLibraries.has(name))) await install('bench');
  for (const name of names) {
    const file = join(root, 'dist/bench', `${name}.js`);
    if (!known.includes(`${name}.ts`) || !existsSync(file)) {
      console.error(`no benchmark named ${name}`);
      process.exitCode = 1;
    } else if ((await runNode(file, options)) !== 0) {
      process.exitCode = 1;
    }
  }
}
