/**
 * `npm run coverage`: runs the tests under c8 and prints one line for each room of lib/. The full reports are in
 * coverage/ (index.html for people, coverage-summary.json for scripts). Arguments go to AVA.
 */

import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { commandOf, root, runNode, setUp } from './setup.mjs';

const measures = ['lines', 'branches', 'functions'];

/** The room of a file of lib/: the folder below lib/, or the file itself on floor 1 and 8. */
function roomOf(file) {
  const [first] = relative(join(root, 'lib'), file).split(/[\\/]/);
  return first;
}

function sumByRoom(summary) {
  const rooms = new Map();
  for (const [file, covered] of Object.entries(summary)) {
    const room = file === 'total' ? 'total' : roomOf(file);
    const sums = rooms.get(room) ?? Object.fromEntries(measures.map((measure) => [measure, { covered: 0, total: 0 }]));
    for (const measure of measures) {
      sums[measure].covered += covered[measure].covered;
      sums[measure].total += covered[measure].total;
    }
    rooms.set(room, sums);
  }
  return rooms;
}

function percentage({ covered, total }) {
  return total === 0 ? '-' : ((100 * covered) / total).toFixed(1);
}

function printTable(rooms) {
  const line = (name, cells) => console.log(name.padEnd(16) + cells.map((cell) => cell.padStart(12)).join(''));
  line('room', measures);
  const names = [...rooms.keys()].filter((name) => name !== 'total').sort();
  for (const name of [...names, 'total']) {
    const sums = rooms.get(name);
    line(
      name,
      measures.map((measure) => percentage(sums[measure])),
    );
  }
}

await setUp();
const reporters = ['--reporter=json-summary', '--reporter=html'];
const what = ['--all', '--src', 'lib', '--include', 'lib/**', '--exclude-after-remap'];
const ava = [process.execPath, commandOf('ava', 'entrypoints/cli.mjs'), ...process.argv.slice(2)];
const code = await runNode(commandOf('c8', 'bin/c8.js'), [...what, ...reporters, ...ava]);
printTable(sumByRoom(JSON.parse(readFileSync(join(root, 'coverage/coverage-summary.json'), 'utf8'))));
process.exitCode = code;
