/** Runs the project's own linter on made-up files, as if they stood in the project. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

/** What the linter objects to: the rule's last name ('plugin' for our own rules) and the line, from 1. */
export interface Objection {
  readonly rule: string;
  readonly line: number;
}

interface BiomeReport {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly severity: string;
    readonly location: { readonly path: string; readonly start?: { readonly line: number } };
  }[];
}

/**
 * Writes the files (path in the project to source) to a temporary folder beside a copy of the rules and lints them
 * all at once. Returns the errors by path; a path without errors has an empty list. Warnings do not count.
 */
export function lint(files: Readonly<Record<string, string>>): Map<string, Objection[]> {
  const folder = mkdtempSync(join(tmpdir(), 'house-'));
  try {
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    cpSync(join(root, 'scripts/lint'), join(folder, 'scripts/lint'), { recursive: true });
    for (const [path, source] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), source);
    }
    return runBiome(folder, Object.keys(files));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runBiome(folder: string, paths: readonly string[]): Map<string, Objection[]> {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '--diagnostic-level=error', '.'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  if (!stdout.startsWith('{')) throw new Error(`biome did not report: ${stdout}${stderr}`);
  const report = JSON.parse(stdout) as BiomeReport;
  const objections = new Map<string, Objection[]>(paths.map((path) => [path, []]));
  for (const { category, location } of report.diagnostics) {
    const rule = category.slice(category.lastIndexOf('/') + 1);
    const path = location.path.replaceAll('\\', '/').replace(/^\.\//, '');
    const list = objections.get(path);
    if (list === undefined) throw new Error(`biome objects to a file that was not asked for: ${path} (${category})`);
    list.push({ rule, line: location.start?.line ?? 0 });
  }
  return objections;
}
