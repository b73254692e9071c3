/** A mirror process, asked for files that it must not or cannot serve. */

import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Downloader } from '../../examples/mirror/download.js';
import { decodeAnswer, encodeRequest } from '../../examples/mirror/protocol.js';
import { connect, type Message, OperationalScope } from '../../lib/index.js';
import { end, lineOf, mirrorProgram, registrarProgram, start, withFile } from './processes.js';

/** A scope in which a mirror serves the folder `public`, which has a file and a folder in it, and a file beside it. */
async function withMirror(use: (scope: OperationalScope) => Promise<void>): Promise<void> {
  await withFile(100, async (parent) => {
    const folder = join(parent, 'public');
    await mkdir(join(folder, 'inner'), { recursive: true });
    await writeFile(join(folder, 'greeting'), 'hello');
    const registrar = start(registrarProgram, ['registrar', '--port', '0']);
    const address = (await lineOf(registrar, /listens on (\S+)/))[1] ?? '';
    const mirror = start(mirrorProgram, [folder], { RSERPOOL_REGISTRARS: address });
    const scope = new OperationalScope({ registrars: address });
    try {
      await lineOf(mirror, /^registered$/);
      await use(scope);
    } finally {
      scope.close();
      await Promise.all([end(mirror), end(registrar)]);
    }
  });
}

const refusals: readonly [name: string, reason: string][] = [
  ['../../etc/passwd', 'a name must not have a path'],
  ['/etc/passwd', 'a name must not have a path'],
  ['../file', 'a name must not have a path'],
  ['inner/../../file', 'a name must not have a path'],
  ['./greeting', 'a name must not have a path'],
  ['greeting/', 'a name must not have a path'],
  ['..', 'EISDIR'],
  ['.', 'EISDIR'],
  ['', 'EISDIR'],
  ['inner', 'EISDIR'],
  ['file', 'ENOENT'],
  ['greeting\0', 'ERR_INVALID_ARG_VALUE'],
];

test('a mirror serves the files of its folder and nothing else, and goes on after each refusal', async (t) => {
  await withMirror(async (scope) => {
    const socket = connect({ poolHandle: 'mirrors', scope });
    for (const [name, reason] of refusals) {
      socket.send(encodeRequest({ name, offset: 0 }));
      const [message] = (await once(socket, 'message')) as [Message];
      t.deepEqual(decodeAnswer(message.data), { type: 'refusal', reason }, JSON.stringify(name));
    }
    socket.send(encodeRequest({ name: 'greeting', offset: 1 }));
    const [message] = (await once(socket, 'message')) as [Message];
    const answer = decodeAnswer(message.data);
    t.is(answer?.type === 'piece' ? Buffer.from(answer.bytes).toString() : answer, 'ello');
    socket.destroy();
  });
});

test('a download of a file that does not exist ends with an error', async (t) => {
  await withMirror(async (scope) => {
    const downloader = new Downloader('mirrors', { scope });
    const closed = new Promise((resolve) => downloader.once('close', () => resolve(true)));
    downloader.fetch('no-such-file');
    await t.throwsAsync(once(downloader, 'done'), { message: 'refused: ENOENT' });
    t.true(await closed);
  });
});
