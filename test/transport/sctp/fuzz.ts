/**
 * The long form of the mutation tests: `node dist/test/transport/sctp/fuzz.js GUARD STACK [SEED]` judges GUARD mutated packets by
 * the guard alone and hands STACK of them to a stack behind it. Fails on an exception, more than 8 counted steps a byte, or
 * memory that grows. Prints `N passed, N failed`.
 */

import { seededRandom } from '../../../lib/random.js';
import { writeChecksum } from '../../../lib/transport/sctp/guard/crc32c.js';
import { guardOptions } from '../../../lib/transport/sctp/guard/guard-options.js';
import { guardPacket } from '../../../lib/transport/sctp/guard/guard-packet.js';
import { mutate, pickFrom, seedPackets } from './mutation.js';
import { mutateStack } from './stack-mutation.js';

const [guardRounds = 1_000_000, stackRounds = 200_000, seed = 1] = process.argv.slice(2).map(Number);
let failed = 0;

function check(name: string, good: boolean, detail: string): void {
  console.log(`${good ? 'ok' : 'FAILED'}: ${name} (${detail})`);
  if (!good) failed++;
}

function fuzzGuard(): void {
  const random = seededRandom(seed);
  const pick = pickFrom(random);
  const seeds = seedPackets();
  const counter = { steps: 0 };
  const options = guardOptions({ counter, extensions: 'check' });
  let worst = 0;
  let passed = 0;
  let before = 0;
  for (let round = 0; round < guardRounds; round++) {
    if (round === Math.floor(guardRounds / 10)) {
      globalThis.gc?.();
      before = process.memoryUsage().heapUsed;
    }
    const packet = mutate(seeds, pick);
    if (round % 3 !== 0 && packet.length >= 12) writeChecksum(packet);
    counter.steps = 0;
    if (guardPacket(packet, undefined, options).type === 'pass') passed++;
    worst = Math.max(worst, counter.steps / packet.length);
  }
  globalThis.gc?.();
  const grown = process.memoryUsage().heapUsed - before;
  check(`${guardRounds} packets for the guard, no exception`, true, `seed ${seed}, ${passed} passed`);
  check('steps a byte', worst <= 8, worst.toFixed(2));
  if (globalThis.gc !== undefined)
    check('memory', grown < 1024 * 1024, `${grown} bytes more after the last nine tenths`);
}

fuzzGuard();
const { caught, passed, serves } = mutateStack(stackRounds, seed);
check(
  `${stackRounds} packets for a stack, no exception`,
  caught.length === 0,
  `${passed} passed the guard; ${caught[0]}`,
);
check('it serves afterwards', serves, 'a message each way');
const checks = globalThis.gc === undefined ? 4 : 5;
console.log(`${checks - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
