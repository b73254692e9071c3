/** ASAP over TLS, over real connections. */

import { once } from 'node:events';
import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { createRegistrar } from '../../lib/registrar/registrar.js';
import { toPoolHandle } from '../../lib/wire/pool-handle.js';
import { certificateFor } from '../transport/tls/certificates.js';

const certificate = certificateFor('registrar.test');
const tls = { ca: certificate.cert, servername: 'registrar.test' };

test('elements and users reach a registrar over TLS, and those without it get nothing', async (t) => {
  const registrar = createRegistrar({ host: '127.0.0.1', port: 0, tls: certificate });
  registrar.listen();
  const [{ port }] = (await once(registrar, 'listening')) as [{ port: number }];
  const registrars = `127.0.0.1:${port}`;
  const scope = new OperationalScope({ registrars, tls });
  const plain = new OperationalScope({ registrars });
  const stranger = new OperationalScope({ registrars, tls: { ...tls, servername: 'other.test' } });
  t.teardown(() => {
    for (const one of [scope, plain, stranger]) one.close();
    registrar.close();
  });
  await new Promise<void>((resolve, reject) => {
    const transport = { type: 'tcp', address: '127.0.0.1', port: 7 } as const;
    scope.endpoint.register(
      { poolHandle: toPoolHandle('secure'), identifier: 5, userTransport: transport, policy: { type: 'roundRobin' } },
      { onRegistered: resolve, onFailed: reject, onExpired() {} },
    );
  });
  const { elements } = await scope.resolve('secure');
  t.deepEqual(
    elements.map(({ identifier }) => identifier),
    [5],
  );
  for (const one of [plain, stranger]) await t.throwsAsync(one.resolve('secure', { timeout: 500 }));
  t.throws(() => new OperationalScope({ tls: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => createRegistrar({ tls: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});
