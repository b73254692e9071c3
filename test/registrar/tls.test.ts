/** Registrars, elements, users and peers over TLS (RFC 5352 section 9.2, RFC 5353 section 6.2, RFC 5355 section 2.15). */

import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { OperationalScope, type OperationalScopeOptions } from '../../lib/asap/scope.js';
import { register } from '../../lib/net/registration.js';
import type { RegistrarOptions } from '../../lib/registrar/options.js';
import { createRegistrar, type Registrar } from '../../lib/registrar/registrar.js';
import { authority, type Certified, element, impostor, registrar, stranger } from '../transport/certificates.js';

interface Served {
  readonly registrar: Registrar;
  readonly registrars: string;
}

async function served(t: ExecutionContext, options: RegistrarOptions): Promise<Served> {
  // Keeps this process alive while a registrar is looked for.
  const held = createServer().listen(0, '127.0.0.1');
  const made = createRegistrar({ port: 0, ...options });
  t.teardown(async () => {
    held.close();
    await made[Symbol.asyncDispose]();
  });
  const address = await new Promise<{ port: number }>((resolve, reject) => {
    made.once('error', reject);
    made.listen(resolve);
  });
  return { registrar: made, registrars: `127.0.0.1:${address.port}` };
}

function scope(t: ExecutionContext, options: OperationalScopeOptions): OperationalScope {
  const made = new OperationalScope(options);
  t.teardown(() => made.close());
  return made;
}

const secure = { tls: { ...registrar, ca: authority } };
const withCertificate = (own: Certified) => ({ ca: authority, ...own });

test('an element with a certificate registers over TLS, and a user without one resolves', async (t) => {
  const { registrars } = await served(t, secure);
  const own = scope(t, { registrars, tls: withCertificate(element) });
  const registration = await register({ poolHandle: 'echo', port: 7, scope: own });
  const { elements } = await scope(t, { registrars, tls: { ca: authority } }).resolve('echo');
  t.deepEqual(
    elements.map(({ identifier }) => identifier),
    [registration.identifier],
  );
  await registration.deregister();
});

test('an element without a certificate, or with one that nobody signed, is rejected due to security considerations', async (t) => {
  const { registrar: server, registrars } = await served(t, secure);
  for (const tls of [{ ca: authority }, withCertificate(impostor)]) {
    const error = await t.throwsAsync(register({ poolHandle: 'echo', port: 7, scope: scope(t, { registrars, tls }) }), {
      code: 'ERR_RSERPOOL_REGISTRATION_REJECTED',
    });
    t.regex(error?.message ?? '', /0xa/);
  }
  t.is(server.handlespace.elementCount, 0);
});

test('with a certificate of its own alone, a registrar lets everybody register who comes over TLS', async (t) => {
  const { registrars } = await served(t, { tls: registrar });
  const registration = await register({
    poolHandle: 'echo',
    port: 7,
    scope: scope(t, { registrars, tls: { ca: authority } }),
  });
  t.true(registration.registered);
  await registration.deregister();
});

test('who speaks no TLS to a secure registrar gets no answer, nor does one who speaks it to a plain one', async (t) => {
  const { registrars } = await served(t, secure);
  const plain = await served(t, {});
  for (const options of [{ registrars }, { registrars: plain.registrars, tls: { ca: authority } }]) {
    await t.throwsAsync(scope(t, options).resolve('echo', { hunt: 'once', timeout: 5_000 }), {
      code: 'ERR_RSERPOOL_NO_ENRP_SERVER',
    });
  }
});

test('a registrar that cannot prove to be who was meant is not used, and the next one is', async (t) => {
  const wrong = await served(t, { tls: { ...impostor, ca: authority } });
  const other = await served(t, { tls: { ...stranger, ca: authority } });
  const right = await served(t, secure);
  const own = scope(t, {
    registrars: [wrong, other, right].map(({ registrars }) => registrars),
    tls: { ca: authority },
  });
  await t.throwsAsync(own.resolve('echo'), { code: 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE' });
  t.is(own.endpoint.homeServer?.port, Number(right.registrars.split(':')[1]));
  t.is(wrong.registrar.stats.resolutions + other.registrar.stats.resolutions, 0);
});

test('peers prove each other who they are; one that cannot is no peer', async (t) => {
  const timers = { heartbeatCycle: 5_000, discoveryTime: 300 };
  const tls = { ...registrar, ca: authority, servername: 'registrar.example' };
  const enrp = (peers: string[] = []): NonNullable<RegistrarOptions['enrp']> => ({ port: 0, timers, peers });
  const first = createRegistrar({ port: 0, tls, enrp: enrp() });
  const listening = new Promise<number>((resolve) => void first.once('enrpListening', ({ port }) => resolve(port)));
  first.listen();
  const peer = `127.0.0.1:${await listening}`;
  t.teardown(() => first[Symbol.asyncDispose]());
  // It looks for as long as it takes.
  const patient = { ...enrp([peer]), timers: { heartbeatCycle: 5_000, discoveryTime: 120_000 } };
  const second = await served(t, { tls, enrp: patient });
  t.deepEqual(
    second.registrar.enrp?.peers.map(({ serverId }) => serverId),
    [first.serverId],
  );
  // It finds nobody, and so takes itself to be alone.
  const liar = await served(t, {
    tls: { ...impostor, ca: authority, servername: 'registrar.example' },
    enrp: enrp([peer]),
  });
  t.deepEqual(
    first.enrp?.peers.map(({ serverId }) => serverId),
    [second.registrar.serverId],
  );
  t.false(liar.registrar.enrp?.peers.some(({ connected }) => connected));
});

for (const options of [
  { tls: 5 },
  { tls: registrar, enrp: {} },
  { tls: { ...registrar, ca: authority }, sctp: true },
]) {
  test(`options that contradict each other are refused: ${Object.keys(options)}`, (t) => {
    const error = t.throws(() => createRegistrar(options as never)) as Error & { code?: string };
    t.regex(error.code ?? '', /^ERR_INVALID_ARG/);
  });
}
