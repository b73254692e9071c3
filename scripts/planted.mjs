/**
 * `npm run planted [-- --enrp | --sctp]`: plants one bug after the other in a copy of the library and runs the simulation until a seed
 * finds it, or with --sctp the test that must: each bug is a repair of the SCTP package that is taken away. The last line is
 * `N passed, N failed`, where a bug that nothing finds has failed.
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { plantedBugs as sessionBugs } from './planted-bugs.mjs';
import { plantedEnrpBugs } from './planted-enrp-bugs.mjs';
import { plantedSctpBugs } from './planted-sctp-bugs.mjs';
import { runSeeds, simulations } from './seeds.mjs';
import { commandOf, root, runNode, setUp } from './setup.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '400' },
    only: { type: 'string', default: '' },
    enrp: { type: 'boolean', default: false },
    sctp: { type: 'boolean', default: false },
  },
});

const simulated = [...sessionBugs, ...plantedEnrpBugs.map((bug) => ({ ...bug, simulation: 'enrp' }))];
const plantedBugs = values.sctp ? plantedSctpBugs : simulated;

/** The simulations and what they need; without the checks that only tidiness needs, which a bug may well fail. */
const config = {
  extends: './tsconfig.json',
  compilerOptions: {
    noUnusedLocals: false,
    noUnusedParameters: false,
    declaration: false,
    isolatedDeclarations: false,
    sourceMap: false,
    noEmitOnError: false,
    allowUnreachableCode: true,
  },
  include: values.sctp
    ? ['test/transport/sctp', 'typings/*.d.ts']
    : ['test/simulation', 'test/enrp/simulation', 'typings/*.d.ts'],
};

/** The tests of the copy, which is built already. A bug may hang one: that finds it, too. */
const avaConfig = `export default {
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  files: ['test/transport/sctp/*.test.ts'],
  timeout: '60s',
  workerThreads: false,
  nodeArguments: ['--max-old-space-size=512'],
};
`;

function copyLibrary() {
  const copy = mkdtempSync(join(tmpdir(), 'rserpool-planted-'));
  // Some tests have a node_modules of their own.
  const filter = (path) => basename(path) !== 'node_modules';
  for (const part of ['lib', 'typings', 'test', 'tsconfig.json', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true, filter });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'planted.json'), JSON.stringify(config));
  writeFileSync(join(copy, 'planted.config.mjs'), avaConfig);
  return copy;
}

/** Throws unless every text stands just once where it is looked for. Returns the sources as they were. */
function plant(copy, { name, edits }) {
  const originals = new Map();
  for (const [file, from, to] of edits) {
    const path = join(copy, file);
    const source = readFileSync(path, 'utf8');
    const found = source.split(from).length - 1;
    if (found !== 1) throw new Error(`'${name}': found ${found} times in ${file}, not once:\n${from}`);
    if (!originals.has(path)) originals.set(path, source);
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
  }
  return originals;
}

/** The first seed that fails, with its error; undefined if none of them does. */
async function findSeed(dist, count, simulation) {
  let found;
  await runSeeds({
    dist,
    from: 1,
    count,
    threads: Math.min(2, availableParallelism()),
    simulation,
    onResult: ({ seed, error }) => {
      if (error !== undefined && (found === undefined || seed < found.seed)) found = { seed, error };
      return found !== undefined;
    },
  });
  return found;
}

/** Runs the tests that are to find these bugs, each once; returns the exit code and the TAP output. */
async function runTests(copy, bugs) {
  let output = '';
  const add = (text) => {
    output += text;
  };
  const titles = [...new Set(bugs.map(({ title }) => title))];
  const files = [...new Set(bugs.map(({ file }) => `test/transport/sctp/${file}`))];
  const args = ['--config', 'planted.config.mjs', '--tap', ...titles.flatMap((title) => ['--match', title]), ...files];
  const code = await runNode(commandOf('ava', 'entrypoints/cli.mjs'), args, add, copy);
  return { code, output, ran: titles.filter((title) => output.includes(title)) };
}

/** What the test that must find the bug says of the copy; undefined if it passes. */
async function runTest(copy, bug) {
  const { code, output } = await runTests(copy, [bug]);
  if (code === 0) return undefined;
  return /^\s+(?:message|values?): *(.*)$/m.exec(output)?.[1] ?? 'failed';
}

async function findBug(copy, bug) {
  if (bug.file === undefined) {
    const found = await findSeed(join(copy, 'dist'), Number(values.seeds), simulations[bug.simulation ?? 'sessions']);
    return found && { by: `seed ${found.seed}`, what: found.error.split('\n')[0].replace(/^seed \d+ /, '') };
  }
  const what = await runTest(copy, bug);
  return what === undefined ? undefined : { by: 'found', what };
}

async function build(copy) {
  return (await runNode(commandOf('typescript', 'bin/tsc'), ['--project', join(copy, 'planted.json')])) === 0;
}

await setUp();
const copy = copyLibrary();
let passed = 0;
let failed = 0;
try {
  const chosen = plantedBugs.filter(
    ({ name, simulation }) => name.includes(values.only) && (!values.enrp || simulation === 'enrp'),
  );
  // All of them at first, so that a list that is out of date is known at once.
  for (const bug of chosen) for (const [path, source] of plant(copy, bug)) writeFileSync(path, source);
  if (values.sctp) {
    if (!(await build(copy))) throw new Error('the copy does not compile');
    const { code, output, ran } = await runTests(copy, chosen);
    if (code !== 0) throw new Error(`the tests fail without a bug:\n${output}`);
    for (const { title } of chosen) if (!ran.includes(title)) throw new Error(`no test is called '${title}'`);
  }
  for (const bug of chosen) {
    const originals = plant(copy, bug);
    if (!(await build(copy))) throw new Error(`'${bug.name}' does not compile`);
    const found = await findBug(copy, bug);
    if (found === undefined) failed++;
    else passed++;
    console.log(`${(found?.by ?? 'NOT FOUND').padEnd(9)}  ${bug.name}  ${found?.what ?? ''}`);
    for (const [path, source] of originals) writeFileSync(path, source);
  }
} catch (error) {
  failed++;
  console.log(error.message);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
