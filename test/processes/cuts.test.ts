import test from 'ava';
import { faultsOf, transfer } from '../../bench/cuts/transfer.js';
import { seededRandom } from '../../lib/random.js';

test('bytes go both ways whole, and without a failover, between processes whose connection is cut again and again', async (t) => {
  const random = seededRandom(11);
  const bytes = 4_000_000;
  const result = await transfer(bytes, 15, () => random.uniform());
  t.deepEqual(faultsOf(result, bytes), []);
  t.is(result.cuts, 15);
});
