import { spawn } from 'node:child_process';
import test from 'ava';

test('500 associations at once and 10,000 one after the other leave nothing behind, and the process ends', async (t) => {
  const child = spawn(process.execPath, ['--expose-gc', 'dist/test/transport/sctp/cycles.js']);
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  t.is(code, 0, output);
  const { atOnce, cycles, grown } = JSON.parse(output);
  t.deepEqual([atOnce, cycles], [500, 10_000]);
  t.true(grown < 1024 * 1024, `${grown} bytes`);
});
