/** The registrar of the fault benchmark, in a process of its own as elsewhere: its work shall not delay the clients. */

import { createRegistrar } from '../../lib/index.js';
import { report } from './load.js';

const registrar = createRegistrar({ port: 0 });
registrar.on('error', (error) => {
  throw error;
});
registrar.listen(({ port }) => report({ type: 'ready', identity: port }));
process.on('disconnect', () => process.exit());
