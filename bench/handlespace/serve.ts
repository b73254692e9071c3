/**
 * The registrar that holds much: `serve.js [ENRP-PEER-PORT]`, started with --expose-gc. It begins when told to, tells its
 * ports once it serves, and the bytes that it uses when asked. Elements are not asked during a run.
 */

import { getHeapStatistics } from 'node:v8';
import { createRegistrar, type RegistrarOptions } from '../../lib/index.js';

/** What it may be told. */
export type Order = 'begin' | 'memory';

export type Told =
  | { readonly type: 'started' }
  | { readonly type: 'listening'; readonly port: number; readonly enrpPort: number; readonly elements: number }
  | { readonly type: 'memory'; readonly bytes: number; readonly elements: number };

const [, , peerPort] = process.argv;
const options: RegistrarOptions = {
  // In the upper half, where V8 needs most memory for it. The second registrar is another one.
  serverId: peerPort === undefined ? 0xf0000001 : 0xf0000002,
  port: 0,
  enrp: { port: 0, peers: peerPort === undefined ? [] : [`127.0.0.1:${peerPort}`] },
  limits: { maxElementsPerConnection: 1_000_000, maxElementsPerPool: 1_000_000, maxElements: 10_000_000 },
  timers: { keepAliveInterval: 600_000 },
};

function tell(what: Told): void {
  process.send?.(what);
}

/** What V8 holds, and what it holds outside of its heap: typed arrays. */
function usedBytes(): number {
  for (let times = 0; times < 4; times++) globalThis.gc?.();
  const { used_heap_size } = getHeapStatistics();
  return used_heap_size + process.memoryUsage().arrayBuffers;
}

const registrar = createRegistrar(options);
let enrpPort = 0;
registrar.on('enrpListening', ({ port }) => {
  enrpPort = port;
});
function begin(): void {
  registrar.listen(({ port }) =>
    tell({ type: 'listening', port, enrpPort, elements: registrar.handlespace.elementCount }),
  );
}

process.on('message', (order: Order) => {
  if (order === 'begin') begin();
  else tell({ type: 'memory', bytes: usedBytes(), elements: registrar.handlespace.elementCount });
});
process.on('disconnect', () => process.exit());
tell({ type: 'started' });
