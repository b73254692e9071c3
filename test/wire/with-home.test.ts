import test from 'ava';
import fc from 'fast-check';
import { withHome } from '../../lib/wire/pool-element.js';
import { poolElement } from '../vectors/arbitrary.js';

test('an element with another home is the same in everything else', (t) => {
  fc.assert(
    fc.property(poolElement, fc.nat(0xffffffff), (element, homeServerId) => {
      t.deepEqual(withHome(element, homeServerId), { ...element, homeServerId });
    }),
  );
});
