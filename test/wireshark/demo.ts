/** Wireshark reads everything that passes between the registrar and the processes of the demo. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { asapMessageType, decodeAsap } from '../../lib/wire/asap.js';
import type { AsapMessage } from '../../lib/wire/messages.js';
import { parameterType } from '../../lib/wire/parameter-type.js';
import { RecordingProxy } from './recording-proxy.js';
import { dissect, verdictFields } from './tshark.js';
import { messageFields, privateParameters, spoken, understood, unknownParameters } from './wireshark-fields.js';

const fileLength = 4 * 1024 * 1024;

type Counts = Partial<Record<string, number>>;

function counts(types: readonly string[]): Counts {
  const sums: Counts = {};
  for (const type of [...types].sort()) sums[type] = (sums[type] ?? 0) + 1;
  return sums;
}

/** Runs the demo with all its faults, its registrar behind a proxy that records. */
async function recordDemo(): Promise<{ readonly proxy: RecordingProxy; readonly result: { readonly ok: boolean } }> {
  const folder = await mkdtemp(join(tmpdir(), 'rserpool-wireshark-'));
  const registrar = spawn(process.execPath, ['dist/lib/cli/main.js', 'registrar', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface(registrar.stdout), 'line');
    const proxy = new RecordingProxy(Number(/:(\d+)$/.exec(line)?.[1]));
    const registrarAddress = `127.0.0.1:${await proxy.listen()}`;
    const file = join(folder, 'file');
    await writeFile(file, randomBytes(fileLength));
    const demoArguments = ['dist/examples/mirror/demo.js', file, '--json', '--paced', '0', '--heartbeat', '300'];
    const demo = spawn(process.execPath, [...demoArguments, '--registrar', registrarAddress], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = await text(demo.stdout);
    await proxy.close();
    return { proxy, result: JSON.parse(output) };
  } finally {
    registrar.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

test('Wireshark understands each ASAP message of the demo as we do', async (t) => {
  const { proxy, result } = await recordDemo();
  t.true(result.ok, JSON.stringify(result));
  t.deepEqual(proxy.faults, []);

  const messages = proxy.passages.map(({ bytes }) => {
    const decoded = decodeAsap(bytes);
    if (decoded.type !== 'message') throw new Error(`${decoded.type}: ${Buffer.from(bytes).toString('hex')}`);
    return decoded.message;
  });
  const sent = counts(messages.map(({ type }) => type));
  t.log('ASAP messages', messages.length, sent);
  // Three mirrors and nine in place of those that were killed.
  t.true((sent.registration ?? 0) >= 12);
  t.true((sent.registrationResponse ?? 0) >= 12);
  t.true((sent.handleResolution ?? 0) >= 1);
  t.true((sent.handleResolutionResponse ?? 0) >= 1);
  t.true((sent.endpointUnreachable ?? 0) >= 1);
  t.true((sent.endpointKeepAlive ?? 0) >= 1);

  const dissections = await dissect(proxy.passages, [...verdictFields, ...messageFields('asap')]);
  const nameOf = new Map(Object.entries(asapMessageType).map(([name, type]) => [String(type), name]));
  const seen = dissections.map((dissection) => nameOf.get(dissection.get('asap.message_type')?.[0] ?? '') ?? 'none');
  t.deepEqual(counts(seen), sent);

  const unknown = new Set<number>();
  for (const [i, dissection] of dissections.entries()) {
    const message = messages[i] as AsapMessage;
    const bytes = proxy.passages[i]?.bytes as Uint8Array;
    const where = `message ${i}, ${message.type}: ${Buffer.from(bytes).toString('hex')}`;
    t.deepEqual(dissection.get('frame.protocols'), ['raw:ip:sctp:asap'], where);
    t.deepEqual(dissection.get('ip.checksum.status'), ['1'], where);
    t.deepEqual(dissection.get('sctp.checksum.status'), ['1'], where);
    t.deepEqual(dissection.get('_ws.malformed'), [], where);
    t.deepEqual(dissection.get('_ws.expert.message'), [], where);
    t.deepEqual(understood('asap', dissection), spoken('asap', message, bytes), where);
    t.deepEqual(unknownParameters('asap', dissection), privateParameters(message), where);
    for (const type of unknownParameters('asap', dissection)) unknown.add(type);
  }
  // Elements say which mappings they offer; nothing else is news to Wireshark.
  t.deepEqual([...unknown], [parameterType.mapping]);
});
