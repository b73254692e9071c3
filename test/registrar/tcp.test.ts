import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';
import { createRegistrar, type Registrar } from '../../lib/registrar/registrar.js';

async function listening(): Promise<{ registrar: Registrar; registrars: string }> {
  const registrar = createRegistrar({ port: 0 });
  registrar.listen();
  const [address] = (await once(registrar, 'listening')) as [{ host: string; port: number }];
  return { registrar, registrars: `${address.host}:${address.port}` };
}

function registered(scope: OperationalScope, identifier: number): Promise<() => Promise<Error | undefined>> {
  return new Promise((resolve, reject) => {
    const element = scope.endpoint.register(
      { poolHandle: 'echo', identifier, userTransport: { type: 'tcp', port: 7, address: '0.0.0.0' } },
      {
        onRegistered: () => resolve(() => new Promise((done) => element.deregister(done))),
        onFailed: reject,
        onExpired() {},
      },
    );
  });
}

test('over TCP: register, resolve, deregister', async (t) => {
  const { registrar, registrars } = await listening();
  const scope = new OperationalScope({ registrars });
  const deregister = await registered(scope, 1);
  const user = new OperationalScope({ registrars });
  const { elements } = await user.resolve('echo');
  t.deepEqual(
    elements.map(({ identifier, userTransport }) => ({ identifier, userTransport })),
    [{ identifier: 1, userTransport: { type: 'tcp', port: 7, address: '127.0.0.1' } }],
  );
  t.is(await deregister(), undefined);
  await t.throwsAsync(user.populate('echo'), { code: 'ERR_RSERPOOL_UNKNOWN_POOL_HANDLE' });
  scope.close();
  user.close();
  await registrar[Symbol.asyncDispose]();
});

test('over TCP: a closing registrar sends its elements to the other one', async (t) => {
  const first = await listening();
  const scope = new OperationalScope({ registrars: first.registrars });
  await registered(scope, 1);
  scope.close();
  const second = await listening();
  const both = new OperationalScope({ registrars: [first.registrars, second.registrars] });
  await registered(both, 2);
  const home = both.endpoint.homeServer?.port === first.registrar.address?.port ? first : second;
  const other = home === first ? second : first;
  const moved = once(other.registrar, 'change');
  await home.registrar[Symbol.asyncDispose]();
  const [change] = (await moved) as [unknown];
  t.like(change, { type: 'added', poolHandle: 'echo', identifier: 2 });
  both.close();
  await other.registrar[Symbol.asyncDispose]();
});

test('over TCP: a request and FIN in one segment is still answered', async (t) => {
  const { registrar } = await listening();
  const socket = connect(registrar.address?.port ?? 0, '127.0.0.1');
  socket.end(Buffer.from('0500000c0009000865636861', 'hex'));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  t.is(Buffer.concat(chunks)[0], 0x06);
  await registrar[Symbol.asyncDispose]();
});

test('a port that is taken is an error event of the system', async (t) => {
  const { registrar } = await listening();
  const second = createRegistrar({ port: registrar.address?.port ?? 0 });
  second.listen();
  const [error] = (await once(second, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'EADDRINUSE');
  await registrar[Symbol.asyncDispose]();
});

for (const [options, code] of [
  [{ port: 65_536 }, 'ERR_SOCKET_BAD_PORT'],
  [{ host: '' }, 'ERR_INVALID_ARG_VALUE'],
  [{ host: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ serverId: 0 }, 'ERR_OUT_OF_RANGE'],
  [{ acceptForeignAddresses: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
  [{ timers: { keepAliveInterval: -1 } }, 'ERR_OUT_OF_RANGE'],
  [{ timers: { keepAliveInterval: 0 } }, 'ERR_OUT_OF_RANGE'],
  [{ timers: [] }, 'ERR_INVALID_ARG_TYPE'],
  [{ limits: { maxPools: 1.5 } }, 'ERR_OUT_OF_RANGE'],
  [{ limits: { maxMessageSize: 3 } }, 'ERR_OUT_OF_RANGE'],
  [{ limits: { maxElementsPerAnswer: 0 } }, 'ERR_OUT_OF_RANGE'],
] as const) {
  test(`registrar options ${JSON.stringify(options)} are refused with ${code}`, (t) => {
    t.throws(() => createRegistrar(options as never), { code });
  });
}
