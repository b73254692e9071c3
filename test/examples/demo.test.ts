/** The demo as users run it, with real processes that are killed and frozen; and that it fails when it ought to. */

import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { pieceLength } from '../../examples/mirror/protocol.js';
import type { Result } from '../../examples/mirror/statistics.js';
import { demoProgram, end, lineOf, registrarProgram, runDemo, start, withFile } from './processes.js';
import type { Sabotage } from './sabotage.js';

// One at a time: each has half a dozen processes, and a machine too busy to send heartbeats is a fault of its own.
test.serial('a download survives mirrors that are killed and frozen, with nothing lost or repeated', async (t) => {
  const { code, result } = await runDemo(4 * 1024 * 1024);
  const { ok, equal, lost, repeated, killed, frozen, failoversWithoutFault } = result;
  t.like(
    { ok, equal, lost, repeated, failoversWithoutFault },
    {
      ok: true,
      equal: true,
      lost: 0,
      repeated: 0,
      failoversWithoutFault: 0,
    },
  );
  t.true(killed.count >= 6, `${killed.count} killed`);
  t.true(frozen.count >= 3, `${frozen.count} frozen`);
  t.is(result.failovers, killed.count + frozen.count);
  t.is(result.bytes, result.downloads * 4 * 1024 * 1024);
  t.is(code, 0);
});

const sabotages: readonly [kind: Sabotage, what: string, findings: Partial<Result>][] = [
  ['drop', 'leaves a piece out', { equal: false, lost: pieceLength, repeated: 0 }],
  ['repeat', 'sends a piece twice', { equal: false, lost: 0, repeated: pieceLength }],
  ['corrupt', 'changes a byte', { equal: false, lost: 0, repeated: 0 }],
];
for (const [kind, what, findings] of sabotages) {
  test.serial(`the demo fails when a mirror ${what}`, async (t) => {
    const preload = new URL('./sabotage.js', import.meta.url).href;
    const { code, result } = await runDemo(1024 * 1024, { NODE_OPTIONS: `--import=${preload}`, SABOTAGE: kind });
    t.like(result, { ok: false, ...findings });
    t.is(code, 1);
  });
}

test.serial('the demo fails, and says why, when there is no such file', async (t) => {
  await withFile(1, async (folder) => {
    const demo = start(demoProgram, [join(folder, 'other'), '--json'], {}, 'pipe');
    t.like(await lineOf(demo, /^demo: ENOENT/, demo.stderr), { index: 0 });
    t.deepEqual(await once(demo, 'exit'), [1, null]);
  });
});

test.serial('a signal ends the demo with all its processes and files', async (t) => {
  await withFile(4 * 1024 * 1024, async (folder) => {
    const registrar = start(registrarProgram, ['registrar', '--port', '0']);
    const lines = createInterface(registrar.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
    const nextLine = async (): Promise<string> => {
      const { done, value } = await lines.next();
      if (done === true) throw new Error('the registrar has ended');
      return value;
    };
    const address = /listens on (\S+)/.exec(await nextLine())?.[1] ?? '';
    const demo = start(demoProgram, [join(folder, 'file'), '--registrar', address], { TMPDIR: folder });
    const ended = once(demo, 'exit');
    try {
      // One mirror can do nothing about its end by itself then.
      await lineOf(demo, /mirror \d+ is frozen/);
      t.is((await readdir(folder)).length, 2);
      demo.kill('SIGINT');
      t.deepEqual(await ended, [null, 'SIGINT']);
      t.deepEqual(await readdir(folder), ['file']);
      // Four have been there, as the first fault was a kill; the registrar tells of each how it went.
      const reasons: string[] = [];
      for (let added = 0; added < 4 || reasons.length < added; ) {
        const [, type, reason = ''] = /^(\w+) mirrors \S+ \((.*)\)$/.exec(await nextLine()) ?? [];
        if (type === 'added') added++;
        if (type === 'removed') reasons.push(reason);
      }
      t.deepEqual(reasons.slice(1), ['connectionBroken', 'connectionBroken', 'connectionBroken']);
    } finally {
      await Promise.all([end(demo), end(registrar)]);
    }
  });
});
