/** The registrars of the handlespace benchmark as processes, and how the first one gets its elements. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { encodeAsap } from '../../lib/wire/asap.js';
import type { MemberSelectionPolicy } from '../../lib/wire/parameters.js';
import { givingWay, mainThreadFirst, onServerCore, realTime } from '../registrar/cores.js';
import type { Order, Told } from './serve.js';

export class HoldingRegistrar {
  readonly port: number;
  readonly enrpPort: number;
  /** When it began to serve. */
  readonly elements: number;
  /** Milliseconds until then, its process already running: what a download takes. */
  readonly took: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, told: Extract<Told, { type: 'listening' }>, took: number) {
    const { port, enrpPort, elements } = told;
    this.#child = child;
    this.took = took;
    this.port = port;
    this.enrpPort = enrpPort;
    this.elements = elements;
  }

  /**
   * With `peerPort`: resolves when it has downloaded what the peer holds; it gives way to all others meanwhile.
   * `onBegin`: its process runs, and it begins to serve, or to download, now.
   */
  static async start(peerPort?: number, onBegin?: () => void): Promise<HoldingRegistrar> {
    const file = fileURLToPath(new URL('./serve.js', import.meta.url));
    // Where the main thread alone is in real-time scheduling it must not wait for helpers that are not.
    const flags = ['--expose-gc', ...(realTime && peerPort === undefined ? ['--no-parallel-scavenge'] : [])];
    const words = [...flags, file, ...(peerPort === undefined ? [] : [`${peerPort}`])];
    const [command, args] =
      peerPort === undefined ? onServerCore(process.execPath, words) : givingWay(process.execPath, words);
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'message');
    if (peerPort === undefined) mainThreadFirst(child.pid as number);
    onBegin?.();
    const begun = performance.now();
    child.send('begin' satisfies Order);
    const [what] = (await once(child, 'message')) as [Told];
    if (what.type !== 'listening') throw new Error(`unexpected ${what.type}`);
    return new HoldingRegistrar(child, what, performance.now() - begun);
  }

  async memory(): Promise<{ readonly bytes: number; readonly elements: number }> {
    const told = once(this.#child, 'message') as Promise<[Told]>;
    this.#child.send('memory' satisfies Order);
    const [what] = await told;
    if (what.type !== 'memory') throw new Error(`unexpected ${what.type}`);
    return what;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** Registers elements, each with an address of its own; their connection stays open until the result is called. */
export async function fill(
  port: number,
  elements: number,
  poolOf: (element: number) => string,
  policyOf: (element: number) => MemberSelectionPolicy,
): Promise<() => void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let received = 0;
  const answers = (async () => {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      received += (chunk as Buffer).length;
      if (received >= elements * answerSize(poolOf(0))) return;
    }
  })();
  for (let element = 0; element < elements; element++) {
    const message = encodeAsap({
      type: 'registration',
      poolHandle: poolOf(element),
      poolElement: {
        // All 32 bits, as elements choose theirs: V8 keeps the upper half of them in objects of their own.
        identifier: Math.imul(element + 1, 0x85ebca6b) >>> 0,
        homeServerId: 0,
        registrationLife: 3600,
        userTransport: { type: 'tcp', port: 4000, address: addressOf(element) },
        policy: policyOf(element),
        // As our own elements do: one port for both.
        asapTransport: { type: 'tcp', port: 4000, address: addressOf(element) },
      },
    });
    if (!socket.write(message)) await once(socket, 'drain');
  }
  await answers;
  // What comes later is of no interest, but must be read.
  socket.resume();
  return () => void socket.destroy();
}

export function addressOf(element: number): string {
  return `127.${100 + (element >> 16)}.${(element >> 8) & 0xff}.${element & 0xff}`;
}

function answerSize(poolHandle: string): number {
  const facts = { type: 'registrationResponse', rejected: false, poolHandle, peIdentifier: 1, errors: [] } as const;
  return encodeAsap(facts).length;
}
