import { seededRandom } from '../../lib/random.js';
import { type MappingBench, mappingCompliance } from './compliance.js';
import { open, type PairOptions } from './pair.js';

function bench(options: PairOptions): MappingBench {
  const pair = open(options);
  return {
    user: pair.user,
    element: pair.element,
    run: (duration) => pair.run(duration),
    freezeElement: () => pair.elementProcess.freeze(),
    thawElement: () => pair.elementProcess.thaw(),
    killElement: () => pair.elementProcess.kill(),
  };
}

mappingCompliance('TCP mapping', () => bench({}));
mappingCompliance('TCP mapping in fragments, with a small window', () =>
  bench({
    network: { fragment: true, random: seededRandom(7), receiveBuffer: 3000 },
    user: { window: 2000, longestPayload: 1024 },
    element: { window: 2000, longestPayload: 1024 },
  }),
);
