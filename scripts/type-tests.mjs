/** Runs typings/tests/*.test-d.ts with tsd against the declarations in dist/. Each file counts as one test. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const folder = 'typings/tests';
/** tsd insists on one file of declarations; the tests import whatever they test. */
const typingsFile = 'dist/lib/errors.d.ts';

/** Prints what is wrong; promises how many files passed and failed. Needs a build. */
export async function testTypes() {
  // Imported late: before the set-up it may not be installed.
  const { default: tsd, formatter } = (await import('tsd')).default;
  const testFiles = readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test-d.ts'))
    .map((name) => `${folder}/${name}`);
  const diagnostics = await tsd({ cwd: root, typingsFile, testFiles });
  if (diagnostics.length > 0) console.log(formatter(diagnostics));
  const blamed = new Set(diagnostics.map(({ fileName }) => fileName.replaceAll('\\', '/')));
  const failed = testFiles.filter((file) => [...blamed].some((name) => name.endsWith(file))).length;
  // A diagnostic outside the tests (a declaration that does not compile) fails all the same.
  const elsewhere = [...blamed].filter((name) => !testFiles.some((file) => name.endsWith(file))).length;
  return { passed: testFiles.length - failed, failed: failed + elsewhere };
}
