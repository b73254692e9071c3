/** Every planted bug can be planted: its texts stand where they are looked for, each once. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { root } from './lint.js';

interface PlantedBug {
  readonly name: string;
  /** File, text, what stands there instead. */
  readonly edits: readonly (readonly [string, string, string])[];
}

for (const [file, list] of [
  ['planted-bugs', 'plantedBugs'],
  ['planted-enrp-bugs', 'plantedEnrpBugs'],
  ['planted-sctp-bugs', 'plantedSctpBugs'],
] as const) {
  test(`scripts/${file}.mjs changes what is there`, async (t) => {
    const lists: Record<string, readonly PlantedBug[]> = await import(pathToFileURL(`${root}scripts/${file}.mjs`).href);
    const bugs = lists[list] ?? [];
    t.true(bugs.length > 10);
    const misplaced = bugs.flatMap(({ name, edits }) =>
      edits
        .filter(([path, text]) => readFileSync(join(root, path), 'utf8').split(text).length !== 2)
        .map(([path]) => `${name}: ${path}`),
    );
    t.deepEqual(misplaced, []);
  });
}
