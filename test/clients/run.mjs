/**
 * `npm run test:clients -- NAME...`: real clients, unchanged but for their own hook, at pools of three real servers. The
 * server that serves is killed while the client is busy; what its user sees stands beside the same client with the plain
 * address of one server. Prints one table; the last line is `N passed, N failed`.
 */

import { install, root, setUp } from '../../scripts/setup.mjs';

await setUp();
await install('test/clients');
process.chdir(root);
const { testClients } = await import('./failures.mjs');
process.exitCode = (await testClients(process.argv.slice(2))) ? 0 : 1;
// Some clients leave timers behind.
process.exit();
