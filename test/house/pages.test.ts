/** The pages that list things list all of them: public names, options, dependencies, requirements. */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { root } from './lint.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The words of a page that stand in code. */
function wordsInCode(page: string): Set<string> {
  const spans = read(page).match(/```.*?```|`[^`\n]+`/gs) ?? [];
  return new Set(spans.flatMap((span) => span.match(/\w+/g) ?? []));
}

test('docs/api.md names everything that lib/index.ts exports', (t) => {
  const lists = [...read('lib/index.ts').matchAll(/^export (?:type )?\{([^}]*)\}/gm)];
  const names = lists.flatMap(([, list = '']) => list.split(',').map((name) => name.replace('type ', '').trim()));
  const words = wordsInCode('docs/api.md');
  t.true(names.length > 80);
  t.deepEqual(
    names.filter((name) => name !== '' && !words.has(name)),
    [],
  );
});

/** The options of an interface, without those that it takes from others. */
function optionsOf(file: string, name: string): string[] {
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(read(file))?.[1] ?? '';
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, option = '']) => option);
}

for (const [page, file, name] of [
  ['api', 'lib/net/options.ts', 'DeliveryOptions'],
  ['api', 'lib/net/options.ts', 'PoolConnectOptions'],
  ['api', 'lib/net/listen-options.ts', 'PoolListenOptions'],
  ['api', 'lib/net/cookies.ts', 'CookieOptions'],
  ['api', 'lib/net/element-load.ts', 'LoadOptions'],
  ['api', 'lib/net/request.ts', 'RequestOptions'],
  ['api', 'lib/net/pool-options.ts', 'PoolOptions'],
  ['api', 'lib/net/pool-options.ts', 'Destination'],
  ['api', 'lib/session/message.ts', 'SendOptions'],
  ['api', 'lib/session/session.ts', 'FailoverFacts'],
  ['api', 'lib/mapping/mapping.ts', 'MappingFeatures'],
  ['api', 'lib/mapping/tcp/options.ts', 'TcpMappingOptions'],
  ['api', 'lib/asap/scope.ts', 'OperationalScopeOptions'],
  ['api', 'lib/registrar/options.ts', 'RegistrarOptions'],
  ['asap', 'lib/asap/options.ts', 'AsapTimers'],
  ['registrars', 'lib/enrp/options.ts', 'EnrpOptions'],
  ['registrars', 'lib/enrp/options.ts', 'EnrpTimers'],
  ['registrars', 'lib/enrp/options.ts', 'EnrpLimits'],
  ['nameservice', 'lib/net/nameservice.ts', 'NameserviceOptions'],
  ['nameservice', 'lib/net/nameservice.ts', 'NextServerOptions'],
  ['nameservice', 'lib/net/registration.ts', 'RegisterOptions'],
  ['nameservice', 'lib/net/lookup.ts', 'CreateLookupOptions'],
  ['clients', 'lib/net/agent-pools.ts', 'PoolAgentOptions'],
  ['clients', 'lib/net/connector.ts', 'ConnectorOptions'],
  ['clients', 'lib/gateway/gateway.ts', 'GatewayOptions'],
  ['sctp', 'lib/transport/sctp/package/stack-options.ts', 'SctpStackOptions'],
] as const) {
  test(`docs/${page}.md names each of ${name}`, (t) => {
    const options = optionsOf(file, name);
    const words = wordsInCode(`docs/${page}.md`);
    t.true(options.length > 0);
    t.deepEqual(
      options.filter((option) => !words.has(option)),
      [],
    );
  });
}

test('docs/dependencies.md has a row for each dependency, with its version', (t) => {
  const page = read('docs/dependencies.md');
  for (const folder of ['', 'bench/', 'test/clients/', 'test/package/']) {
    const manifest = JSON.parse(read(`${folder}package.json`)) as Record<string, Record<string, string> | undefined>;
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    t.true(all.length > 0);
    for (const [alias, wanted] of all) {
      // npm:NAME@VERSION is a package by another name.
      const [, name = alias, version = wanted] = /^npm:(.+)@(.+)$/.exec(wanted) ?? [];
      const row = page.split('\n').find((line) => line.startsWith(`| [${name}]`) && line.includes(version));
      t.truthy(row, `${folder}package.json: ${name} ${version}`);
    }
  }
});

const coverage = read('docs/rfc-coverage.md');
const statuses = ['met', 'not yet', 'extension', 'differs', 'not ours'];
const parts = coverage.split(/^## /m);
const requirements = (part: string): string[] =>
  part.split('\n').filter((line) => /^\| (?!Section|-|Document)/.test(line));
const whereMet = (row: string): string => row.slice(0, -2).split(' | ').pop() ?? '';

test('the totals of docs/rfc-coverage.md are those of its rows', (t) => {
  const counted = parts.slice(1).map((part) => {
    const rows = requirements(part);
    return [
      ...statuses.map((status) => rows.filter((row) => whereMet(row).startsWith(`\`${status}\``)).length),
      rows.length,
    ];
  });
  const all = counted.reduce((sum, row) => sum.map((count, at) => count + (row[at] ?? 0)));
  const table = requirements(parts[0] ?? '').map((row) =>
    row
      .split(' | ')
      .slice(1)
      .map((cell) => Number.parseInt(cell, 10)),
  );
  t.is(counted.length, 5);
  for (const row of [...counted, all]) {
    const sum = row.slice(0, -1).reduce((before, count) => before + count, 0);
    t.is(sum, row.at(-1) ?? -1);
  }
  t.deepEqual(table, [...counted, all]);
});

test('the files that docs/rfc-coverage.md names are there', (t) => {
  for (const row of parts.slice(1).flatMap(requirements)) {
    let folder = '';
    for (const [path] of whereMet(row).matchAll(/[\w./-]+\.(?:ts|mjs|md)\b/g)) {
      if (path.includes('/')) folder = dirname(path);
      t.true(existsSync(join(root, path.includes('/') ? path : join(folder, path))), `${path}: ${row}`);
    }
  }
});
