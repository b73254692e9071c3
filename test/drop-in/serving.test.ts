/** Servers. */

import { once } from 'node:events';
import type net from 'node:net';
import { asNet, type Case, closed, inAllWorlds, textOf, thrown } from './worlds.js';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const connections = (server: net.Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

const cases: Case[] = [
  {
    name: "listen emits 'listening' later, and calls its callback then",
    expected: ['called', 'callback', 'listening'],
    async run(stage) {
      const server = stage.server();
      stage.listen(server, () => stage.note('callback'));
      stage.watch(server, ['listening']);
      stage.note('called');
      await once(server, 'listening');
      return stage.log;
    },
  },
  {
    name: 'listen returns the server, and listening is true from the event on',
    expected: [false, true, true],
    async run(stage) {
      const server = stage.server();
      stage.note(server.listening);
      stage.note(stage.listen(server) === server);
      await once(server, 'listening');
      stage.note(server.listening);
      return stage.log;
    },
  },
  {
    name: 'address() is null, then address, family and port, then null',
    expected: [null, ['127.0.0.1', 'IPv4', 'number'], null],
    async run(stage) {
      const server = stage.server();
      stage.note(server.address());
      await stage.open(server);
      const { address, family, port } = server.address() as net.AddressInfo;
      stage.note(address, family, typeof port);
      await new Promise((resolve) => server.close(resolve));
      stage.note(server.address());
      return stage.log;
    },
  },
  {
    name: 'listening twice throws ERR_SERVER_ALREADY_LISTEN',
    expected: asNet,
    async run(stage) {
      const server = await stage.open(stage.server());
      return [thrown(() => stage.listen(server)), thrown(() => server.listen(0))];
    },
  },
  {
    name: 'a port in use is an error event, and the server does not listen',
    expected: ['error EADDRINUSE', false],
    async run(stage) {
      const first = await stage.open(stage.server());
      const { port } = first.address() as net.AddressInfo;
      const second = stage.server();
      stage.watch(second, ['listening', 'error']);
      second.listen({ ...stage.listenOptions, port });
      await new Promise((resolve) => void second.once('error', resolve));
      return [...stage.log, second.listening];
    },
  },
  {
    name: 'after a port in use another can be tried',
    expected: [true],
    async run(stage) {
      const first = await stage.open(stage.server());
      const { port } = first.address() as net.AddressInfo;
      const second = stage.server();
      second.listen({ ...stage.listenOptions, port });
      await new Promise((resolve) => void second.once('error', resolve));
      await stage.open(second);
      return [second.listening];
    },
  },
  {
    name: "listen refuses wrong ports with net's error",
    expected: asNet,
    async run(stage) {
      const options = stage.listenOptions;
      const wrong = [70_000, -1, '5x', Number.NaN, 1.5];
      return wrong.map((port) =>
        thrown(() => stage.server().listen({ ...options, port: port as number })).slice(0, 37),
      );
    },
  },
  {
    name: "'connection' gives a net.Socket that is connected",
    expected: [true, false, 'open', '127.0.0.1'],
    async run(stage) {
      const { served } = await stage.pair();
      const net = await import('node:net');
      return [served instanceof net.Socket, served.connecting, served.readyState, served.remoteAddress];
    },
  },
  {
    name: 'the listener of createServer is a listener of connection',
    expected: [1, 1, 0],
    async run(stage) {
      const count = (server: net.Server): number => server.listenerCount('connection');
      const one = stage.net.createServer(() => {});
      const two = stage.net.createServer({}, () => {});
      return [count(one), count(two), count(stage.net.createServer({}))];
    },
  },
  {
    name: 'new Server is createServer',
    expected: 'hello',
    async run(stage) {
      const server = stage.adoptServer(new stage.net.Server((socket) => void socket.end('hello')));
      return textOf(stage.connect(await stage.open(server)));
    },
  },
  {
    name: 'options of the server are its properties',
    expected: [true, true, true, true, 1, 500],
    async run(stage) {
      const server = stage.net.createServer({
        allowHalfOpen: true,
        pauseOnConnect: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 1000,
        highWaterMark: 500,
      }) as net.Server & Record<string, unknown>;
      return ['allowHalfOpen', 'pauseOnConnect', 'noDelay', 'keepAlive', 'keepAliveInitialDelay', 'highWaterMark'].map(
        (name) => server[name],
      );
    },
  },
  {
    name: 'the highWaterMark of the server is that of its sockets',
    expected: [4096, 4096],
    async run(stage) {
      const { served } = await stage.pair({}, { highWaterMark: 4096 });
      return [served.readableHighWaterMark, served.writableHighWaterMark];
    },
  },
  {
    name: 'with pauseOnConnect nothing is read until resume',
    expected: [true, 0, 'hello'],
    async run(stage) {
      const { client, served } = await stage.pair({}, { pauseOnConnect: true });
      stage.note(served.isPaused());
      await new Promise<void>((resolve) => void client.end('hello', () => resolve()));
      await turn();
      stage.note(served.bytesRead);
      served.resume();
      stage.note(await textOf(served));
      return stage.log;
    },
  },
  {
    name: 'getConnections counts, calls back later, and returns the server',
    expected: [0, true, 'returned', 1, 0],
    async run(stage) {
      const server = await stage.open(stage.server());
      stage.note(await connections(server));
      const accepted = once(server, 'connection');
      const client = stage.connect(server);
      const [served] = (await accepted) as [net.Socket];
      const counted = new Promise<void>((resolve) => {
        const returned = server.getConnections((_, count) => {
          stage.note(count);
          resolve();
        });
        stage.note((returned as unknown) === server);
        stage.note('returned');
      });
      await counted;
      served.resume();
      const closing = closed(served);
      client.destroy();
      served.on('error', () => {});
      await closing;
      stage.note(await connections(server));
      return stage.log;
    },
  },
  {
    name: "above maxConnections connections are dropped, and 'drop' says whose",
    expected: [1, true, true],
    async run(stage) {
      const server = await stage.open(stage.server());
      server.maxConnections = 1;
      const accepted = once(server, 'connection');
      stage.connect(server);
      await accepted;
      const dropped = once(server, 'drop');
      const second = stage.connect(server, { connectTimeout: 500 });
      second.on('error', () => {}).resume();
      const [facts] = (await dropped) as [net.DropArgument];
      stage.note(await connections(server));
      stage.note(facts.remoteAddress === '127.0.0.1' && facts.localAddress === '127.0.0.1');
      stage.note(typeof facts.remotePort === 'number' && facts.localFamily === 'IPv4');
      second.destroy();
      return stage.log;
    },
  },
  {
    name: 'close stops listening at once, and closes when the last connection has ended',
    expected: [false, 'still', 'callback', 'close'].concat([]),
    async run(stage) {
      const { client, served, server } = await stage.pair();
      server.close(() => stage.note('callback'));
      stage.watch(server, ['close']);
      stage.note(server.listening);
      served.pipe(served);
      client.write('still');
      const [chunk] = (await once(client, 'data')) as [Buffer];
      stage.note(chunk.toString());
      const closing = closed(server);
      client.end();
      await closing;
      return stage.log;
    },
  },
  {
    name: 'close returns the server, and closes at once without connections',
    expected: [true, 'close'],
    async run(stage) {
      const server = await stage.open(stage.server());
      stage.watch(server, ['close']);
      const closing = closed(server);
      stage.note(server.close() === server);
      await closing;
      return stage.log;
    },
  },
  {
    name: 'close of a server that does not listen calls back with ERR_SERVER_NOT_RUNNING',
    expected: asNet,
    async run(stage) {
      const error = await new Promise<unknown>((resolve) => void stage.net.createServer().close(resolve));
      return String(error);
    },
  },
  {
    name: 'the callback of close gets no error, that of a second close ERR_SERVER_NOT_RUNNING',
    expected: ['none', 'ERR_SERVER_NOT_RUNNING'],
    async run(stage) {
      const server = await stage.open(stage.server());
      const callback = (error?: Error): void =>
        stage.note((error as NodeJS.ErrnoException | undefined)?.code ?? 'none');
      const closing = closed(server);
      server.close(callback);
      server.close(callback);
      await closing;
      await turn();
      return stage.log;
    },
  },
  {
    name: 'a closed server can listen again',
    expected: [false, true, 'again'],
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.end('again')));
      await new Promise((resolve) => server.close(resolve));
      stage.note(server.listening);
      await stage.open(server);
      stage.note(server.listening);
      stage.note(await textOf(stage.connect(server)));
      return stage.log;
    },
  },
  {
    name: 'a server that is closed before it listens emits no listening',
    expected: ['close'],
    async run(stage) {
      const server = stage.server();
      stage.watch(server, ['listening', 'close']);
      const closing = closed(server);
      stage.listen(server);
      server.close();
      await closing;
      await turn();
      return stage.log;
    },
  },
  {
    name: 'ref and unref return the server',
    expected: [true, true, true, true],
    async run(stage) {
      const server = stage.server();
      stage.note(server.ref() === server);
      stage.note(server.unref() === server);
      await stage.open(server);
      stage.note(server.unref() === server);
      stage.note(server.ref() === server);
      return stage.log;
    },
  },
  {
    name: 'Symbol.asyncDispose closes the server and resolves when it has closed',
    expected: ['close', false],
    async run(stage) {
      const server = await stage.open(stage.server());
      stage.watch(server, ['close']);
      await (server as unknown as AsyncDisposable)[Symbol.asyncDispose]();
      stage.note(server.listening);
      return stage.log;
    },
  },
  {
    name: 'many connections at once are all served',
    expected: Array.from({ length: 20 }, (_, i) => `client ${i}`),
    async run(stage) {
      const server = await stage.open(stage.server((socket) => void socket.on('error', () => {}).pipe(socket)));
      return Promise.all(
        Array.from({ length: 20 }, (_, i) => {
          const client = stage.connect(server);
          client.end(`client ${i}`);
          return textOf(client);
        }),
      );
    },
  },
  {
    name: 'connections that are destroyed in their connection event leave the server as it was',
    expected: [0, 'next'],
    async run(stage) {
      let first = true;
      const server = await stage.open(
        stage.server((socket) => {
          if (!first) socket.end('next');
          else socket.on('error', () => {}).destroy();
          first = false;
        }),
      );
      const client = stage.connect(server);
      client.on('error', () => {}).resume();
      await closed(client);
      while ((await connections(server)) > 0) await turn();
      stage.note(await connections(server));
      stage.note(await textOf(stage.connect(server)));
      return stage.log;
    },
  },
  {
    name: 'the wrong options of a server throw',
    expected: asNet,
    async run(stage) {
      return [
        thrown(() => stage.net.createServer(5 as never)),
        thrown(() => stage.net.createServer('x' as never)),
        thrown(() => stage.net.createServer({ keepAliveInitialDelay: 'x' as never })),
        thrown(() => stage.net.createServer({ highWaterMark: 'x' as never })),
        thrown(() => stage.net.createServer(null as never)),
      ];
    },
  },
  {
    name: 'listen takes a signal, which closes the server',
    expected: ['close'],
    async run(stage) {
      const controller = new AbortController();
      const server = stage.server();
      stage.watch(server, ['close']);
      server.listen({ ...stage.listenOptions, signal: controller.signal });
      await once(server, 'listening');
      const closing = closed(server);
      controller.abort();
      await closing;
      return stage.log;
    },
  },
  {
    name: 'a server is an EventEmitter whose sockets know it',
    expected: [true, true],
    async run(stage) {
      const { served, server } = await stage.pair();
      const { EventEmitter } = await import('node:events');
      return [server instanceof EventEmitter, (served as { server?: net.Server }).server === server];
    },
  },
];

inAllWorlds(cases);
