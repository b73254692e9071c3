import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { MemoryNetwork } from '../../lib/transport/memory/network.js';

test('a resolution fails with every registrar named when none accepts', async (t) => {
  const network = new MemoryNetwork();
  const user = network.spawn('10.0.0.9');
  const scope = new OperationalScope({
    registrars: '10.0.0.1,10.0.0.2:4000',
    clock: user.clock,
    random: network.random,
    transports: { stream: user.transport },
  });
  let code: unknown;
  let message = '';
  user.dispatch('input', () => {
    scope.endpoint.resolve('echo', { timeout: 5000 }, (error) => {
      code = (error as { code?: unknown }).code;
      message = String(error?.message);
    });
  });
  while (code === undefined && network.time.step(60_000));
  t.is(code, 'ERR_RSERPOOL_NO_ENRP_SERVER');
  t.regex(message, /10\.0\.0\.1:3863 ECONNREFUSED, 10\.0\.0\.2:4000 ECONNREFUSED/);
  t.is(network.time.now, 5000);
});
