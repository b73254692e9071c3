/**
 * `npm run fuzz:sctp -- [GUARD] [STACK] [SEED]`: mutated SCTP packets for the guard alone (default 10,000,000) and for a
 * stack behind it (200,000). The last line is `N passed, N failed`.
 */

import { spawn } from 'node:child_process';
import { root, setUp } from './setup.mjs';

await setUp();
const [guard = '10000000', stack = '200000', seed = '1'] = process.argv.slice(2);
// With gc() memory can be measured.
const args = ['--expose-gc', 'dist/test/transport/sctp/fuzz.js', guard, stack, seed];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
