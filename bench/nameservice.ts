/**
 * The byte rate of nameservice mode, and of plain users at a server that serves both modes, beside net's: in pairs in one
 * run, each pair in either order by turns. The goal is .95 of net's (the median of the pairs).
 *
 * Each transfer sends `megabytes` in 64 KiB writes over loopback to a process of its own that counts and answers.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { OperationalScope } from '../lib/asap/scope.js';
import { connect } from '../lib/net/connect.js';
import { register } from '../lib/net/registration.js';
import { Server } from '../lib/net/server.js';
import { createRegistrar } from '../lib/registrar/registrar.js';
import { median, table } from './session/statistics.js';

const host = '127.0.0.1';
const goal = 0.95;
const megabytes = Number(process.env.MEGABYTES ?? 256);
const pairs = Number(process.env.PAIRS ?? 11);

type Way = 'net' | 'nameservice' | 'both modes';

/** Counts what comes and says so at the end. */
function count(socket: net.Socket): void {
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  socket.on('end', () => socket.end(String(length)));
}

async function serve(registrars: string): Promise<void> {
  const scope = new OperationalScope({ registrars });
  const plain = net.createServer({ allowHalfOpen: true }, count).listen(0, host);
  await once(plain, 'listening');
  const { port } = plain.address() as net.AddressInfo;
  await register({ poolHandle: 'plain', scope, host, port });
  const both = new Server({ allowHalfOpen: true }, count);
  both.listen({ poolHandle: 'both', scope, host });
  await once(both, 'registered');
  process.send?.(port);
}

/** Milliseconds of one transfer, from the first write to the answer. */
async function transfer(socket: net.Socket): Promise<number> {
  await once(socket, 'connect');
  const chunk = Buffer.alloc(65_536, 'rserpool');
  const writes = megabytes * 16;
  let answer = '';
  socket.on('data', (text: Buffer) => {
    answer += text.toString();
  });
  const begin = performance.now();
  let written = 0;
  const go = (): void => {
    while (written < writes) {
      written++;
      if (!socket.write(chunk)) return;
    }
    socket.off('drain', go);
    socket.end();
  };
  socket.on('drain', go);
  go();
  await once(socket, 'close');
  if (Number(answer) !== writes * chunk.length) throw new Error(`${answer} bytes arrived of ${writes * chunk.length}`);
  return performance.now() - begin;
}

async function main(): Promise<void> {
  const registrar = createRegistrar({ host, port: 0 });
  registrar.listen();
  const [{ port: registrarPort }] = (await once(registrar, 'listening')) as [{ port: number }];
  const registrars = `${host}:${registrarPort}`;
  const child = fork(fileURLToPath(import.meta.url), ['serve', registrars]);
  const [port] = (await once(child, 'message')) as [number];
  const scope = new OperationalScope({ registrars });
  const dial: Record<Way, () => net.Socket> = {
    net: () => net.connect({ port, host, allowHalfOpen: true }),
    nameservice: () => connect({ poolHandle: 'plain', scope, mode: 'nameservice', allowHalfOpen: true }),
    'both modes': () => connect({ poolHandle: 'both', scope, mode: 'nameservice', allowHalfOpen: true }),
  };
  const ratios: Record<'nameservice' | 'both modes', number[]> = { nameservice: [], 'both modes': [] };
  for (const way of ['net', 'nameservice', 'both modes'] as const) await transfer(dial[way]());
  for (let pair = 0; pair < pairs; pair++) {
    for (const way of ['nameservice', 'both modes'] as const) {
      const order: readonly Way[] = pair % 2 === 0 ? ['net', way] : [way, 'net'];
      const took = new Map<Way, number>();
      for (const one of order) took.set(one, await transfer(dial[one]()));
      ratios[way].push((took.get('net') as number) / (took.get(way) as number));
    }
  }
  const rows = Object.entries(ratios).map(([way, list]) => [
    way,
    median(list).toFixed(3),
    Math.min(...list).toFixed(2),
    Math.max(...list).toFixed(2),
  ]);
  console.log(table([['byte rate, of net’s', 'median', 'least', 'most'], ...rows]));
  child.kill();
  scope.close();
  registrar.close();
  if (Object.values(ratios).some((list) => median(list) < goal)) process.exitCode = 1;
}

if (argv[2] === 'serve') await serve(argv[3] as string);
else await main();
