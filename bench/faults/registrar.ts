/** The registrar of the fault benchmark, in a process of its own as elsewhere: its work shall not delay the clients. */

import { createRegistrar } from '../../lib/index.js';
import { reportReady } from './load.js';

const registrar = createRegistrar({ port: 0 });
registrar.on('error', (error) => {
  throw error;
});
registrar.listen(({ port }) => reportReady(port));
process.on('disconnect', () => process.exit());
