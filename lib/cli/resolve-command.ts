/** `rserpool resolve`: shows the elements of a pool. */

import { parseArgs } from 'node:util';
import { checkMilliseconds, invalidArgumentValue } from '../arguments.js';
import type { Resolution } from '../asap/resolution.js';
import { formatIdentifier } from '../errors.js';
import type { PoolElement } from '../wire/parameters.js';
import { poolHandleText } from '../wire/pool-handle.js';
import type { Command } from './command.js';
import { scopeOf, scopeOptions, tlsHelp } from './option-values.js';
import { policyText, transportText } from './pool-table.js';

const usage = 'resolve POOL [--registrars HOST:PORT,...] [--tls-ca FILE] [--timeout MS] [--wait] [--json]';

function elementText(element: PoolElement): string {
  const policy = element.policy === undefined ? '' : `  ${policyText(element.policy)}`;
  return `${formatIdentifier(element.identifier)}  ${transportText(element.userTransport)}${policy}`;
}

function asText(resolution: Resolution): string {
  const head = `${poolHandleText(resolution.poolHandle)}: ${policyText(resolution.policy)}`;
  return [head, ...resolution.elements.map((element) => `  ${elementText(element)}`)].join('\n');
}

function asJson(resolution: Resolution): string {
  const { policy, elements } = resolution;
  const shown = elements.map(({ extensions, ...element }) => ({
    ...element,
    ...(extensions === undefined ? undefined : { extensions: extensions.map(hex) }),
  }));
  const facts = { poolHandle: poolHandleText(resolution.poolHandle), policy, elements: shown };
  return JSON.stringify(facts, (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value), 2);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export const resolveCommand: Command = {
  usage,
  summary: 'Show the elements of a pool',
  help: `Usage: rserpool ${usage}

Asks a registrar for the elements of a pool. Fails with exit code 1, at once, when the pool is unknown or no registrar
accepts a connection.

  --registrars LIST  host:port, separated by commas (default: RSERPOOL_REGISTRARS, else 127.0.0.1:3863)
  --timeout MS       how long to wait for an answer (default 5000)
  --wait             wait for registrar and pool to come into being, up to the time-out
  --json             print JSON
${tlsHelp}`,
  async run(words) {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        ...scopeOptions,
        timeout: { type: 'string' },
        wait: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    });
    const [pool, extra] = positionals;
    if (pool === undefined || extra !== undefined)
      throw invalidArgumentValue('POOL', positionals, 'must be one pool handle');
    const timeout = checkMilliseconds('--timeout', values.timeout === undefined ? 5_000 : Number(values.timeout));
    const scope = scopeOf(values);
    try {
      const resolution =
        values.wait === true
          ? await scope.awaitPool(pool, { timeout })
          : await scope.resolve(pool, { timeout, hunt: 'once' });
      process.stdout.write(`${values.json === true ? asJson(resolution) : asText(resolution)}\n`);
      return 0;
    } finally {
      scope.close();
    }
  },
};
