import { readFileSync } from 'node:fs';
import test from 'ava';
import { defaultAsapChannelLimits } from '../../lib/asap/asap-channel.js';
import { defaultAsapTimers } from '../../lib/asap/options.js';
import { defaultRegistrarLimits, defaultRegistrarTimers } from '../../lib/registrar/options.js';

const text = readFileSync(new URL('../../../docs/asap.md', import.meta.url), 'utf8');

/** The names and numbers of the table under a heading. */
function table(heading: string): Record<string, number> {
  const section = text.split(`### \`${heading}\``)[1]?.split('\n#')[0] ?? '';
  const rows = section.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm);
  return Object.fromEntries([...rows].map(([, name, value]) => [name, Number(value?.replaceAll(',', ''))]));
}

for (const [heading, defaults] of [
  ['new OperationalScope({ timers })', defaultAsapTimers],
  ['new OperationalScope({ limits })', defaultAsapChannelLimits],
  ['createRegistrar({ timers })', defaultRegistrarTimers],
  ['createRegistrar({ limits })', defaultRegistrarLimits],
] as const) {
  test(`docs/asap.md has each default of ${heading}`, (t) => {
    t.deepEqual<Record<string, number>, Record<string, number>>(table(heading), { ...defaults });
  });
}
