/** The registrar that is measured. Limits are above what the load registers, and elements are not asked during a run. */

import { createRegistrar } from '../../lib/index.js';

createRegistrar({
  port: 0,
  limits: { maxElementsPerConnection: 1_000_000, maxElementsPerPool: 1_000_000, maxElements: 10_000_000 },
  timers: { keepAliveInterval: 600_000 },
}).listen(({ port }) => void process.stdout.write(`${port}\n`));
