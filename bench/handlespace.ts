/**
 * A registrar that holds 100,000 elements, as 500 pools and as one: what an element takes of its heap, and what becomes of
 * the answers' 99.9th percentile while a second registrar downloads all of it. Rounds of a download and of as long a time
 * without one take turns; the figure is the ratio of the percentiles over all of them. (What selections cost beside the bare
 * structures is the benchmark `policy`.)
 *
 *   npm run bench -- handlespace
 *   node dist/bench/handlespace.js [--elements 100000] [--downloads 30]
 *   chrt -r 1 node dist/bench/handlespace.js    where others use the processors too
 *
 * DOWNLOADS in the environment is the default.
 */

import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PacedLoad } from './handlespace/paced-load.js';
import { type Pair, quantiles, ratioOfQuantiles } from './handlespace/pairs.js';
import { addressOf, fill, HoldingRegistrar } from './handlespace/registrars.js';
import { leaveServerCore, mainThreadFirst, measureUndisturbed, pinned, realTime } from './registrar/cores.js';
import { median, table } from './session/statistics.js';

const { values } = parseArgs({
  options: {
    elements: { type: 'string', default: '100000' },
    downloads: { type: 'string', default: process.env.DOWNLOADS ?? '30' },
  },
});
const elements = Number(values.elements);
const goals = { bytes: 600, ratio: 2 };

/** A download, and as long a time without one; and what the download took. */
interface Download extends Pair {
  readonly took: number;
}

interface Shape {
  readonly name: string;
  readonly pools: number;
}

const shapes: readonly Shape[] = [
  { name: '500 pools', pools: 500 },
  { name: 'one pool', pools: 1 },
];

function poolName(pool: number): string {
  return `pool-${String(pool).padStart(3, '0')}`;
}

/** A string of one byte a character in V8: three words, and what it is long, up to a multiple of eight. */
function stringBytes(text: string): number {
  return Math.ceil((12 + text.length) / 8) * 8;
}

let failed = false;
function verdict(holds: boolean): string {
  if (!holds) failed = true;
  return holds ? 'ok' : 'FAIL';
}

async function measure({ name, pools }: Shape): Promise<{ memory: string[]; latency: string[] }> {
  const registrar = await HoldingRegistrar.start();
  const before = await registrar.memory();
  const poolOf = (element: number): string => poolName(element % pools);
  const close = await fill(registrar.port, elements, poolOf, (element) => ({
    type: 'leastUsed',
    load: Math.imul(element, 0x9e3779b1) >>> 0,
  }));
  const after = await registrar.memory();
  if (after.elements !== elements) throw new Error(`${after.elements} elements are registered`);
  const bytes = (after.bytes - before.bytes) / elements;
  const beyond = bytes - stringBytes(addressOf(elements - 1));
  const memory = [name, bytes.toFixed(0), beyond.toFixed(0), `${goals.bytes}`, verdict(beyond <= goals.bytes)];

  const load = await PacedLoad.start(
    registrar.port,
    Array.from({ length: pools }, (_, pool) => poolName(pool)),
  );
  await pause(2_000);
  const pairs: Download[] = [];
  let took = 0;
  const quiet = async (): Promise<number[]> => {
    load.take();
    await pause(took);
    return load.take();
  };
  const download = async (): Promise<number[]> => {
    const second = await HoldingRegistrar.start(registrar.enrpPort, () => load.take());
    const answers = load.take();
    took = second.took;
    if (second.elements !== elements) throw new Error(`${second.elements} elements were downloaded`);
    await second.stop();
    await pause(500);
    return answers;
  };
  for (let round = -1; round < Number(values.downloads); round++) {
    // Every other time the quiet one is the first, so that what changes slowly on the machine is on both sides.
    const before = round % 2 === 1 ? await quiet() : undefined;
    const busy = await download();
    const calm = before ?? (await quiet());
    // Compilation is not what is compared.
    if (round >= 0) pairs.push({ busy, calm, took });
  }
  load.stop();
  close();
  await registrar.stop();
  const { ratio, from, to } = ratioOfQuantiles(pairs, 0.999);
  return {
    memory,
    latency: [
      name,
      `${(median(pairs.map((pair) => pair.took)) / 1000).toFixed(1)}`,
      `${pairs.reduce((sum, { busy }) => sum + busy.length, 0)}`,
      ...[0.5, 0.99, 0.999].flatMap((share) => {
        const { calm, busy } = quantiles(pairs, share);
        return [calm.toFixed(2), busy.toFixed(2)];
      }),
      `${ratio.toFixed(2)} (${from.toFixed(2)}-${to.toFixed(2)})`,
      `${goals.ratio}`,
      verdict(ratio <= goals.ratio),
    ],
  };
}

leaveServerCore();
if (realTime) mainThreadFirst(process.pid);
const undisturbed = realTime || measureUndisturbed();
console.log(
  `Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}; load average ${loadavg()[0]?.toFixed(1)}; ` +
    `${pinned ? 'the registrar on one processor, everything else on the others' : 'not pinned to processors'}; ` +
    `${realTime ? 'real-time' : 'usual'} scheduling of the registrar; ` +
    `the users ${undisturbed ? 'go before' : 'WAIT FOR'} all others of their processor\n`,
);
const results = [];
for (const shape of shapes) results.push(await measure(shape));
console.log(
  table([
    ['bytes of heap an element', 'all', 'beyond its address', 'goal', ''],
    ...results.map(({ memory }) => memory),
  ]),
);
console.log('');
console.log(
  table([
    [
      'ms an answer takes',
      'download s',
      'answers',
      'median',
      'with download',
      '99 %',
      'with download',
      '99.9 %',
      'with download',
      'ratio (90 %)',
      'goal',
      '',
    ],
    ...results.map(({ latency }) => latency),
  ]),
);
process.exit(failed ? 1 : 0);
