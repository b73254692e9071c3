import test from 'ava';
import { mutateStack } from './stack-mutation.js';

test('10,000 mutated packets, blind and with the right tags, neither crash nor hang a stack', (t) => {
  const { caught, passed, serves } = mutateStack(10_000, 4960);
  t.deepEqual(caught, []);
  t.true(passed > 500, `${passed} passed`);
  t.true(serves);
});
