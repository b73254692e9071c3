/** TLS between processes. */

import { once } from 'node:events';
import test from 'ava';
import { createRegistrar } from '../../lib/index.js';
import { registrar as certificate } from '../transport/certificates.js';
import { TestProcess } from './process.js';

test('a process ends by itself although its connection to a registrar over TLS is open', async (t) => {
  const registrar = createRegistrar({ port: 0, tls: certificate });
  const listening = once(registrar, 'listening');
  registrar.listen();
  await listening;
  t.teardown(() => registrar.close());
  const user = new TestProcess('test/processes/fixtures/tls-user.js', [`127.0.0.1:${registrar.address?.port}`]);
  t.teardown(() => user.kill());
  await user.printed(/^ERR_RSERPOOL_UNKNOWN_POOL_HANDLE$/m);
  t.is(await user.exited, 0, user.stderr);
});
