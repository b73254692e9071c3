/** What a user of DNS does: SRV records of three targets, asked for with Node's own resolver. */

import { Resolver } from 'node:dns';
import { elementsOfPool, type Load, outstanding, poolName, pools } from './load.js';

function nameOf(pool: number): string {
  return `_echo._tcp.${poolName(pool)}.test`;
}

/** The lines of configuration that dnsmasq answers from. */
export function dnsmasqLines(): string[] {
  return Array.from({ length: pools }, (_, pool) =>
    Array.from({ length: elementsOfPool }, (_, element) => `--srv-host=${nameOf(pool)},e${element}.test,4000`),
  ).flat();
}

/** Resolutions of one pool after the other. */
export async function dnsResolutions(port: number): Promise<Load> {
  const resolver = new Resolver({ timeout: 5_000 });
  resolver.setServers([`127.0.0.1:${port}`]);
  let answers = 0;
  let waiting = 0;
  let next = 0;
  let onIdle: (() => void) | undefined;
  const send = (): void => {
    waiting++;
    resolver.resolveSrv(nameOf(next), (error, records) => {
      if (error !== null || records.length !== elementsOfPool) throw error ?? new Error(`${records.length} records`);
      waiting--;
      answers++;
      if (onIdle === undefined) send();
      else if (waiting === 0) onIdle();
    });
    next = (next + 1) % pools;
  };
  for (let i = 0; i < outstanding; i++) send();
  return {
    get answers() {
      return answers;
    },
    async stop() {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
    },
  };
}
