import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';

const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

interface RegistrarChild {
  readonly child: ChildProcess;
  readonly enrp: string;
  readonly asap: string;
}

/** `rserpool registrar`, once it serves. */
async function start(t: ExecutionContext, ...words: string[]): Promise<RegistrarChild> {
  const options = ['--port', '0', '--enrp-port', '0', '--heartbeat-cycle', '300', ...words];
  const child = spawn(process.execPath, [main, 'registrar', ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  let enrp = '';
  for await (const line of lines) {
    if (line.includes('awaits peers on')) enrp = line.split(' ').at(-1) as string;
    if (line.includes('listens on')) return { child, enrp, asap: line.split(' ').at(-1) as string };
  }
  throw new Error('the registrar ended');
}

test('three processes share their pools; one that is killed is taken over, and its successor learns all of it', async (t) => {
  const first = await start(t);
  const second = await start(t, '--peer', first.enrp);
  const third = await start(t, '--peer', first.enrp, '--peer', second.enrp);
  const registrars = [first.asap, second.asap, third.asap];
  const scope = new OperationalScope({ registrars });
  const registered = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const userTransport = { type: 'tcp', port: 7, address: '0.0.0.0' } as const;
      const handler = { onRegistered: resolve, onFailed: reject, onExpired() {} };
      scope.endpoint.register({ poolHandle: 'echo', identifier: 1, userTransport }, handler);
    });
  await registered();
  for (const registrar of registrars) {
    const user = new OperationalScope({ registrars: [registrar] });
    const { elements } = await user.awaitPool('echo', { timeout: 5_000 });
    t.deepEqual(
      elements.map(({ identifier }) => identifier),
      [1],
    );
    user.close();
  }
  const home = [first, second, third].find(({ asap }) => asap.endsWith(`:${scope.endpoint.homeServer?.port}`)) ?? first;
  const moved = new Promise((resolve) => void scope.endpoint.once('home', resolve));
  home.child.kill('SIGKILL');
  await moved;
  const survivors = [first, second, third].filter((registrar) => registrar !== home);
  const fourth = await start(t, ...survivors.flatMap(({ enrp }) => ['--peer', enrp]));
  const user = new OperationalScope({ registrars: [fourth.asap] });
  const { elements } = await user.awaitPool('echo', { timeout: 5_000 });
  t.deepEqual(
    elements.map(({ identifier }) => identifier),
    [1],
  );
  user.close();
  scope.close();
  for (const { child } of [...survivors, fourth]) {
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    t.is(code, 0);
  }
});
