/**
 * The three worlds in which the cases of this folder run: Node's net, and ours over a pool in either mode. A case is written
 * from Node's documentation of net, sees nothing but net's API, and returns what it observed.
 */

import { once } from 'node:events';
import net from 'node:net';
import test from 'ava';
import rserpool from '../../lib/index.js';
import { host, type Loopback, loopback } from './loopback.js';

export type WorldName = 'net' | 'failover' | 'nameservice';

/** One case's view of its world. Everything that it makes is destroyed when it is over. */
export class Stage {
  readonly world: WorldName;
  /** The module under test: `net`, or ours in its place. */
  readonly net: typeof net;
  readonly #loopback: Loopback | undefined;
  readonly #sockets = new Set<net.Socket>();
  readonly #servers = new Set<net.Server>();
  /** What the case has seen. */
  readonly log: unknown[] = [];

  constructor(world: WorldName, pools: Loopback | undefined) {
    this.world = world;
    this.net = world === 'net' ? net : (rserpool as unknown as typeof net);
    this.#loopback = pools;
  }

  server(
    options?: net.ServerOpts | ((socket: net.Socket) => void),
    onConnection?: (socket: net.Socket) => void,
  ): net.Server {
    const server = this.net.createServer(options as net.ServerOpts, onConnection);
    return this.adoptServer(server);
  }

  adoptServer(server: net.Server): net.Server {
    this.#servers.add(server);
    server.on('connection', (socket) => this.#sockets.add(socket));
    return server;
  }

  /** What `listen` is told. */
  get listenOptions(): net.ListenOptions {
    if (this.#loopback === undefined) return { port: 0, host };
    const mode = this.world === 'nameservice' ? { mode: 'nameservice' } : {};
    return { poolHandle: `pool ${++pools}`, scope: this.#loopback.scope, host, ...mode } as never;
  }

  /** The options with which `server` was made to listen. */
  readonly #listening = new WeakMap<net.Server, net.ListenOptions>();

  /** Calls `server.listen`. */
  listen(server: net.Server, onListening?: () => void): net.Server {
    const options = this.listenOptions;
    this.#listening.set(server, options);
    return onListening === undefined ? server.listen(options) : server.listen(options, onListening);
  }

  /** Makes it listen, and waits until it can be connected to. */
  async open(server: net.Server): Promise<net.Server> {
    this.listen(server);
    await once(server, this.world === 'net' ? 'listening' : 'registered');
    return server;
  }

  /** What `connect` is told to reach the server. */
  targetOf(server: net.Server, options: object = {}): net.NetConnectOpts {
    const target =
      this.world === 'net' ? { port: (server.address() as net.AddressInfo).port, host } : this.#poolOf(server);
    return { ...target, ...options } as net.NetConnectOpts;
  }

  /** What `connect` is told to reach nobody. */
  get nowhere(): net.NetConnectOpts {
    if (this.#loopback === undefined) return { port: 1, host };
    const mode = this.world === 'nameservice' ? { mode: 'nameservice' } : {};
    return { poolHandle: 'nobody', scope: this.#loopback.scope, connectTimeout: 100, ...mode } as never;
  }

  connect(server: net.Server, options: object = {}, onConnect?: () => void): net.Socket {
    return this.adopt(this.net.connect(this.targetOf(server, options), onConnect as () => void));
  }

  adopt<S extends net.Socket>(socket: S): S {
    this.#sockets.add(socket);
    return socket;
  }

  /** A connected pair: the client's side, the server's, and the server. */
  async pair(
    options: object = {},
    serverOptions: net.ServerOpts = {},
  ): Promise<{ client: net.Socket; served: net.Socket; server: net.Server }> {
    const server = await this.open(this.server(serverOptions));
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const client = this.connect(server, options);
    // A server of both modes cannot tell a plain client before it speaks; cases without this wait for nothing else.
    const [[served]] = await Promise.all([accepted, once(client, 'connect')]);
    return { client, served, server };
  }

  /** A server that echoes, and a client of it. */
  async echo(options: object = {}): Promise<net.Socket> {
    const server = await this.open(this.server((socket) => void socket.on('error', () => {}).pipe(socket)));
    return this.connect(server, options);
  }

  /** Logs events, with their first arguments if they are plain. */
  watch(emitter: NodeJS.EventEmitter, names: readonly string[], who: string = ''): void {
    for (const name of names) {
      emitter.on(name, (...args: unknown[]) => {
        const [first] = args;
        const plain = ['boolean', 'string', 'number'].includes(typeof first) ? [first] : [];
        const error = first instanceof Error ? [(first as NodeJS.ErrnoException).code ?? first.message] : [];
        this.log.push([`${who}${name}`, ...plain, ...error].join(' '));
      });
    }
  }

  note(...what: unknown[]): void {
    this.log.push(what.length === 1 ? what[0] : what);
  }

  #poolOf(server: net.Server): object {
    const { poolHandle, scope } = this.#listening.get(server) as { poolHandle: string; scope: unknown };
    return { poolHandle, scope, ...(this.world === 'nameservice' ? { mode: 'nameservice' } : {}) };
  }

  async strike(): Promise<void> {
    const closed = [...this.#servers].map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    );
    for (const socket of this.#sockets) socket.on('error', () => {}).destroy();
    await Promise.all(closed);
  }
}

let pools = 0;

/** What net does in this Node: messages are not the same in all. */
export const asNet: unique symbol = Symbol('as net');

export interface Case {
  /** A sentence of net's documentation, or what follows from it. */
  readonly name: string;
  readonly expected: unknown;
  readonly run: (stage: Stage) => Promise<unknown>;
  /** Where a pool cannot do as net does: why, and what it does instead. */
  readonly except?: Partial<Record<'failover' | 'nameservice', readonly [reason: string, outcome: unknown]>>;
}

/** Runs each case in each world. */
export function inAllWorlds(cases: readonly Case[]): void {
  let shared: Promise<Loopback> | undefined;
  const sharedPools = (): Promise<Loopback> => (shared ??= loopback());
  for (const { name, expected, run, except } of cases) {
    for (const world of ['net', 'failover', 'nameservice'] as const) {
      const exception = world === 'net' ? undefined : except?.[world];
      const title = exception === undefined ? name : `${name} (differs: ${exception[0]})`;
      test(`${world}: ${title}`, async (t) => {
        const stage = new Stage(world, world === 'net' ? undefined : await sharedPools());
        try {
          const wanted = expected === asNet ? await inNet(run) : expected;
          t.deepEqual(await run(stage), exception === undefined ? wanted : exception[1]);
        } finally {
          await stage.strike();
        }
      });
    }
  }
  test.after.always(async () => {
    await (await shared)?.close();
  });
}

async function inNet(run: Case['run']): Promise<unknown> {
  const stage = new Stage('net', undefined);
  try {
    return await run(stage);
  } finally {
    await stage.strike();
  }
}

/** When 'close' has come, whatever else comes. */
export function closed(emitter: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => void emitter.once('close', () => resolve()));
}

/** What comes until the end, as text. It leaves the stream to itself, as async iteration would not. */
export function textOf(readable: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  readable.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    readable.once('end', () => resolve(text)).once('error', reject);
    readable.once('close', () => reject(new Error(`it closed without an end, after '${text}'`)));
  });
}

/** The code of what a call throws, or 'nothing'. */
export function thrown(call: () => unknown): string {
  try {
    call();
    return 'nothing';
  } catch (error) {
    const { code, name, message } = error as NodeJS.ErrnoException;
    return `${name} ${code}: ${message}`;
  }
}
