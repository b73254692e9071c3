import { seededRandom } from '../../lib/random.js';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';
import type { TransportBench } from './bench.js';
import { byteStreamCompliance } from './compliance.js';

/** Two processes on two machines, whose virtual time runs on while the test waits. */
function open(fragment: boolean): TransportBench {
  const network = new MemoryNetwork({ random: seededRandom(3), fragment });
  let running = true;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const stopped = (async () => {
    while (running) {
      for (let steps = 0; steps < 16 && network.time.step(); steps++);
      await turn();
    }
  })();
  return {
    near: network.spawn('10.0.0.1').transport,
    far: network.spawn('10.0.0.2').transport,
    farHost: '10.0.0.2',
    async turn() {
      await turn();
      await turn();
    },
    async release() {
      running = false;
      await stopped;
    },
  };
}

byteStreamCompliance('memory', async () => open(false));
byteStreamCompliance('memory, fragmented', async () => open(true));
