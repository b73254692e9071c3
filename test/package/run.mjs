/**
 * `npm run test:package`: packs the package as it would be published, and judges it: publint, "Are the types wrong?", an
 * installation into an empty folder, and a program that imports and one that requires it on each Node that can be had.
 * The last line is `N passed, N failed`.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, root, setUp } from '../../scripts/setup.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'package-'));
let passed = 0;
let failed = 0;

function check(name, fails) {
  if (fails === undefined) passed++;
  else failed++;
  console.log(fails === undefined ? `ok: ${name}` : `FAILED: ${name}\n${fails}`);
}

/** What a command says when it fails, or undefined. */
function failureOf(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  return status === 0 ? undefined : `${error?.message ?? ''}${stdout}${stderr}`;
}

/** All files below a folder, as paths from there. */
function filesBelow(at) {
  return readdirSync(at, { recursive: true }).filter((path) => statSync(join(at, path)).isFile());
}

function pack() {
  // The build is fresh already; `prepack` would remove it under the feet of others.
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  const [{ filename, size, unpackedSize, files }] = JSON.parse(stdout);
  return { file: join(folder, filename), size, unpackedSize, files: files.map(({ path }) => path) };
}

function judgeFiles(packed) {
  const stray = packed.files.filter((path) => /\.(test|spec)\.|tsbuildinfo|node_modules|\.pem$/.test(path));
  check('nothing is packed that users have no use for', stray.length === 0 ? undefined : stray.join('\n'));
  const orphans = packed.files
    .filter((path) => path.startsWith('dist/lib/'))
    .filter((path) => !packed.files.includes(path.replace('dist/', '').replace(/\.d\.ts$/, '.ts')));
  check('every declaration has its source beside it', orphans.length === 0 ? undefined : orphans.join('\n'));
}

function installed(packed) {
  const empty = mkdtempSync(join(folder, 'empty-'));
  writeFileSync(join(empty, 'package.json'), '{ "name": "empty", "private": true }');
  check('npm installs it into an empty folder', failureOf('npm', ['install', packed.file], { cwd: empty }));
  return empty;
}

/** What was installed, without the package manager's own records. */
function judgeTree(tree) {
  const modules = join(tree, 'node_modules');
  const files = filesBelow(modules);
  const native = files.filter((path) => /\.node$|binding\.gyp$/.test(path));
  check('nothing has to be compiled', native.length === 0 ? undefined : native.join('\n'));
  const manifests = files.filter((path) => /^(@[^/]+\/)?[^/]+\/package\.json$/.test(path));
  const withScripts = manifests.filter((path) => {
    const { scripts = {} } = JSON.parse(readFileSync(join(modules, path), 'utf8'));
    return ['preinstall', 'install', 'postinstall'].some((name) => name in scripts);
  });
  check('nothing runs at the installation', withScripts.length === 0 ? undefined : withScripts.join('\n'));
  const bytes = files.reduce((sum, path) => sum + statSync(join(modules, path)).size, 0);
  return { dependencies: manifests.length - 1, bytes };
}

/** An element and a user of it in one process, by whatever `rserpool` is. */
const program = `
const registrar = rserpool.createRegistrar({ port: 0 });
registrar.listen(({ host, port }) => {
  const scope = new rserpool.OperationalScope({ registrars: host + ':' + port });
  const server = rserpool.createServer((socket) => socket.pipe(socket));
  server.listen({ poolHandle: 'echo', host: '127.0.0.1', scope });
  const socket = rserpool.connect({ poolHandle: 'echo', scope });
  socket.once('data', (data) => {
    if (String(data) !== 'hello') process.exitCode = 1;
    console.log(String(data));
    socket.end();
  });
  socket.once('close', () => {
    server.close(() => {
      scope.close();
      registrar.close();
    });
  });
  socket.write('hello');
});
`;

function runsOn(node, tree) {
  const { stdout: version } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  const name = `Node ${version.trim()}`;
  const files = {
    'import.mjs': `import rserpool, { connect } from 'rserpool';\nif (connect !== rserpool.connect) throw new Error();\n${program}`,
    'require.cjs': `const { default: rserpool, connect } = require('rserpool');\nif (connect !== rserpool.connect) throw new Error();\n${program}`,
  };
  for (const [file, source] of Object.entries(files)) {
    writeFileSync(join(tree, file), source);
    const fails = failureOf(node, [file], { cwd: tree, timeout: 30_000 });
    check(`${name}: an element and a user of it, by ${file.split('.')[0]}`, fails);
  }
  const command = join(tree, 'node_modules/rserpool/dist/bundle/cli/main.js');
  check(`${name}: rserpool --version`, failureOf(node, [command, '--version'], { cwd: tree }));
}

/** The Node that runs this, and those that npm has for this machine. */
function nodes() {
  const found = [process.execPath];
  for (const major of ['20', '22', '24']) {
    const file = join(here, `node_modules/node-${major}/bin/node`);
    if (existsSync(file)) found.push(file);
    else console.log(`left out: Node ${major} (npm has it for Linux on x64 only)`);
  }
  return found;
}

try {
  await setUp();
  await install('test/package');
  const packed = pack();
  judgeFiles(packed);
  const bin = join(here, 'node_modules/.bin');
  check('publint', failureOf(join(bin, 'publint'), ['--strict', packed.file]));
  check('are the types wrong?', failureOf(join(bin, 'attw'), ['--profile', 'esm-only', packed.file]));
  const tree = installed(packed);
  const { dependencies, bytes } = judgeTree(tree);
  for (const node of nodes()) runsOn(node, tree);
  const kib = (count) => `${Math.round(count / 1024)} KiB`;
  console.log(
    `packed ${kib(packed.size)}, unpacked ${kib(packed.unpackedSize)}; with its ${dependencies} dependencies ${kib(bytes)}`,
  );
} catch (error) {
  failed++;
  console.log(`FAILED: ${error.stack}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
