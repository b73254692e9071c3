/** The two programs of the README, as they stand there. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import test from 'ava';
import { built, TestProcess } from './process.js';

// Inside dist/, so that 'rserpool' is this package itself.
const folder = 'test/processes/readme';

function program(name: string): string {
  const readme = readFileSync(built('../README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1] ?? '');
  const block = blocks.find((text) => text.startsWith(`// ${name}`));
  if (block === undefined) throw new Error(`README.md has no ${name}`);
  mkdirSync(built(folder), { recursive: true });
  writeFileSync(built(`${folder}/${name}`), block);
  return `${folder}/${name}`;
}

test('the echo server and client of the README work', async (t) => {
  const port = await new Promise<number>((resolve, reject) => {
    const probe = createNetServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as { port: number };
      probe.close(() => resolve(free));
    });
  });
  const start = (file: string, ...args: string[]): TestProcess => {
    const started = new TestProcess(file, args, { RSERPOOL_REGISTRARS: `127.0.0.1:${port}` });
    t.teardown(() => started.kill());
    return started;
  };
  const client = start(program('client.mjs'));
  start(program('server.mjs'));
  start('lib/cli/main.js', 'registrar', '--port', `${port}`);
  client.write('hello pool\n');
  await client.printed(/^hello pool$/m);
  client.child.stdin?.end();
  t.is(await client.exited, 0, client.stderr);
  t.is(client.stdout, 'hello pool\n');
});
