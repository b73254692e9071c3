/**
 * `npm run bench -- NAME...`: sets the checkout up, then runs the named benchmarks of bench/ one after the other (no
 * name: lists them). Each prints its figures; the exit code says whether all reached their goals.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode, setUp } from './setup.mjs';

const names = process.argv.slice(2);
const known = readdirSync(join(root, 'bench')).filter((file) => file.endsWith('.ts'));
if (names.length === 0) {
  console.log(`npm run bench -- NAME...\n\n${known.map((file) => file.slice(0, -3)).join('\n')}`);
} else {
  await setUp();
  for (const name of names) {
    const file = join(root, 'dist/bench', `${name}.js`);
    if (!known.includes(`${name}.ts`) || !existsSync(file)) {
      console.error(`no benchmark named ${name}`);
      process.exitCode = 1;
    } else if ((await runNode(file, [])) !== 0) {
      process.exitCode = 1;
    }
  }
}
