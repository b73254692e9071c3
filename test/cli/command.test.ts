import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { OperationalScope } from '../../lib/asap/scope.js';

const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...words: string[]): ChildProcess {
  const { RSERPOOL_REGISTRARS: _, ...env } = process.env;
  return spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function finish(child: ChildProcess): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text) => {
    stdout += text;
  });
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const run = (...words: string[]): Promise<Finished> => finish(start(...words));

async function registrar(): Promise<{ child: ChildProcess; address: string }> {
  const child = start('registrar', '--port', '0', '--id', '0x12345678');
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line')) as [string];
  return { child, address: line.replace('registrar 0x12345678 listens on ', '') };
}

test('resolve shows the elements of a pool, as text and as JSON', async (t) => {
  const { child, address } = await registrar();
  const scope = new OperationalScope({ registrars: address });
  await new Promise<void>((resolve, reject) => {
    scope.endpoint.register(
      {
        poolHandle: 'echo',
        identifier: 0xabc,
        userTransport: { type: 'tcp', port: 7, address: '127.0.0.1' },
        policy: { type: 'leastUsed', load: 3 },
      },
      { onRegistered: resolve, onFailed: reject, onExpired() {} },
    );
  });
  const text = await run('resolve', 'echo', '--registrars', address);
  t.is(text.code, 0);
  t.is(text.stdout, 'echo: leastUsed load=3\n  0x00000abc  tcp 127.0.0.1:7  leastUsed load=3\n');
  const json = JSON.parse((await run('resolve', 'echo', '--json', '--registrars', address)).stdout) as {
    elements: { identifier: number; homeServerId: number }[];
  };
  t.like(json, { poolHandle: 'echo', policy: { type: 'leastUsed' } });
  t.like(json.elements[0], { identifier: 0xabc, homeServerId: 0x12345678 });
  scope.close();
  child.kill('SIGTERM');
  t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('resolve fails at once with exit code 1 for an unknown pool, and SIGINT ends the registrar in order', async (t) => {
  const { child, address } = await registrar();
  const { code, stderr } = await run('resolve', 'nothing', '--registrars', address);
  t.is(code, 1);
  t.is(stderr, "rserpool: The ENRP server knows no such pool (pool 'nothing')\n");
  child.kill('SIGINT');
  t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('resolve fails at once with exit code 1 when no registrar accepts', async (t) => {
  const { code, stderr } = await run('resolve', 'echo', '--registrars', '127.0.0.1:1');
  t.is(code, 1);
  t.regex(stderr, /No ENRP server .* 127\.0\.0\.1:1 ECONNREFUSED/);
});

test('wrong calls end with exit code 2 and the usage', async (t) => {
  for (const words of [
    ['frobnicate'],
    ['resolve'],
    ['resolve', 'a', '--nonsense'],
    ['registrar', '--port', 'x'],
    ['registrar', '--id', '0'],
  ]) {
    const { code, stderr } = await run(...words);
    t.is(code, 2, words.join(' '));
    t.regex(stderr, /Usage: rserpool/);
  }
});

test('help and version', async (t) => {
  const help = await run('help');
  t.is(help.code, 0);
  t.regex(help.stdout, /registrar .*\n.*\n {2}resolve POOL/);
  t.regex((await run('help', 'resolve')).stdout, /--json/);
  t.regex((await run('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
});
