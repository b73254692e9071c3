import { seededRandom } from '../../lib/random.js';
import { type MappingBench, mappingCompliance } from './compliance.js';
import { open, type PairOptions } from './pair.js';
import { ResumeScene } from './resume-scene.js';

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
mappingCompliance('TCP mapping that can be resumed', () => {
  const scene = new ResumeScene();
  const user = scene.dial();
  return {
    user,
    element: scene.accepted[0]!,
    run: (duration) => scene.run(duration),
    freezeElement: () => scene.elementProcess.freeze(),
    thawElement: () => scene.elementProcess.thaw(),
    killElement: () => scene.elementProcess.kill(),
    breakCarrier: () => scene.sever('lost'),
  };
});
mappingCompliance('TCP mapping in fragments, with a small window', () =>
  bench({
    network: { fragment: true, random: seededRandom(7), receiveBuffer: 3000 },
    user: { window: 2000, longestPayload: 1024 },
    element: { window: 2000, longestPayload: 1024 },
  }),
);
