/**
 * Makes a checkout ready to run: the dependencies of the lock file, then one build. `npm test`, `npm run demo` and
 * `npm run coverage` start here, so that a fresh clone needs nothing but Node.
 */

import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, with a separator at its end. */
export const root = fileURLToPath(new URL('../', import.meta.url));

/**
 * Runs a JavaScript file with this Node and no shell between (arguments arrive as they are, on Windows too).
 * `onOutput` takes the standard output in place of the terminal; `cwd` is the folder, by default that of package.json. Promises the exit code; 1 for death by a signal.
 */
export function runNode(file, args, onOutput, cwd = root) {
  return new Promise((resolve, reject) => {
    const stdio = ['inherit', onOutput === undefined ? 'inherit' : 'pipe', 'inherit'];
    const child = spawn(process.execPath, [file, ...args], { cwd, stdio });
    child.stdout?.setEncoding('utf8').on('data', onOutput);
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** The JavaScript file behind a command of an installed package. */
export function commandOf(packageName, file) {
  return join(root, 'node_modules', packageName, file);
}

function readPackages(folder, path) {
  return JSON.parse(readFileSync(join(root, folder, path), 'utf8')).packages;
}

/**
 * True if node_modules holds just what the lock file names. Contents are compared and not times, because copies and
 * checkouts change times. Optional packages may be missing: they are other platforms' binaries.
 */
function isInstalled(folder) {
  const record = 'node_modules/.package-lock.json';
  if (!existsSync(join(root, folder, record))) return false;
  const installed = readPackages(folder, record);
  return Object.entries(readPackages(folder, 'package-lock.json')).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** The JavaScript file of npm: of the npm that runs us, or else of the one that came with Node. */
function npmFile() {
  const folder = dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath ?? '',
    join(folder, 'node_modules/npm/bin/npm-cli.js'),
    join(folder, '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  const found = candidates.find((file) => file.endsWith('npm-cli.js') && existsSync(file));
  if (found === undefined) throw new Error('npm was not found: run `npm ci` yourself, then try again');
  return found;
}

/**
 * True if the lock file has a record of every optional package that a locked one names. One written where a platform's
 * binary could not be looked up has not, and npm ci refuses it.
 */
function isLockComplete(folder) {
  const packages = readPackages(folder, 'package-lock.json');
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)));
  const optional = Object.values(packages).flatMap((record) => Object.keys(record.optionalDependencies ?? {}));
  return optional.every((name) => names.has(name));
}

/**
 * Installs what the lock file of a folder of the checkout names (default: the checkout itself), unless it is there
 * already. Throws an Error when it cannot.
 */
export async function install(folder = '.') {
  if (isInstalled(folder)) return;
  // npm ci empties node_modules first; through a link that would be somebody else's.
  if (lstatSync(join(root, folder, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error('node_modules is a link to a folder that does not match package-lock.json: run npm there');
  }
  // `install --no-save` keeps to the lock file too, and leaves it as it is; what it lacks comes from the registry.
  const how = isLockComplete(folder) ? ['ci'] : ['install', '--no-save'];
  console.log(`Installing the dependencies${folder === '.' ? '' : ` of ${folder}`} (npm ${how.join(' ')})`);
  // NODE_ENV=production would leave out the compiler.
  const code = await runNode(npmFile(), ['--prefix', join(root, folder), ...how, '--include=dev']);
  if (code !== 0) throw new Error(`npm ${how.join(' ')} failed`);
  if (!isInstalled(folder)) throw new Error('what npm installed is not what package-lock.json names');
}

/**
 * Compiles lib/, test/, examples/ and bench/ to dist/, which is the type check as well, and puts what is published into few
 * files, dist/bundle: a process that imports one instead of 260 starts in half the time and needs 8 MiB less. Promises
 * whether it passed.
 */
export async function build() {
  if ((await runNode(commandOf('typescript', 'bin/tsc'), ['--project', root])) !== 0) return false;
  const code = await runNode(commandOf('esbuild-wasm', 'bin/esbuild'), [
    ...['index.js', 'cli/main.js', 'cli/demo-element.js'].map((entry) => join(root, 'dist/lib', entry)),
    '--bundle',
    '--splitting',
    '--format=esm',
    '--platform=node',
    '--target=node20.19',
    '--packages=external',
    '--sourcemap',
    '--sources-content=false',
    `--outbase=${join(root, 'dist/lib')}`,
    `--outdir=${join(root, 'dist/bundle')}`,
    '--log-level=warning',
  ]);
  return code === 0;
}

/** Both steps, for scripts that have no use for a half-made checkout: ends the process when one fails. */
export async function setUp() {
  try {
    await install();
    if (!(await build())) throw new Error('the build failed');
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
