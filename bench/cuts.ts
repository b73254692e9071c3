/**
 * A transfer both ways between two processes, through something that breaks their connection 500 times: reset, closed,
 * or closed towards the user alone, with everything that is under way lost. Both sides must get exactly the bytes that
 * the other sent (SHA-256), without any failover.
 *
 *   npm run bench -- cuts [--megabytes 100] [--cuts 500]
 *
 * The exit code is 1 when a byte differs, a process ends, a session goes elsewhere, or fewer cuts came about.
 */

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { faultsOf, transfer } from './cuts/transfer.js';
import { median, quantile } from './session/statistics.js';

const { values } = parseArgs({
  options: { megabytes: { type: 'string', default: '100' }, cuts: { type: 'string', default: '500' } },
});
const bytes = Number(values.megabytes) * 1_000_000;
const cuts = Number(values.cuts);

const whole = await transfer(bytes, 0, Math.random);
const result = await transfer(bytes, cuts, Math.random);
const faults = faultsOf(result, bytes);
if (result.cuts < cuts) faults.push(`only ${result.cuts} cuts came about`);
const ms = (number: number): string => `${number.toFixed(1)} ms`;
console.log(
  `${values.megabytes} MB each way, ${result.cuts} cuts, ${result.element.events} resumed: ` +
    `${(result.milliseconds / 1000).toFixed(2)} s (${(whole.milliseconds / 1000).toFixed(2)} s without cuts)`,
);
console.log(
  `from a cut to the element's next bytes: median ${ms(median(result.gaps))}, 95th percentile ` +
    `${ms(quantile(result.gaps, 0.95))}, worst ${ms(Math.max(...result.gaps))}`,
);
console.log(`SHA-256 to the element ${result.element.received}\n        to the user    ${result.user.received}`);
console.log(`${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`);
for (const fault of faults) console.log(`WRONG: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
