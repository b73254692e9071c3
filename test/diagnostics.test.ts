import { spawnSync } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import test from 'ava';
import { diagnosticEvent } from '../lib/diagnostics.js';

test('an event is a channel of its own, watched only while somebody listens', (t) => {
  const event = diagnosticEvent<{ n: number }>('asap', 'tested');
  t.is(event.name, 'rserpool:asap:tested');
  t.false(event.watched);
  event.publish({ n: 0 });
  const heard: unknown[] = [];
  const listen = (facts: unknown): void => void heard.push(facts);
  channel('rserpool:asap:tested').subscribe(listen);
  t.true(event.watched);
  event.publish({ n: 1 });
  channel('rserpool:asap:tested').unsubscribe(listen);
  event.publish({ n: 2 });
  t.deepEqual(heard, [{ n: 1 }]);
});

test('DEBUG prints the same events', (t) => {
  const url = new URL('../lib/diagnostics.js', import.meta.url).href;
  const script = `const { diagnosticEvent } = await import(${JSON.stringify(url)}); diagnosticEvent('asap', 'tested').publish({ n: 5 });`;
  const run = (DEBUG: string): string =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, DEBUG },
      encoding: 'utf8',
    }).stderr;
  t.regex(run('rserpool:asap'), /rserpool:asap tested \{ n: 5 \}/);
  t.is(run('rserpool:enrp'), '');
});
