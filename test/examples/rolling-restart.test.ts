/** A whole pool restarted under load, as users run it. */

import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { start } from './processes.js';

test('a rolling restart of five elements under 500 requests a second loses nothing and repeats nothing', async (t) => {
  const restart = start('dist/examples/rolling-restart/restart.js', []);
  const [output, [code]] = await Promise.all([text(restart.stdout as NodeJS.ReadableStream), once(restart, 'exit')]);
  t.is(code, 0, output);
  const result = JSON.parse(output) as Record<string, number>;
  const { requests = 0, executed, errors, redelivered, restarts, failovers = 0 } = result;
  t.deepEqual(
    { errors, redelivered, restarts, executed },
    { errors: 0, redelivered: 0, restarts: 5, executed: requests },
  );
  t.true(requests > 0);
  t.true(failovers >= 5, `${failovers} failovers`);
});
