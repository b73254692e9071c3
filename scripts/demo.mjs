/** `npm run demo -- ARGUMENTS`: sets the checkout up, then runs the mirror example with the arguments. */

import { join } from 'node:path';
import { root, runNode, setUp } from './setup.mjs';

await setUp();
// Ctrl-C reaches both processes; the demo decides how to end, and we wait for it.
process.on('SIGINT', () => {});
process.exitCode = await runNode(join(root, 'dist/examples/mirror/demo.js'), process.argv.slice(2));
