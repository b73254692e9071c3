/** docs/errors.md says what the code says. */

import { readFileSync } from 'node:fs';
import test from 'ava';
import { errorCodes } from '../../lib/errors.js';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `(ERR_RSERPOOL_\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];

test('docs/errors.md has one row for each code, in order, with its meaning', (t) => {
  t.deepEqual(
    rows.map(([, code, meaning]) => [code, meaning]),
    Object.entries(errorCodes),
  );
});

test('each row says when it happens and what to do', (t) => {
  for (const [, code, , when, remedy] of rows) {
    t.true((when ?? '').length > 10, code);
    t.true((remedy ?? '').length > 10, code);
  }
});
